/// Facts about a node, as reported by the node.
package struct NodeFacts: Equatable, Sendable {
    /// A deploy that is neither confirmed nor rolled back.
    package struct Trial: Equatable, Sendable {
        package var deploy: String
        /// Seconds until the node rolls back unless the deploy is confirmed.
        package var left: Int64
    }

    /// The path of the running system.
    package var current: String
    /// The boot default.
    package var profile: String
    package var generation: Int
    /// The system of the previous generation; nil if there is none.
    package var previous: String?
    /// The deploy that made the present generation; nil if it was not made by this program.
    package var deploy: String?
    package var trial: Trial?
    /// It was confirmed, but could not be made the boot default.
    package var isUnkept: Bool
    /// Bytes.
    package var free: Int64
    /// Unix seconds.
    package var clock: Int64
    /// The output of `systemctl is-active`.
    package var unit: String
    /// The revision of nixpkgs of its system, as nix/systems.nix writes it; nil if there is none.
    package var revision: String?

    /// Whether the running system is the boot default, and no deploy is undecided.
    package var isSettled: Bool { current == profile && trial == nil && !isUnkept }

    /// Accepted clock values, up to the year 36812.
    private static let validClocks: ClosedRange<Int64> = 0...1 << 40

    /// Parses the output of `DeployScripts.facts`.
    ///
    /// - Parameters:
    ///   - text: The output.
    ///   - node: For the error.
    /// - Throws: `SSHError.invalidOutput`.
    package init(_ text: String, from node: String) throws(SSHError) {
        let lines = KeyValueLines(text)
        guard let current = lines.text("current") else { throw .invalidOutput(node, "it does not run a NixOS system") }
        guard let free = lines.number("free_kb"), (0..<(.max / 1_024)).contains(free),
            let clock = lines.number("clock"), Self.validClocks.contains(clock)
        else { throw .invalidOutput(node, "facts without free_kb and clock") }
        self.current = current
        profile = lines.text("profile") ?? current
        generation = Int(clamping: lines.number("generation") ?? 0)
        // A running system that is not the boot default was never confirmed.
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
