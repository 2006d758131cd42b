import ArgumentParser
import Fleet

/// Updates nixpkgs.
struct UpdateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "update", abstract: "Pin the newest nixpkgs of the flake's branch, and print what changes.",
        discussion: """
            Writes flake.lock, which builds require. Nodes are updated by the next deploy, the canary first. Commit the lock \
            file: it records what a node was built from.
            """)

    @OptionGroup var options: OperatorOptions
    @OptionGroup var flake: FlakeOptions
    @Flag(help: "Only write the lock file; do not build a system to compare.") var noBuild = false

    func run() async throws {
        let context = try OperatorContext(options)
        let flake = try flake.checked(context.file)
        let builder = SystemBuilder(context.processes)
        // One node is enough: the changes are the same for all.
        let sample = (context.inventory.spokes.first ?? context.inventory.hub).map { [$0] } ?? []
        let old = noBuild ? nil : try? await builder.build(sample, flake).systems.values.first
        let (before, now) = try await FlakeUpdate(flake, context.processes).run()
        guard before != now else { return Terminal.line("nixpkgs stays at \(now.summary)") }
        Terminal.line("nixpkgs \(before.map { "from \($0.summary) to " } ?? "pinned at ")\(now.summary)")
        if !noBuild, let new = try await builder.build(sample, flake).systems.values.first, let old {
            for line in await builder.difference(old, new) { Terminal.line(line) }
        }
        Terminal.note("The nodes get it with the next deploy: clavitor-soc deploy")
    }
}
