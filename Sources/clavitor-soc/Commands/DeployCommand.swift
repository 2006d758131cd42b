import ArgumentParser
import Files
import Fleet
import FoundationEssentials

/// Performs a rolling deploy.
struct DeployCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deploy",
        abstract: "Build systems and roll them out: canary first, then wave by wave, the hub last.",
        discussion: """
            A node that is not confirmed over a new connection rolls back by itself. Ctrl-C stops after the started nodes; a \
            second one exits, and the nodes' own timers decide.
            """)

    @OptionGroup var options: OperatorOptions
    @OptionGroup var rollout: RolloutOptions
    @OptionGroup var flake: FlakeOptions
    @Option(help: "File with prebuilt systems: a JSON object of node and store path.") var systems: String?
    @Option(
        help: "Version that the new program must report. (default: that of DIST/clavitor-node, without --systems)")
    var expectVersion: String?
    @Option(parsing: .upToNextOption, help: "Nodes. (default: all)") var limit: [String] = []
    @Flag(help: "Resume the last unfinished deploy of this machine.") var resume = false

    func validate() throws {
        if resume, rollout.dryRun { throw ValidationError("--resume and --dry-run cannot be combined.") }
    }

    func run() async throws {
        let context = try OperatorContext(options)
        try await context.connected(withoutMonitor: rollout.withoutMonitor) { probe, monitor in
            let runner = try DeployRunner(context, rollout, context.deployer(probe, monitor), monitor)
            guard !resume else { return try await runner.resume() }
            let nodes = try context.nodes(limit)
            try context.inventory.requireComplete(nodes)
            try await runner.perform(try await release(for: nodes, context), on: nodes, rollout.deployOptions)
        }
    }

    /// Reads prebuilt systems, or builds them. Prebuilt systems may have another version than the local binaries.
    private func release(for nodes: [Node], _ context: OperatorContext) async throws -> Release {
        let builder = SystemBuilder(context.processes)
        guard systems == nil else {
            var release = try await builder.read(systems ?? "", for: nodes)
            release.version = expectVersion
            return release
        }
        let flake = try flake.checked(context.file)
        // Checked before the build, which may take an hour.
        let version = if let expectVersion { expectVersion } else { try await flake.version(context.processes) }
        var release = try await builder.build(nodes, flake)
        release.version = version
        return release
    }
}

/// The flake with the systems, and the binaries in them.
struct FlakeOptions: ParsableArguments {
    @Option(help: "Directory of the flake with the systems.") var flake = "nix"
    @Option(help: "Directory with the static binaries, as built by `make static`.") var dist = "dist"

    /// - Throws: `FlakePreconditionError`; also if the flake has another inventory.
    func checked(_ inventory: InventoryFile) throws -> Flake {
        let flake = try Flake(flake, dist: dist)
        try flake.check(inventory)
        return flake
    }
}

/// Options of deploy and rollback.
struct RolloutOptions: ParsableArguments {
    @Flag(help: "Print the commands without running them.") var dryRun = false
    @Flag(help: "Print one JSON object per event.") var json = false
    @Option(help: "Canary node. (default: the healthy spoke with the fewest requests)") var canary: String?
    @Option(help: "Seconds between the canary and the next wave.") var soak = 60
    @Option(help: "Maximum number of concurrent nodes; never two of a region.") var maxUnavailable = 4
    @Option(help: "Seconds after which an unconfirmed node rolls back.") var rollbackAfter = 120
    @Flag(help: "Break another deploy's lock.") var breakLock = false
    @Flag(help: "Continue although nodes are unhealthy or incidents are open.") var allowUnhealthy = false
    @Flag(help: "Run without the monitor: no maintenance window, no heartbeat check.") var withoutMonitor = false

    func validate() throws {
        guard (30...3_600).contains(rollbackAfter) else {
            throw ValidationError("--rollback-after must be 30 to 3600 seconds.")
        }
        guard (0...86_400).contains(soak) else { throw ValidationError("--soak must be 0 to 86400 seconds.") }
        guard (1...64).contains(maxUnavailable) else { throw ValidationError("--max-unavailable must be 1 to 64.") }
    }

    var deployOptions: DeployOptions {
        var options = DeployOptions()
        options.canary = canary
        options.soak = soak
        options.maximumUnavailable = maxUnavailable
        options.window = rollbackAfter
        // The last sixth is reserved for the confirmation.
        options.healthTimeout = rollbackAfter * 5 / 6
        options.allowsUnhealthy = allowUnhealthy
        return options
    }
}
