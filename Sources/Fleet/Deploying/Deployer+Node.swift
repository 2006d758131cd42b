extension Deployer {
    /// The state of one node's rollout in this process.
    private struct Rollout {
        var heartbeatAfter: Int64?
        /// When the new system's health was first checked. By this machine's clock, because an activation may set the node's.
        var firstCheck: C.Instant?
        var activationAttempts = 0
        var confirmAttempts = 0
        var firstAbort: C.Instant?
        var lastAbort: C.Instant?
        /// Why the node is rolled back; not stored on the node.
        var reason: String?
        /// The result of the last check.
        var failure = "it did not respond"
    }

    private typealias Decision = (outcome: DeployEvent.Kind, text: String?)

    /// Rolls one node out, from the maintenance window to its outcome.
    func roll(
        _ step: DeployPlan.Step, _ plan: DeployPlan, maintenanceWindow: Int64?, _ log: DeployLog
    ) async throws -> DeployEvent.Kind {
        let node = try inventory.node(step.node)
        var maintenanceWindow = maintenanceWindow
        if maintenanceWindow == nil, let monitor {
            try log.write(.openingMaintenance, node: node.name)
            do {
                maintenanceWindow = try await openMaintenanceWindow(node, plan, monitor)
            } catch {
                try log.write(.failed, node: node.name, text: "\(node.name) was not changed: \(error)")
                return .failed
            }
            try log.write(.maintenanceOpened, node: node.name, maintenanceWindow: maintenanceWindow)
        }
        let decision = try await awaitDecision(node, step, plan, log)
        try log.write(decision.outcome, node: node.name, text: decision.text.map { "\(node.name): \($0)" })
        try await endMaintenance(step, maintenanceWindow, log)
        return decision.outcome
    }

    func endMaintenance(_ step: DeployPlan.Step, _ maintenanceWindow: Int64?, _ log: DeployLog) async throws {
        guard let maintenanceWindow, let monitor else { return }
        try log.write(.closingMaintenance, node: step.node, maintenanceWindow: maintenanceWindow)
        // A failure is ignored: the window also ends by itself.
        _ = await attempt { try await monitor.closeMaintenanceWindow(maintenanceWindow) }
    }

    /// Finds the window that was opened before a crash, or opens a new one.
    private func openMaintenanceWindow(_ node: Node, _ plan: DeployPlan, _ monitor: any FleetMonitor) async throws
        -> Int64
    {
        let reason = "deploy \(plan.id): \(node.name)"
        let report = try await monitor.fleet()
        if let open = report.maintenanceWindows.first(where: { $0.reason == reason && $0.until > report.now }) {
            return open.id
        }
        // Long enough for the deploy, a rollback, and a restart of this program.
        let minutes = 2 * plan.options.window / 60 + 5
        return try await monitor.openMaintenanceWindow(nodes: [node.name], reason: reason, minutes: minutes).id
    }

    private func awaitDecision(
        _ node: Node, _ step: DeployPlan.Step, _ plan: DeployPlan, _ log: DeployLog
    ) async throws -> Decision {
        var rollout = Rollout()
        let end = clock.now.advanced(by: .seconds(2 * plan.options.window + 180))
        while true {
            if let decision = try await advance(node, step, plan, &rollout, log) { return decision }
            // Checked after the step: if this machine was suspended, one more step is made.
            guard clock.now < end else { break }
            try await clock.sleep(for: .seconds(1))
        }
        return (.failed, "its state is unknown: \(rollout.failure). Check it: clavitor-soc ssh \(node.name)")
    }

    /// Queries the node's state and performs the next step.
    private func advance(
        _ node: Node, _ step: DeployPlan.Step, _ plan: DeployPlan, _ rollout: inout Rollout, _ log: DeployLog
    ) async throws -> Decision? {
        let state: NodeState
        do {
            state = try NodeState(try await calls.ssh.perform(calls.state(node, plan)), from: node.name)
        } catch {
            rollout.failure = "\(error)"
            return nil
        }
        switch RolloutStep.next(state) {
        case .wait: return nil
        case .activate: return try await activate(node, step, plan, &rollout, log)
        case .checkHealth:
            if rollout.firstCheck == nil { try log.write(.checking, node: node.name) }
            let since = rollout.firstCheck ?? clock.now
            rollout.firstCheck = since
            if let failure = await checkHealth(node, step, plan, state, &rollout) {
                rollout.failure = failure
                let isTimedOut = since.duration(to: clock.now) >= .seconds(plan.options.healthTimeout)
                return isTimedOut ? try await abort(node, plan, state, failure, &rollout, log) : nil
            }
            return try await confirm(node, plan, &rollout, log)
        case .confirm: return try await confirm(node, plan, &rollout, log)
        case .abort(let reason): return try await abort(node, plan, state, reason, &rollout, log)
        case .kept: return (.kept, nil)
        case .rolledBack: return await verifyOldSystem(node, step, state, rollout)
        case .stuck(let why): return (.failed, why)
        }
    }

    private func activate(
        _ node: Node, _ step: DeployPlan.Step, _ plan: DeployPlan, _ rollout: inout Rollout, _ log: DeployLog
    ) async throws -> Decision? {
        guard rollout.activationAttempts < 3 else { return (.failed, "activation failed: \(rollout.failure)") }
        rollout.activationAttempts += 1
        try log.write(.activating, node: node.name)
        if let failure = await attempt({ _ = try await calls.ssh.perform(calls.begin(node, step, plan)) }) {
            rollout.failure = failure
        }
        return nil
    }

    /// Confirms the new system. The connection may end before the output, so the outcome is read from the node's state.
    private func confirm(_ node: Node, _ plan: DeployPlan, _ rollout: inout Rollout, _ log: DeployLog) async throws
        -> Decision?
    {
        guard rollout.confirmAttempts < 5 else {
            return (.failed, "it runs the new system, which could not be made the boot default: \(rollout.failure)")
        }
        if rollout.confirmAttempts == 0 { try log.write(.confirming, node: node.name) }
        rollout.confirmAttempts += 1
        if let failure = await attempt({ _ = try await calls.ssh.perform(calls.confirm(node, plan)) }) {
            rollout.failure = failure
        }
        return nil
    }

    /// Rolls the node back. A node with a full or broken disk rolls back too, but cannot record it.
    private func abort(
        _ node: Node, _ plan: DeployPlan, _ state: NodeState, _ reason: String, _ rollout: inout Rollout,
        _ log: DeployLog
    ) async throws -> Decision? {
        if rollout.reason == nil { try log.write(.aborting, node: node.name, text: reason) }
        rollout.reason = rollout.reason ?? reason
        let (first, last) = (rollout.firstAbort ?? clock.now, rollout.lastAbort)
        rollout.firstAbort = first
        guard first.duration(to: clock.now) < .seconds(plan.options.window) else {
            let now = state.current == state.previous ? "runs the old system again" : "runs \(state.current)"
            return (.failed, "it \(now), but could not record its rollback (\(reason)). Check its disk")
        }
        // The old system's activation may take a while.
        if let last, last.duration(to: clock.now) < .seconds(20) { return nil }
        if let failure = await attempt({ _ = try await calls.ssh.perform(calls.abort(node, plan)) }) {
            rollout.failure = failure
        } else {
            rollout.lastAbort = clock.now
        }
        return nil
    }

    /// - Returns: The first failed check; nil if the node is healthy.
    private func checkHealth(
        _ node: Node, _ step: DeployPlan.Step, _ plan: DeployPlan, _ state: NodeState, _ rollout: inout Rollout
    ) async -> String? {
        var report: FleetReport?
        if let monitor {
            do {
                report = try await monitor.fleet()
            } catch {
                return "\(error)"
            }
            rollout.heartbeatAfter = rollout.heartbeatAfter ?? report?.now
        }
        let check = ConfirmationCheck(
            version: plan.version, errorRatioBefore: step.errorRatio, heartbeatAfter: rollout.heartbeatAfter)
        return check.failure(state, await probe.health(of: node), report?.node(node.name))
    }

    private func verifyOldSystem(
        _ node: Node, _ step: DeployPlan.Step, _ state: NodeState, _ rollout: Rollout
    ) async -> Decision {
        let why = rollout.reason ?? rollout.failure
        guard state.current == step.previous else {
            return (.failed, "it was rolled back (\(why)), but runs \(state.current) and not \(step.previous)")
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
