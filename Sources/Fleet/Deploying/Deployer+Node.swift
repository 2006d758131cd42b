extension Deployer {
    /// The reason why a node that went back did so is not on the node, so that it is carried along.
    private struct Watch {
        var beatAfter: Int64?
        /// When the new system was first looked at. By this clock and not the node's, which an activation may set.
        var examinedAt: C.Instant?
        var begins = 0
        var confirms = 0
        var abortedAt: C.Instant?
        var askedAt: C.Instant?
        var reason: String?
        /// What the last look found wanting.
        var trouble = "it did not answer"
    }

    private typealias Decision = (outcome: DeployEvent.Kind, text: String?)

    /// One node, from the lease to its end.
    func roll(_ step: DeployPlan.Step, _ plan: DeployPlan, lease: Int64?, _ log: DeployLog) async throws
        -> DeployEvent.Kind
    {
        let node = try inventory.node(step.node)
        var lease = lease
        if lease == nil, let monitor {
            try log.write(.leasing, node: node.name)
            do {
                lease = try await openLease(node, plan, monitor)
            } catch {
                try log.write(.failed, node: node.name, text: "\(node.name) was not touched: \(error)")
                return .failed
            }
            try log.write(.leased, node: node.name, lease: lease)
        }
        let decision = try await watchOver(node, step, plan, log)
        try log.write(decision.outcome, node: node.name, text: decision.text.map { "\(node.name): \($0)" })
        try await release(step, plan, lease, log)
        return decision.outcome
    }

    func release(_ step: DeployPlan.Step, _ plan: DeployPlan, _ lease: Int64?, _ log: DeployLog) async throws {
        guard let lease, let monitor else { return }
        try log.write(.releasing, node: step.node, lease: lease)
        // It ends by itself as well.
        _ = await attempt { try await monitor.closeLease(lease) }
    }

    /// The one that was opened before a crash, or a new one.
    private func openLease(_ node: Node, _ plan: DeployPlan, _ monitor: any FleetMonitor) async throws -> Int64 {
        let reason = "deploy \(plan.id): \(node.name)"
        let report = try await monitor.fleet()
        if let open = report.maintenanceWindows.first(where: { $0.reason == reason && $0.until > report.now }) {
            return open.id
        }
        // Long enough for the window, for going back, and for this program to be started again.
        let minutes = 2 * plan.options.window / 60 + 5
        return try await monitor.openLease(nodes: [node.name], reason: reason, minutes: minutes).id
    }

    private func watchOver(
        _ node: Node, _ step: DeployPlan.Step, _ plan: DeployPlan, _ log: DeployLog
    ) async throws -> Decision {
        var watch = Watch()
        let end = clock.now.advanced(by: .seconds(2 * plan.options.window + 180))
        while true {
            if let decision = try await turn(node, step, plan, &watch, log) { return decision }
            // Whoever shut the lid meanwhile looks once more.
            guard clock.now < end else { break }
            try await clock.sleep(for: .seconds(1))
        }
        return (.failed, "nobody knows how it is: \(watch.trouble). Look at it: clavitor-soc ssh \(node.name)")
    }

    /// Asks how it is and does what follows.
    private func turn(
        _ node: Node, _ step: DeployPlan.Step, _ plan: DeployPlan, _ watch: inout Watch, _ log: DeployLog
    ) async throws -> Decision? {
        let state: NodeState
        do {
            state = try NodeState(try await calls.ssh.perform(calls.state(node, plan)), from: node.name)
        } catch {
            watch.trouble = "\(error)"
            return nil
        }
        switch RolloutStep.next(state) {
        case .wait: return nil
        case .begin: return try await begin(node, step, plan, &watch, log)
        case .examine:
            if watch.examinedAt == nil { try log.write(.examining, node: node.name) }
            let since = watch.examinedAt ?? clock.now
            watch.examinedAt = since
            if let missing = await missing(node, step, plan, state, &watch) {
                watch.trouble = missing
                let isLate = since.duration(to: clock.now) >= .seconds(plan.options.patience)
                return isLate ? try await abort(node, plan, state, missing, &watch, log) : nil
            }
            return try await confirm(node, plan, &watch, log)
        case .confirm: return try await confirm(node, plan, &watch, log)
        case .abort(let reason): return try await abort(node, plan, state, reason, &watch, log)
        case .kept: return (.kept, nil)
        case .wentBack: return await verifyOld(node, step, state, watch)
        case .stuck(let why): return (.failed, why)
        }
    }

    private func begin(
        _ node: Node, _ step: DeployPlan.Step, _ plan: DeployPlan, _ watch: inout Watch, _ log: DeployLog
    ) async throws -> Decision? {
        guard watch.begins < 3 else { return (.failed, "it could not begin: \(watch.trouble)") }
        watch.begins += 1
        try log.write(.beginning, node: node.name)
        if let failure = await attempt({ _ = try await calls.ssh.perform(calls.begin(node, step, plan)) }) {
            watch.trouble = failure
        }
        return nil
    }

    /// The connection may end before the answer: what came of it, the node says.
    private func confirm(_ node: Node, _ plan: DeployPlan, _ watch: inout Watch, _ log: DeployLog) async throws
        -> Decision?
    {
        guard watch.confirms < 5 else {
            return (.failed, "it runs the new system, which could not be made the boot default: \(watch.trouble)")
        }
        if watch.confirms == 0 { try log.write(.confirming, node: node.name) }
        watch.confirms += 1
        if let failure = await attempt({ _ = try await calls.ssh.perform(calls.confirm(node, plan)) }) {
            watch.trouble = failure
        }
        return nil
    }

    /// A node whose disk takes no change goes back all the same, and cannot write it down.
    private func abort(
        _ node: Node, _ plan: DeployPlan, _ state: NodeState, _ reason: String, _ watch: inout Watch, _ log: DeployLog
    ) async throws -> Decision? {
        if watch.reason == nil { try log.write(.aborting, node: node.name, text: reason) }
        watch.reason = watch.reason ?? reason
        let (first, last) = (watch.abortedAt ?? clock.now, watch.askedAt)
        watch.abortedAt = first
        guard first.duration(to: clock.now) < .seconds(plan.options.window) else {
            let now = state.current == state.previous ? "runs the old system again" : "runs \(state.current)"
            return (.failed, "it \(now), and cannot write down that it went back (\(reason)). Look at its disk")
        }
        // The old system's activation takes its time.
        if let last, last.duration(to: clock.now) < .seconds(20) { return nil }
        if let failure = await attempt({ _ = try await calls.ssh.perform(calls.abort(node, plan)) }) {
            watch.trouble = failure
        } else {
            watch.askedAt = clock.now
        }
        return nil
    }

    private func missing(
        _ node: Node, _ step: DeployPlan.Step, _ plan: DeployPlan, _ state: NodeState, _ watch: inout Watch
    ) async -> String? {
        var report: FleetReport?
        if let monitor {
            do {
                report = try await monitor.fleet()
            } catch {
                return "\(error)"
            }
            watch.beatAfter = watch.beatAfter ?? report?.now
        }
        let gate = Gate(version: plan.version, errorRatioBefore: step.errorRatio, beatAfter: watch.beatAfter)
        return gate.missing(state, await probe.health(of: node), report?.node(node.name))
    }

    private func verifyOld(_ node: Node, _ step: DeployPlan.Step, _ state: NodeState, _ watch: Watch) async -> Decision
    {
        let why = watch.reason ?? watch.trouble
        guard state.current == step.previous else {
            return (.failed, "it went back (\(why)), but runs \(state.current) and not \(step.previous)")
        }
        var health = await probe.health(of: node)
        for _ in 0..<30 where !health.isReady {
            guard (try? await clock.sleep(for: .seconds(1))) != nil else { break }
            health = await probe.health(of: node)
        }
        switch health {
        case .ready: return (.rolledBack, "rolled back: \(why)")
        case .notReady(let now): return (.rolledBack, "rolled back: \(why). The old system is not ready either: \(now)")
        }
    }
}
