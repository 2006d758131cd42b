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
    @OptionGroup var flake: FlakeOptions
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
        let context = try OperatorContext(options)
        try await context.connected(withoutMonitor: rollout.withoutMonitor) { probe, monitor in
            let performance = try DeployRunner(context, rollout, context.deployer(probe, monitor), monitor)
            guard !resume else { return try await performance.resume() }
            let nodes = try context.nodes(limit)
            try context.inventory.demandWhole(nodes)
            try await performance.perform(try await release(for: nodes, context), on: nodes, rollout.deployOptions)
        }
    }

    /// Built elsewhere, or here. Systems that were built elsewhere need not have the version of the binaries here.
    private func release(for nodes: [Node], _ context: OperatorContext) async throws -> Release {
        let builder = SystemBuilder(context.processes)
        guard systems == nil else {
            var release = try await builder.read(systems ?? "", for: nodes)
            release.version = expectVersion
            return release
        }
        let flake = try flake.checked(context.file)
        // Before the build, which takes an hour.
        let version = if let expectVersion { expectVersion } else { try await flake.version(context.processes) }
        var release = try await builder.build(nodes, flake)
        release.version = version
        return release
    }
}

/// The flake with the systems, and the binaries in them.
struct FlakeOptions: ParsableArguments {
    @Option(help: "The folder of the flake with the systems.") var flake = "nix"
    @Option(help: "The folder with the static binaries, which `make static` writes.") var dist = "dist"

    /// - Throws: `FlakeRefusal`; also when its inventory is another than that one.
    func checked(_ inventory: InventoryFile) throws -> Flake {
        let flake = try Flake(flake, dist: dist)
        try flake.check(inventory)
        return flake
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
