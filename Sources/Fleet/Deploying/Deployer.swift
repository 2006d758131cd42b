/// Performs a plan. What it does to a node follows from what the node says, and what it is about to do is in the journal
/// first: whoever goes on after a crash comes to the same end.
package struct Deployer<C: Clock>: Sendable where C.Duration == Duration {
    package let inventory: Inventory
    let calls: DeployCalls
    let processes: any ChildProcesses
    /// Nil when the operator goes without it.
    let monitor: (any FleetMonitor)?
    let probe: any NodeProbe
    let author: DeployAuthor
    let clock: C
    /// Unix seconds.
    let now: @Sendable () -> Int64

    /// Takes everything that it needs.
    ///
    /// - Parameters:
    ///   - inventory: The fleet.
    ///   - calls: The command lines.
    ///   - processes: Runs what runs on this machine.
    ///   - monitor: Nil when the operator goes without it.
    ///   - probe: Looks at nodes from outside.
    ///   - author: For the lock and the history.
    ///   - clock: For waiting.
    ///   - now: Unix seconds.
    package init(
        _ inventory: Inventory, _ calls: DeployCalls, _ processes: any ChildProcesses, monitor: (any FleetMonitor)?,
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

    /// Deploys, or goes on with it.
    ///
    /// - Parameters:
    ///   - plan: What to do.
    ///   - progress: What was done before a crash.
    ///   - isTakingOver: Another's lock is broken.
    ///   - log: Where events go.
    ///   - isStopping: Whether the operator wants no further wave.
    /// - Returns: How it ended.
    /// - Throws: `DeployRefusal` when somebody else deploys, and what the journal throws. Both leave the rest as it is.
    package func run(
        _ plan: DeployPlan, after progress: DeployProgress = .init(), isTakingOver: Bool = false, _ log: DeployLog,
        isStopping: @escaping @Sendable () -> Bool = { false }
    ) async throws -> DeployResult {
        if !progress.begun.isEmpty, progress.result == nil, !isTakingOver, let taken = try await lostLock(plan) {
            // A colleague may have taken back what this would go on with.
            try log.write(.ended, text: taken, result: .failed)
            throw DeployRefusal.takenOver(taken)
        }
        try log.write(.locking)
        do {
            try await lock(plan, isTakingOver: isTakingOver)
        } catch let refusal as DeployRefusal {
            // What was not begun is nothing to go on with later.
            if progress.plan == nil { try log.write(.ended, text: "somebody else deploys", result: .failed) }
            throw refusal
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
        try log.write(.ended, text: unlocked.map { "the lock is still there: \($0)" }, result: result)
        return result
    }

    /// What `--dry-run` prints: every command line, and what goes to the nodes over standard input.
    package func lines(_ plan: DeployPlan) throws -> [String] {
        guard !plan.waves.isEmpty else { return [] }
        return try calls.lines(plan, inventory) + calls.sent.flatMap { ["", "# \($0.name)", $0.text] }
    }

    private func rollOut(
        _ plan: DeployPlan, _ progress: DeployProgress, _ log: DeployLog, _ isStopping: @Sendable () -> Bool
    ) async throws -> DeployResult {
        guard !plan.waves.isEmpty else { return .noChange }
        if let failed = progress.failure { return try await settle(plan, progress, failed, log) }
        if !(try await copyAll(plan, progress, log)) { return .failed }
        for (index, wave) in plan.waves.enumerated() {
            for step in wave where progress.outcomes[step.node] == .kept {
                try await release(step, plan, progress.leases[step.node], log)
            }
            let open = wave.filter { progress.outcomes[$0.node] == nil }
            guard !open.isEmpty else { continue }
            if index == 1, let ill = try await soak(plan, log, isStopping) {
                try log.write(.stopping, text: ill)
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
            if let failure = try await roll(open, plan, progress, log) { return failure }
        }
        // Without it they would only be passed over by a rollback of all, which says so.
        for step in plan.joining ?? [] {
            _ = await attempt {
                _ = try await calls.ssh.perform(
                    NodeCall(try inventory.node(step.node), calls.scripts.join, [plan.id, step.target]))
            }
        }
        return .done
    }

    /// After a crash in a wave that had a failure: what was in hand comes to its end, and nothing else is begun.
    private func settle(
        _ plan: DeployPlan, _ progress: DeployProgress, _ failed: DeployResult, _ log: DeployLog
    ) async throws -> DeployResult {
        for step in plan.steps where progress.outcomes[step.node] != nil {
            try await release(step, plan, progress.leases[step.node], log)
        }
        let inHand = plan.steps.filter { progress.begun.contains($0.node) && progress.outcomes[$0.node] == nil }
        return try await roll(inHand, plan, progress, log) == .failed ? .failed : failed
    }

    /// All nodes of a wave at once. Those that are in hand come to an end, whatever happens to the others.
    private func roll(
        _ wave: [DeployPlan.Step], _ plan: DeployPlan, _ progress: DeployProgress, _ log: DeployLog
    ) async throws -> DeployResult? {
        try await withThrowingTaskGroup(of: DeployEvent.Kind.self) { group in
            for step in wave {
                group.addTask { try await roll(step, plan, lease: progress.leases[step.node], log) }
            }
            var worst: DeployResult?
            for try await outcome in group {
                if outcome == .failed { worst = .failed }
                if outcome == .rolledBack, worst == nil { worst = .rolledBack }
            }
            return worst
        }
    }

    /// In pieces, so that ctrl-C is heard. Meanwhile a colleague may have taken the first wave back.
    ///
    /// - Returns: What became of the first wave; nil when all is well.
    private func soak(
        _ plan: DeployPlan, _ log: DeployLog, _ isStopping: @Sendable () -> Bool
    ) async throws -> String? {
        guard plan.options.soak > 0, !isStopping() else { return nil }
        try log.write(.soaking, text: "\(plan.options.soak) s")
        for _ in 0..<plan.options.soak where !isStopping() { try await clock.sleep(for: .seconds(1)) }
        for step in plan.waves[0] {
            // One packet that is lost is no illness.
            var ill = await illness(try inventory.node(step.node), plan)
            for _ in 0..<3 where ill != nil {
                try await clock.sleep(for: .seconds(5))
                ill = await illness(try inventory.node(step.node), plan)
            }
            if let ill {
                return
                    "\(step.node) is not well after it was watched: \(ill). To go back: clavitor-soc rollback \(step.node)"
            }
        }
        return nil
    }

    private func illness(_ node: Node, _ plan: DeployPlan) async -> String? {
        do {
            let state = try NodeState(try await calls.ssh.perform(calls.state(node, plan)), from: node.name)
            if case .stuck(let why) = RolloutStep.next(state) { return why }
            if let monitor, !plan.options.allowsIll {
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

    /// What went wrong, in words; nil when nothing did. For steps that must not keep the next from being done.
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
    /// How a deploy that stopped at a node ended.
    var failure: DeployResult? {
        if outcomes.values.contains(.failed) { return .failed }
        return outcomes.values.contains(.rolledBack) ? .rolledBack : nil
    }
}
