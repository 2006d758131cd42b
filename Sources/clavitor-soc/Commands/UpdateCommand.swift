import ArgumentParser
import Fleet

/// The week's nixpkgs.
struct UpdateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "update", abstract: "Pin the newest nixpkgs of the flake's branch, and show what it changes.",
        discussion: """
            Writes flake.lock, without which nothing is built. Nodes get it with the next deploy, the canary first. Commit \
            the lock: it says what a node was built with.
            """)

    @OptionGroup var options: OperatorOptions
    @OptionGroup var flake: FlakeOptions
    @Flag(help: "Only write the lock; build nothing to compare.") var noBuild = false

    func run() async throws {
        let context = try OperatorContext(options)
        let flake = try flake.checked(context.file)
        let builder = SystemBuilder(context.processes)
        // Of one node: what a nixpkgs changes is the same for all.
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
