/// What a node is and has, by its own word.
package struct NodeFacts: Equatable, Sendable {
    /// The path of the system that runs.
    package var current: String
    package var generation: Int
    /// The system of the generation before; nil when there is none.
    package var previous: String?
    /// Bytes.
    package var free: Int64
    /// Unix seconds.
    package var clock: Int64
    /// As `systemctl is-active` says it.
    package var unit: String

    package init(
        current: String, generation: Int = 1, previous: String? = nil, free: Int64, clock: Int64,
        unit: String = "active"
    ) {
        self.current = current
        self.generation = generation
        self.previous = previous
        self.free = free
        self.clock = clock
        self.unit = unit
    }

    /// Reads what `NodeScripts.facts` prints.
    ///
    /// - Parameters:
    ///   - text: All of it.
    ///   - node: For the error.
    /// - Throws: `SSHError.notUnderstood`.
    package init(_ text: String, from node: String) throws(SSHError) {
        let lines = NodeLines(text)
        guard let current = lines.text("current") else { throw .notUnderstood(node, "it runs no NixOS system") }
        guard let free = lines.number("free_kb"),
            let clock = lines.number("clock"), free < .max / 1_024
        else { throw .notUnderstood(node, "facts without free_kb and clock") }
        self.current = current
        generation = Int(lines.number("generation") ?? 0)
        previous = lines.text("previous")
        self.free = free * 1_024
        self.clock = clock
        unit = lines.text("unit") ?? "unknown"
    }
}
