/// Performs a deploy plan. The next step for a node follows from the node's own state, and each step is in the journal
/// first, so that resuming after a crash leads to the same result.
package struct Deployer<C: Clock>: Sendable where C.Duration == Duration {
    package let inventory: Inventory
    package let calls: DeployCommands
    let processes: any ChildProcesses
    /// Nil without a monitor.
    let monitor: (any FleetMonitor)?
    let probe: any NodeProbe
    let author: DeployAuthor
    let clock: C
    /// Unix seconds.
    let now: @Sendable () -> Int64

    /// Makes a deployer.
    ///
    /// - Parameters:
    ///   - inventory: The fleet.
    ///   - calls: The command lines.
    ///   - processes: Runs programs on this machine.
    ///   - monitor: Nil to deploy without a monitor.
    ///   - probe: Probes nodes from outside.
    ///   - author: For the lock and the history.
    ///   - clock: For waiting.
    ///   - now: Unix seconds.
    package init(
        _ inventory: Inventory, _ calls: DeployCommands, _ processes: any ChildProcesses, monitor: (any FleetMonitor)?,
        probe: any NodeProbe, author: DeployAuthor, clock: C, now: @escaping @Sendable () -> Int64
    ) {
        self.inventory = inventory
        self.calls = calls
        self.processes = processes
        self.monitor = monitor
        self.probe = probe
        self.author = author
        self.clock = clock
        self.now = now
    }

    /// Performs or resumes a deploy.
    ///
    /// - Parameters:
    ///   - plan: The plan.
    ///   - progress: The progress before a crash.
    ///   - isTakingOver: Whether to break another deploy's lock.
    ///   - log: Records the events.
    ///   - isStopping: Whether the operator requested to stop before the next wave.
    /// - Returns: The result.
    /// - Throws: `DeployPreconditionError` if another deploy has the lock, and errors of the journal. No later step is
    ///   performed then.
    package func run(
        _ plan: DeployPlan, after progress: DeployProgress = .init(), isTakingOver: Bool = false, _ log: DeployLog,
        isStopping: @escaping @Sendable () -> Bool = { false }
    ) async throws -> DeployResult {
        if !progress.started.isEmpty, progress.result == nil, !isTakingOver, let taken = try await lostLock(plan) {
            // Another operator may have rolled back what this would continue.
            try log.write(.ended, text: taken, result: .failed)
            throw DeployPreconditionError.takenOver(taken)
        }
        try log.write(.locking)
        do {
            try await lock(plan, isTakingOver: isTakingOver)
        } catch let error as DeployPreconditionError {
            // A deploy that never started cannot be resumed.
            if progress.plan == nil { try log.write(.ended, text: "another deploy has the lock", result: .failed) }
            throw error
        }
        let result: DeployResult
        if let known = progress.result {
            result = known
        } else {
            result = try await rollOut(plan, progress, log, isStopping)
        }
        try log.write(.recording, result: result)
        let recorded = await attempt { try await record(plan, result, log) }
        try log.write(.unlocking, text: recorded)
        let unlocked = await attempt { try await unlock(plan) }
        try log.write(.ended, text: unlocked.map { "the lock was not released: \($0)" }, result: result)
        return result
    }

    /// The output of `--dry-run`: every command line, and the scripts sent over standard input.
    package func lines(_ plan: DeployPlan) throws -> [String] {
        guard !plan.waves.isEmpty else { return [] }
        return try calls.lines(plan, inventory) + calls.planScripts.flatMap { ["", "# \($0.name)", $0.text] }
    }

    private func rollOut(
        _ plan: DeployPlan, _ progress: DeployProgress, _ log: DeployLog, _ isStopping: @Sendable () -> Bool
    ) async throws -> DeployResult {
        guard !plan.waves.isEmpty else { return .noChange }
        if let failed = progress.failure { return try await finishStarted(plan, progress, failed, log) }
        if !(try await copyAll(plan, progress, log)) { return .failed }
        for (index, wave) in plan.waves.enumerated() {
            for step in wave where progress.outcomes[step.node] == .kept {
                try await endMaintenance(step, progress.maintenanceWindows[step.node], log)
            }
            let remaining = wave.filter { progress.outcomes[$0.node] == nil }
            guard !remaining.isEmpty else { continue }
            if index == 1, let problem = try await soak(plan, log, isStopping) {
                try log.write(.stopping, text: problem)
                return .failed
            }
            if let taken = try await lostLock(plan) {
                try log.write(.stopping, text: "before wave \(index + 1) of \(plan.waves.count): \(taken)")
                return .failed
            }
            guard !isStopping() else {
                try log.write(.stopping, text: "before wave \(index + 1) of \(plan.waves.count)")
                return .stopped
            }
            try log.write(.wave, text: "\(index + 1) of \(plan.waves.count)")
            if let failure = try await roll(remaining, plan, progress, log) { return failure }
        }
        // A failure is ignored: `rollback --all` would then leave these nodes out, and report that.
        for step in plan.joining ?? [] {
            _ = await attempt {
                _ = try await calls.ssh.perform(
                    RemoteCall(try inventory.node(step.node), calls.scripts.join, [plan.id, step.target]))
            }
        }
        return .done
    }

    /// After a crash in a wave with a failure: finishes the started nodes, and starts no others.
    private func finishStarted(
        _ plan: DeployPlan, _ progress: DeployProgress, _ failed: DeployResult, _ log: DeployLog
    ) async throws -> DeployResult {
        for step in plan.steps where progress.outcomes[step.node] != nil {
            try await endMaintenance(step, progress.maintenanceWindows[step.node], log)
        }
        let started = plan.steps.filter { progress.started.contains($0.node) && progress.outcomes[$0.node] == nil }
        return try await roll(started, plan, progress, log) == .failed ? .failed : failed
    }

    /// Rolls out all nodes of a wave concurrently. Started nodes are finished even if others fail.
    private func roll(
        _ wave: [DeployPlan.Step], _ plan: DeployPlan, _ progress: DeployProgress, _ log: DeployLog
    ) async throws -> DeployResult? {
        try await withThrowingTaskGroup(of: DeployEvent.Kind.self) { group in
            for step in wave {
                group.addTask {
                    try await roll(step, plan, maintenanceWindow: progress.maintenanceWindows[step.node], log)
                }
            }
            var worst: DeployResult?
            for try await outcome in group {
                if outcome == .failed { worst = .failed }
                if outcome == .rolledBack, worst == nil { worst = .rolledBack }
            }
            return worst
        }
    }

    /// Waits after the first wave in one-second steps, so that ctrl-C takes effect, and then checks the wave's health.
    ///
    /// - Returns: The first problem; nil if the wave is healthy.
    private func soak(
        _ plan: DeployPlan, _ log: DeployLog, _ isStopping: @Sendable () -> Bool
    ) async throws -> String? {
        guard plan.options.soak > 0, !isStopping() else { return nil }
        try log.write(.soaking, text: "\(plan.options.soak) s")
        for _ in 0..<plan.options.soak where !isStopping() { try await clock.sleep(for: .seconds(1)) }
        for step in plan.waves[0] {
            // Retried, because a single lost packet is not a problem.
            var problem = await healthProblem(try inventory.node(step.node), plan)
            for _ in 0..<3 where problem != nil {
                try await clock.sleep(for: .seconds(5))
                problem = await healthProblem(try inventory.node(step.node), plan)
            }
            if let problem {
                return
                    "\(step.node) is unhealthy after the soak time: \(problem). To roll back: clavitor-soc rollback \(step.node)"
            }
        }
        return nil
    }

    private func healthProblem(_ node: Node, _ plan: DeployPlan) async -> String? {
        do {
            let state = try NodeState(try await calls.ssh.perform(calls.state(node, plan)), from: node.name)
            if case .stuck(let why) = RolloutStep.next(state) { return why }
            if let monitor, !plan.options.allowsUnhealthy {
                let open = try await monitor.fleet().incidents.first { $0.node == node.name && $0.inhibitedBy == nil }
                if let open { return "open incident: \(open.title) (\(open.severity))" }
            }
        } catch {
            return "\(error)"
        }
        switch await probe.health(of: node) {
        case .ready: return nil
        case .notReady(let why): return why
        }
    }

    /// Performs an action and returns its error as text; nil for success. For steps whose failure must not prevent the next.
    func attempt(_ action: () async throws -> Void) async -> String? {
        do {
            try await action()
            return nil
        } catch {
            return "\(error)"
        }
    }
}

extension DeployProgress {
    /// The result of a deploy in which a node failed; nil if none did.
    var failure: DeployResult? {
        if outcomes.values.contains(.failed) { return .failed }
        return outcomes.values.contains(.rolledBack) ? .rolledBack : nil
    }
}
