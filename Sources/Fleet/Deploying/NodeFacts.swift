/// What a node is and has, by its own word.
package struct NodeFacts: Equatable, Sendable {
    /// A deploy that is not decided.
    package struct Trial: Equatable, Sendable {
        package var deploy: String
        /// Seconds until the node goes back, unless somebody confirms.
        package var left: Int64
    }

    /// The path of the system that runs.
    package var current: String
    /// The system that the next boot begins with.
    package var profile: String
    package var generation: Int
    /// The system of the generation before; nil when there is none.
    package var previous: String?
    /// The deploy that made the present generation; nil when that was no deploy of this program.
    package var deploy: String?
    package var trial: Trial?
    /// It was confirmed, and could not be made what the next boot begins with.
    package var isUnkept: Bool
    /// Bytes.
    package var free: Int64
    /// Unix seconds.
    package var clock: Int64
    /// As `systemctl is-active` says it.
    package var unit: String
    /// Of the nixpkgs that its system was built with, as nix/systems.nix writes it; nil when there is none.
    package var revision: String?

    /// Whether the system that runs is the one that the next boot begins with, and nobody decides about another.
    package var isSettled: Bool { current == profile && trial == nil && !isUnkept }

    /// Years that a clock may be off and still be one: up to 36812.
    private static let clocks: ClosedRange<Int64> = 0...1 << 40

    /// Reads what `NodeScripts.facts` prints.
    ///
    /// - Parameters:
    ///   - text: All of it.
    ///   - node: For the error.
    /// - Throws: `SSHError.notUnderstood`.
    package init(_ text: String, from node: String) throws(SSHError) {
        let lines = NodeLines(text)
        guard let current = lines.text("current") else { throw .notUnderstood(node, "it runs no NixOS system") }
        guard let free = lines.number("free_kb"), (0..<(.max / 1_024)).contains(free),
            let clock = lines.number("clock"), Self.clocks.contains(clock)
        else { throw .notUnderstood(node, "facts without free_kb and clock") }
        self.current = current
        profile = lines.text("profile") ?? current
        generation = Int(clamping: lines.number("generation") ?? 0)
        // What runs and is not the boot default was kept by nobody.
        previous = profile == current ? lines.text("previous") : profile
        deploy = lines.text("deploy")
        isUnkept = lines.text("unkept") == "yes"
        trial = lines.text("open").map { Trial(deploy: $0, left: lines.number("left") ?? 0) }
        self.free = free * 1_024
        self.clock = clock
        unit = lines.text("unit") ?? "unknown"
        revision = lines.text("revision")
    }
}
