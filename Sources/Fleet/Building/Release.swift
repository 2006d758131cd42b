/// The built systems to deploy.
package struct Release: Codable, Equatable, Sendable {
    /// Store paths, by node.
    package var systems: [String: String]
    /// The version that the new program reports, if known.
    package var version: String?
    /// Closure sizes in bytes, by node, if known.
    package var sizes: [String: Int64]
    /// The revision of nixpkgs; nil for systems that were built elsewhere.
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

/// The operator's options for a deploy, saved in its journal.
package struct DeployOptions: Codable, Equatable, Sendable {
    /// Nil for the healthy spoke with the fewest requests.
    package var canary: String?
    /// Seconds between the canary and the next wave.
    package var soak = 60
    /// Number of nodes that may be deployed concurrently.
    package var maximumUnavailable = 4
    /// Seconds until a node rolls back by itself.
    package var window = 120
    /// Seconds until the new system must be healthy. The rest of the window is for the confirmation.
    package var healthTimeout = 100
    /// Returns to the previous generation, which the node has: nothing is copied, and the present generation is deleted.
    package var isRollback = false
    /// Deploys although nodes are unhealthy or incidents are open.
    package var allowsUnhealthy = false

    private enum CodingKeys: String, CodingKey {
        case canary, soak, window, isRollback
        case maximumUnavailable = "mostAtOnce"
        case healthTimeout = "patience"
        case allowsUnhealthy = "allowsIll"
    }

    package init() {}
}
