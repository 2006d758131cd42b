import Wire

/// What was found before anything was touched.
package struct Preflight: Equatable, Sendable {
    package var candidates: [DeployPlan.Candidate]
    /// As sentences; empty when the deploy may begin.
    package var problems: [String]
    /// Of every node that answered.
    package var facts: [String: NodeFacts]
}

extension Deployer {
    private typealias Look = (facts: NodeFacts?, health: NodeHealth, problems: [String])

    private var looksAtOnce: Int { 32 }
    private var mostSkew: Int64 { 5 }

    /// Looks at all nodes at once.
    ///
    /// - Parameters:
    ///   - nodes: Those to deploy to.
    ///   - release: For the room that it takes; nil to look only.
    ///   - options: Whether nodes may be ill.
    /// - Returns: Every problem, not only the first.
    package func preflight(_ nodes: [Node], _ release: Release?, _ options: DeployOptions) async -> Preflight {
        // The way to the spokes leads over one connection to the hub, which must be there before they are asked.
        if let hub = inventory.hub { _ = await attempt { _ = try await calls.ssh.perform(calls.facts(hub)) } }
        async let monitored = look(at: nodes, options)
        let looks = await concurrently(nodes, most: looksAtOnce) { await look(at: $0, release, options) }
        let (report, told) = await monitored
        var found = Preflight(candidates: [], problems: told, facts: [:])
        for (node, look) in zip(nodes, looks) {
            found.problems += look.problems
            guard let facts = look.facts else { continue }
            found.facts[node.name] = facts
            let body = report?.node(node.name)?.body
            found.candidates.append(
                DeployPlan.Candidate(
                    node, current: facts.current, load: body?.req1h, errorRatio: body?.errorRatio,
                    isHealthy: look.health.isReady && facts.unit == "active", isSettled: facts.isSettled))
        }
        return found
    }

    private func look(at node: Node, _ release: Release?, _ options: DeployOptions) async -> Look {
        async let health = probe.health(of: node)
        let before = now()
        let facts: NodeFacts
        do {
            facts = try NodeFacts(try await calls.ssh.perform(calls.facts(node)), from: node.name)
        } catch {
            return (nil, await health, ["\(error)"])
        }
        let after = now()
        var problems: [String] = []
        if let trial = facts.trial {
            let advice =
                trial.left > -60
                ? "decides within \(max(0, trial.left)) s: wait, or go on with that deploy (--resume)"
                : "should have gone back by now: look at its disk, and reboot it, which goes back"
            problems.append("\(node.name) is on trial in deploy \(trial.deploy), and \(advice)")
        }
        let isChanged = release?.systems[node.name] != facts.current
        if isChanged, let size = release?.sizes[node.name], facts.free / 2 < size {
            problems.append(
                "\(node.name) has \(facts.free >> 20) MiB free and needs twice \(size >> 20) MiB: clavitor-soc gc \(node.name)"
            )
        }
        if !options.allowsIll {
            if facts.clock < before - mostSkew || facts.clock > after + mostSkew {
                problems.append("\(node.name)'s clock is \(facts.clock - after) s from this machine's")
            }
            if facts.unit != "active" { problems.append("\(node.name)'s unit is \(facts.unit)") }
            switch await health {
            case .ready: break
            case .notReady(let why): problems.append("\(node.name) is not ready: \(why)")
            }
        }
        return (facts, await health, problems)
    }

    private func look(at nodes: [Node], _ options: DeployOptions) async -> (FleetReport?, [String]) {
        guard let monitor else { return (nil, []) }
        let report: FleetReport
        do {
            report = try await monitor.fleet()
        } catch {
            return (nil, ["\(error)"])
        }
        var problems: [String] = []
        if !options.allowsIll {
            for node in nodes where report.node(node.name) == nil {
                problems.append("the monitor does not know \(node.name)")
            }
            if report.evaluationPaused { problems.append("the monitor has just come and judges nobody yet") }
            problems += report.healthProblems.map { "the monitor cannot do its own work: \($0)" }
            problems += report.incidents.filter { $0.inhibitedBy == nil }.map {
                "open incident: \($0.title) (\($0.severity))"
            }
        }
        return (report, problems)
    }
}
