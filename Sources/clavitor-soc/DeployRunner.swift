import ArgumentParser
import Files
import Fleet
import FoundationEssentials

/// Runs a deploy from a release to an exit code: preflight, plan, journal, display.
struct DeployRunner {
    private let context: OperatorContext
    private let rollout: RolloutOptions
    private let deployer: Deployer<ContinuousClock>
    private let journals: String

    init(
        _ context: OperatorContext, _ rollout: RolloutOptions, _ deployer: Deployer<ContinuousClock>,
        _ monitor: (any FleetMonitor)?
    ) throws {
        guard monitor != nil || rollout.withoutMonitor else {
            throw DeployPreconditionError.notReady([
                "\(context.state)/soc.toml names no monitor-token-file; without the monitor: --without-monitor"
            ])
        }
        self.context = context
        self.rollout = rollout
        self.deployer = deployer
        journals = "\(context.state)/deploys"
        try File.makeDirectory(journals)
        // Two programs that resume the same deploy would both have the hub's lock.
        if rollout.dryRun { return }
        guard try File.tryLock("\(journals)/lock") else {
            throw DeployPreconditionError.locked(by: "another clavitor-soc on this machine")
        }
    }

    func perform(_ release: Release, on nodes: [Node], _ options: DeployOptions) async throws {
        let found = await deployer.preflight(nodes, release, options)
        guard found.problems.isEmpty else { throw DeployPreconditionError.notReady(found.problems) }
        let plan = try DeployPlan(id: Self.id(), found.candidates, release, options)
        if rollout.dryRun { return try describe(plan) }
        if plan.waves.isEmpty { return reportNoChange(plan) }
        let log = DeployLog(
            try JournalFile("\(journals)/\(plan.id).jsonl"), now: OperatorContext.now, show: display(plan).show)
        try log.write(plan)
        try await run(plan, DeployProgress(), log)
    }

    func resume() async throws {
        let unfinished = try JournalFile.latestUnfinished(in: journals)
        let progress = DeployProgress(unfinished?.events ?? [])
        guard let unfinished, let plan = progress.plan else {
            throw DeployPreconditionError.nothingToResume("Every deploy that was started on this machine has ended.")
        }
        let log = DeployLog(
            try JournalFile(unfinished.path, after: unfinished.events), after: progress, now: OperatorContext.now,
            show: display(plan).show)
        try await run(plan, progress, log)
    }

    private func run(_ plan: DeployPlan, _ progress: DeployProgress, _ log: DeployLog) async throws {
        Interrupts.begin()
        let result = try await deployer.run(
            plan, after: progress, isTakingOver: rollout.breakLock, log, isStopping: { Interrupts.isStopping })
        switch result {
        case .done, .noChange: return
        case .rolledBack, .failed, .stopped: throw ExitCode(1)
        }
    }

    private func display(_ plan: DeployPlan) -> DeployDisplay {
        DeployDisplay(form: rollout.json ? .json : Terminal.isInteractive ? .terminal : .lines)
    }

    private func describe(_ plan: DeployPlan) throws {
        if rollout.json { return try Terminal.json(plan) }
        Terminal.line(
            "# version \(plan.version ?? "unknown"), nixpkgs \(plan.revision.map { String($0.prefix(12)) } ?? "unknown")"
        )
        for step in plan.steps { Terminal.line("# \(step.node)  from \(step.previous)  to \(step.target)") }
        if !plan.unchanged.isEmpty { Terminal.line("# no change: \(plan.unchanged.joined(separator: ", "))") }
        for line in try deployer.lines(plan) { Terminal.line(line) }
    }

    private func reportNoChange(_ plan: DeployPlan) {
        if rollout.json {
            try? Terminal.json(DeployEvent(.ended, at: OperatorContext.now(), result: .noChange), pretty: false)
        } else {
            Terminal.line("no change: \(plan.unchanged.count) nodes run it already")
        }
    }

    /// A new id that sorts by time and is a valid name of files and units.
    private static func id() -> String {
        let time = Date().formatted(.iso8601).filter { $0.isLetter || $0.isNumber }
        let random = String(UInt32.random(in: 0...0xffff) | 0x10000, radix: 16).dropFirst()
        return "\(time)-\(random)"
    }
}
