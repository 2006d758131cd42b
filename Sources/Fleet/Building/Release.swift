/// What to deploy: for each node a system that is built.
package struct Release: Codable, Equatable, Sendable {
    /// Store paths, by node.
    package var systems: [String: String]
    /// That the new program tells of itself, where it is known.
    package var version: String?
    /// Bytes of the closures, by node, where they are known.
    package var sizes: [String: Int64]
    /// Of the nixpkgs that the systems were built with; nil for systems that were built elsewhere.
    package var revision: String?

    package init(
        systems: [String: String], version: String? = nil, sizes: [String: Int64] = [:], revision: String? = nil
    ) {
        self.systems = systems
        self.version = version
        self.sizes = sizes
        self.revision = revision
    }
}

package struct DeployOptions: Codable, Equatable, Sendable {
    /// Nil for the healthy spoke with the least to do.
    package var canary: String?
    /// Seconds between the canary and the first wave.
    package var soak = 60
    /// Nodes that may be in hand at once.
    package var mostAtOnce = 4
    /// Seconds until a node goes back by itself.
    package var window = 120
    /// Seconds that a new system has to show that it is well. The rest of the window is for saying so.
    package var patience = 100
    /// Back to the generation before, which the node has: nothing is copied, and the generation that is left goes.
    package var isRollback = false
    /// Nodes that are ill already are deployed to all the same.
    package var allowsIll = false

    package init() {}
}
