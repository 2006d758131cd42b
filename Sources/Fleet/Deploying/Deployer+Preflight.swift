import Wire

/// The result of the checks before a deploy.
package struct Preflight: Equatable, Sendable {
    package var candidates: [DeployPlan.Candidate]
    /// Sentences; empty if the deploy may start.
    package var problems: [String]
    /// Facts of every node that responded.
    package var facts: [String: NodeFacts]
}

extension Deployer {
    private typealias NodeCheck = (facts: NodeFacts?, health: NodeHealth, problems: [String])

    private var maximumConcurrentChecks: Int { 32 }
    /// Seconds.
    private var maximumClockSkew: Int64 { 5 }

    /// Checks all nodes concurrently.
    ///
    /// - Parameters:
    ///   - nodes: The nodes to deploy to.
    ///   - release: Used to check the free disk space; nil to skip that.
    ///   - options: Whether unhealthy nodes are allowed.
    /// - Returns: All problems, not only the first.
    package func preflight(_ nodes: [Node], _ release: Release?, _ options: DeployOptions) async -> Preflight {
        // The spokes are reached over one connection to the hub, which must exist before they are queried.
        if let hub = inventory.hub { _ = await attempt { _ = try await calls.ssh.perform(calls.facts(hub)) } }
        async let monitored = checkMonitor(nodes, options)
        let checks = await concurrently(nodes, limit: maximumConcurrentChecks) { await check($0, release, options) }
        let (report, problems) = await monitored
        var preflight = Preflight(candidates: [], problems: problems, facts: [:])
        for (node, check) in zip(nodes, checks) {
            preflight.problems += check.problems
            guard let facts = check.facts else { continue }
            preflight.facts[node.name] = facts
            let body = report?.node(node.name)?.body
            preflight.candidates.append(
                DeployPlan.Candidate(
                    node, current: facts.current, load: body?.req1h, errorRatio: body?.errorRatio,
                    isHealthy: check.health.isReady && facts.unit == "active", isSettled: facts.isSettled))
        }
        return preflight
    }

    private func check(_ node: Node, _ release: Release?, _ options: DeployOptions) async -> NodeCheck {
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
            let action =
                trial.left > -60
                ? "decides within \(max(0, trial.left)) s: wait, or continue that deploy (--resume)"
                : "should have been rolled back by now: check its disk, and reboot it, which rolls it back"
            problems.append("\(node.name) is on trial in deploy \(trial.deploy), and \(action)")
        }
        let isChanged = release?.systems[node.name] != facts.current
        if isChanged, let size = release?.sizes[node.name], facts.free / 2 < size {
            problems.append(
                "\(node.name) has \(facts.free >> 20) MiB free and needs twice \(size >> 20) MiB: clavitor-soc gc \(node.name)"
            )
        }
        if !options.allowsUnhealthy {
            if facts.clock < before - maximumClockSkew || facts.clock > after + maximumClockSkew {
                problems.append("\(node.name)'s clock differs from this machine's by \(facts.clock - after) s")
            }
            if facts.unit != "active" { problems.append("\(node.name)'s unit is \(facts.unit)") }
            switch await health {
            case .ready: break
            case .notReady(let why): problems.append("\(node.name) is not ready: \(why)")
            }
        }
        return (facts, await health, problems)
    }

    private func checkMonitor(_ nodes: [Node], _ options: DeployOptions) async -> (FleetReport?, [String]) {
        guard let monitor else { return (nil, []) }
        let report: FleetReport
        do {
            report = try await monitor.fleet()
        } catch {
            return (nil, ["\(error)"])
        }
        var problems: [String] = []
        if !options.allowsUnhealthy {
            for node in nodes where report.node(node.name) == nil {
                problems.append("the monitor does not know \(node.name)")
            }
            if report.isEvaluationPaused { problems.append("the monitor's evaluation is paused") }
            problems += report.healthProblems.map { "the monitor is unhealthy: \($0)" }
            problems += report.incidents.filter { $0.inhibitedBy == nil }.map {
                "open incident: \($0.title) (\($0.severity))"
            }
        }
        return (report, problems)
    }
}
