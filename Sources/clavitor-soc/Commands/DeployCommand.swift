import ArgumentParser
import Files
import Fleet
import FoundationEssentials

/// A rolling deploy.
struct DeployCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deploy",
        abstract: "Build systems and roll them out: canary first, then wave by wave, the hub last.",
        discussion: """
            A node that is not confirmed over a new connection goes back by itself. Ctrl-C finishes the nodes in hand; a \
            second one leaves, and the nodes' own timers clean up.
            """)

    @OptionGroup var options: OperatorOptions
    @OptionGroup var rollout: RolloutOptions
    @Option(help: "The flake with the systems.") var flake = "./nix"
    @Option(help: "The folder with the static binaries, for the flake's input `dist`.") var dist = "dist"
    @Option(help: "Systems that are built already: a JSON object of node and store path.") var systems: String?
    @Option(
        help: "The version that the new program must tell. (default: what DIST/clavitor-node says, without --systems)")
    var expectVersion: String?
    @Option(parsing: .upToNextOption, help: "Only these nodes.") var limit: [String] = []
    @Flag(help: "Go on with the last deploy of this machine that came to no end.") var resume = false

    func validate() throws {
        if resume, rollout.dryRun { throw ValidationError("--resume and --dry-run exclude each other.") }
    }

    func run() async throws {
        let workplace = try Workplace(options)
        try await workplace.connected(withoutMonitor: rollout.withoutMonitor) { probe, monitor in
            let performance = try DeployPerformance(workplace, rollout, workplace.deployer(probe, monitor), monitor)
            guard !resume else { return try await performance.resume() }
            let nodes = try workplace.nodes(limit)
            let builder = SystemBuilder(workplace.processes)
            // Before the build, which takes an hour.
            let version = try await expectedVersion(workplace.processes)
            var release: Release
            if let systems {
                release = try await builder.read(systems, for: nodes)
            } else {
                release = try await builder.build(nodes, flake: flake, dist: absolute(dist))
            }
            release.version = version
            try await performance.perform(release, on: nodes, rollout.deployOptions)
        }
    }

    private func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : "\(FileManager.default.currentDirectoryPath)/\(path)"
    }

    /// That the new program must tell.
    func expectedVersion(_ processes: any ChildProcesses) async throws -> String? {
        if let expectVersion { return expectVersion }
        // Systems that were built elsewhere need not be of the binaries here.
        guard systems == nil else { return nil }
        let program = "\(absolute(dist))/clavitor-node"
        let outcome = try? await processes.run(ChildProcess(program, ["--version"], deadline: .seconds(30)))
        guard let outcome, outcome.status == 0, let version = outcome.output.split(whereSeparator: \.isWhitespace).last
        else {
            throw DeployRefusal.noBuild(
                "\(program) does not tell its version. Make the binaries (make static), or name their folder: --dist")
        }
        return String(version)
    }
}

/// How to roll out, whatever it is.
struct RolloutOptions: ParsableArguments {
    @Flag(help: "Print what would run, and touch nothing.") var dryRun = false
    @Flag(help: "One JSON object per event.") var json = false
    @Option(help: "The node to begin with. (default: the healthy spoke with the fewest requests)") var canary: String?
    @Option(help: "Seconds between the canary and the others.") var soak = 60
    @Option(help: "Nodes that may be in hand at once; never two of a region.") var maxUnavailable = 4
    @Option(help: "Seconds after which a node goes back unless it was confirmed.") var rollbackAfter = 120
    @Flag(help: "Take the lock from whoever has it.") var breakLock = false
    @Flag(help: "Go ahead though nodes are ill or incidents are open.") var allowIll = false
    @Flag(help: "Without the monitor: no maintenance window, no heartbeat is waited for.") var withoutMonitor = false

    func validate() throws {
        guard (30...3_600).contains(rollbackAfter) else {
            throw ValidationError("--rollback-after is 30 to 3600 seconds.")
        }
        guard (0...86_400).contains(soak) else { throw ValidationError("--soak is 0 to 86400 seconds.") }
        guard (1...64).contains(maxUnavailable) else { throw ValidationError("--max-unavailable is 1 to 64.") }
    }

    var deployOptions: DeployOptions {
        var options = DeployOptions()
        options.canary = canary
        options.soak = soak
        options.mostAtOnce = maxUnavailable
        options.window = rollbackAfter
        // The last sixth is for confirming.
        options.patience = rollbackAfter * 5 / 6
        options.allowsIll = allowIll
        return options
    }
}
