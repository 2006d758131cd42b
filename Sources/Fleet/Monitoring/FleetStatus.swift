package import Wire

/// The fleet in one view: the monitor's word beside each node's own.
package struct FleetStatus: Codable, Equatable, Sendable {
    package struct Row: Codable, Equatable, Sendable {
        package var node: String
        package var region: String
        /// The monitor's; nil when it was not asked or does not know the node.
        package var state: String?
        /// Milliseconds before the monitor's now.
        package var beatAge: Int64?
        package var body: Heartbeat?
        /// Of the node itself, over SSH; nil when it did not answer.
        package var system: String?
        package var generation: Int?
        package var unit: String?
        /// Of nixpkgs.
        package var revision: String?
        /// Why it did not answer.
        package var trouble: String?
    }

    package var rows: [Row]
    /// Open ones that nothing hides.
    package var incidents: [FleetReport.Incident]
    /// Which nodes are out of the nearest name, and why.
    package var names: [String] = []
    /// Why the monitor says nothing, or its word is not to be relied on; empty when it was not asked.
    package var monitorTroubles: [String]

    package var isWell: Bool {
        monitorTroubles.isEmpty && incidents.isEmpty
            && rows.allSatisfy { $0.trouble == nil && ($0.unit ?? "active") == "active" && ($0.state ?? "up") == "up" }
    }

    /// Asks everybody at once.
    ///
    /// - Parameters:
    ///   - nodes: Of whom.
    ///   - ssh: The way to them.
    ///   - paths: Where they keep what is asked for.
    ///   - monitor: Nil when there is none to ask.
    ///   - most: Nodes that are asked at the same time.
    /// - Returns: A row for each, whether it answered or not.
    package static func gather(
        _ nodes: [Node], _ ssh: SSH, _ paths: NodePaths, monitor: (any FleetMonitor)?, most: Int = 32
    ) async -> FleetStatus {
        let calls = DeployCalls(ssh, paths)
        async let reported = report(monitor)
        // The connection to the hub first: the others go through it.
        let lost = await Self.lost(ssh.inventory.hub, ssh, calls)
        let rows = await concurrently(nodes, most: most) { node in
            var row = Row(node: node.name, region: node.region)
            if let lost {
                row.trouble =
                    node.role == .hub ? lost : "\(node.name) was not asked: the way to it leads through the hub."
                return row
            }
            do {
                let facts = try NodeFacts(try await ssh.perform(calls.facts(node)), from: node.name)
                (row.system, row.generation, row.unit) = (facts.current, facts.generation, facts.unit)
                row.revision = facts.revision
            } catch {
                row.trouble = "\(error)"
            }
            return row
        }
        let (report, trouble) = await reported
        guard let report else {
            return FleetStatus(rows: rows, incidents: [], monitorTroubles: trouble.map { [$0] } ?? [])
        }
        let known = Dictionary(report.nodes.map { ($0.name, $0) }) { first, _ in first }
        let complete = rows.map { row in
            var row = row
            row.state = known[row.node]?.state
            row.beatAge = known[row.node]?.lastBeat.map { report.now - $0 }
            row.body = known[row.node]?.body
            return row
        }
        return FleetStatus(
            rows: complete, incidents: report.incidents.filter { $0.inhibitedBy == nil },
            monitorTroubles: troubles(report, complete))
    }

    /// Why the hub cannot be reached; nil when it can, and where spokes are asked without it.
    private static func lost(_ hub: Node?, _ ssh: SSH, _ calls: DeployCalls) async -> String? {
        guard let hub else { return nil }
        do {
            _ = try await ssh.perform(calls.facts(hub))
            return nil
        } catch let error as SSHError {
            switch error {
            case .unreachable, .wrongHostKey, .timedOut, .identity, .noHostKey:
                return ssh.places.breakGlass == nil ? "\(error)" : nil
            case .pathTooLong, .spacesInPath, .hub, .failed, .notUnderstood: return nil
            }
        } catch {
            return nil
        }
    }

    private static func troubles(_ report: FleetReport, _ rows: [Row]) -> [String] {
        report.healthProblems.map { "The monitor cannot do its own work: \($0)" }
            + (report.evaluationPaused ? ["The monitor has just come, or doubts itself, and judges nobody."] : [])
            + rows.filter { $0.state == nil }.map { "The monitor does not know \($0.node)." }
    }

    private static func report(_ monitor: (any FleetMonitor)?) async -> (FleetReport?, String?) {
        guard let monitor else { return (nil, nil) }
        do {
            return (try await monitor.fleet(), nil)
        } catch {
            return (nil, "\(error)")
        }
    }
}
