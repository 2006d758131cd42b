package import Wire

/// The state of the fleet, as reported by the monitor and by each node.
package struct FleetStatus: Codable, Equatable, Sendable {
    package struct Row: Codable, Equatable, Sendable {
        package var node: String
        package var region: String
        /// The monitor's state of the node; nil if the monitor was not queried or does not know the node.
        package var state: String?
        /// Milliseconds since the last heartbeat, by the monitor's clock.
        package var beatAge: Int64?
        package var body: Heartbeat?
        /// The running system, over SSH; nil if the node did not respond.
        package var system: String?
        package var generation: Int?
        package var unit: String?
        /// The revision of nixpkgs.
        package var revision: String?
        /// Why the node did not respond.
        package var trouble: String?
    }

    package var rows: [Row]
    /// Open incidents that are not inhibited.
    package var incidents: [FleetReport.Incident]
    /// Which nodes are out of the nearest name, and why.
    package var names: [String] = []
    /// Why the monitor did not respond, or its report is unreliable; empty if it was not queried.
    package var monitorTroubles: [String]

    package var isHealthy: Bool {
        monitorTroubles.isEmpty && incidents.isEmpty
            && rows.allSatisfy { $0.trouble == nil && ($0.unit ?? "active") == "active" && ($0.state ?? "up") == "up" }
    }

    /// Queries the monitor and all nodes concurrently.
    ///
    /// - Parameters:
    ///   - nodes: The nodes to query.
    ///   - ssh: The connection to them.
    ///   - paths: Paths on the nodes.
    ///   - monitor: Nil to skip the monitor.
    ///   - limit: The number of concurrent queries.
    /// - Returns: A row for each node, even if it did not respond.
    package static func gather(
        _ nodes: [Node], _ ssh: SSH, _ paths: NodePaths, monitor: (any FleetMonitor)?, limit: Int = 32
    ) async -> FleetStatus {
        let calls = DeployCommands(ssh, paths)
        async let reported = report(monitor)
        // The hub first: the others are reached through it.
        let hubFailure = await Self.failure(of: ssh.inventory.hub, ssh, calls)
        let rows = await concurrently(nodes, limit: limit) { node in
            var row = Row(node: node.name, region: node.region)
            if let hubFailure {
                row.trouble =
                    node.role == .hub
                    ? hubFailure : "\(node.name) was not queried, because it is reached through the hub."
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

    /// Why the hub cannot be reached; nil if it can, or if spokes are reached without it.
    private static func failure(of hub: Node?, _ ssh: SSH, _ calls: DeployCommands) async -> String? {
        guard let hub else { return nil }
        do {
            _ = try await ssh.perform(calls.facts(hub))
            return nil
        } catch let error as SSHError {
            switch error {
            case .unreachable, .wrongHostKey, .timedOut, .identity, .noHostKey:
                return ssh.paths.breakGlass == nil ? "\(error)" : nil
            case .pathTooLong, .spacesInPath, .hub, .failed, .invalidOutput: return nil
            }
        } catch {
            return nil
        }
    }

    private static func troubles(_ report: FleetReport, _ rows: [Row]) -> [String] {
        report.healthProblems.map { "The monitor is unhealthy: \($0)" }
            + (report.isEvaluationPaused ? ["The monitor's evaluation is paused."] : [])
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
