/// The plan of a deploy, as a value: which nodes get which system, in which order.
package struct DeployPlan: Codable, Equatable, Sendable {
    package struct Step: Codable, Equatable, Sendable {
        package var node: String
        package var target: String
        /// The running system.
        package var previous: String
        /// The ratio of failed responses in the last hour before the deploy; nil without a monitor.
        package var errorRatio: Double?

        package init(node: String, target: String, previous: String, errorRatio: Double? = nil) {
            self.node = node
            self.target = target
            self.previous = previous
            self.errorRatio = errorRatio
        }
    }

    package var id: String
    package var version: String?
    /// The revision of nixpkgs; nil when the systems were built elsewhere.
    package var revision: String?
    package var options: DeployOptions
    /// Performed in order; the nodes of a wave concurrently. The first wave is the canary if there are several.
    package var waves: [[Step]]
    /// Nodes that already run their system and boot it.
    package var unchanged: [String]
    /// The same nodes with their systems.
    package var joining: [Step]?

    package var steps: [Step] { waves.flatMap(\.self) }

    /// A node to deploy to, with its present state.
    package struct Candidate: Equatable, Sendable {
        package var node: Node
        package var current: String
        /// Requests of the last hour.
        package var load: Int?
        package var errorRatio: Double?
        package var isHealthy: Bool
        /// The running system is also the boot default.
        package var isSettled: Bool

        package init(
            _ node: Node, current: String, load: Int? = nil, errorRatio: Double? = nil, isHealthy: Bool = true,
            isSettled: Bool = true
        ) {
            self.node = node
            self.current = current
            self.load = load
            self.errorRatio = errorRatio
            self.isHealthy = isHealthy
            self.isSettled = isSettled
        }
    }

    /// Plans a deploy: the canary, then waves with at most one node per region, the hub alone and last.
    ///
    /// - Parameters:
    ///   - id: Identifies the deploy on the nodes.
    ///   - candidates: All selected nodes.
    ///   - release: Must have a system for each of them.
    ///   - options: The operator's options.
    /// - Throws: `DeployPreconditionError`.
    package init(id: String, _ candidates: [Candidate], _ release: Release, _ options: DeployOptions)
        throws(DeployPreconditionError)
    {
        self.id = id
        self.options = options
        (version, revision) = (release.version, release.revision)
        var changed: [Candidate] = []
        var joining: [Step] = []
        for candidate in candidates {
            guard let target = release.systems[candidate.node.name] else { throw .noSystem(candidate.node.name) }
            if target == candidate.current, candidate.isSettled {
                joining.append(Step(node: candidate.node.name, target: target, previous: target))
            } else {
                changed.append(candidate)
            }
        }
        self.joining = joining
        unchanged = joining.map(\.node)
        let hubs = changed.filter { $0.node.role == .hub }
        var spokes = changed.filter { $0.node.role == .spoke }
        var ordered: [[Candidate]] = []
        if let canary = try Self.canary(of: spokes, among: candidates, options) {
            ordered.append([canary])
            spokes.removeAll { $0.node.name == canary.node.name }
        }
        ordered += Self.byRegion(spokes, limit: max(1, options.maximumUnavailable)) + hubs.map { [$0] }
        waves = ordered.map { wave in
            wave.map {
                Step(
                    node: $0.node.name, target: release.systems[$0.node.name] ?? "", previous: $0.current,
                    errorRatio: $0.errorRatio)
            }
        }
    }

    private static func canary(
        of spokes: [Candidate], among all: [Candidate], _ options: DeployOptions
    ) throws(DeployPreconditionError) -> Candidate? {
        if let name = options.canary {
            guard let asked = all.first(where: { $0.node.name == name }) else { throw .noSuchCanary(name) }
            guard asked.node.role == .spoke else { throw .hubAsCanary(name) }
            // A canary that already runs its system needs no wave.
            return spokes.first { $0.node.name == name }
        }
        return spokes.filter(\.isHealthy).min { ($0.load ?? .max, $0.node.name) < ($1.load ?? .max, $1.node.name) }
            ?? spokes.first
    }

    /// Takes regions with the most remaining nodes first, because they determine the number of waves.
    private static func byRegion(_ candidates: [Candidate], limit: Int) -> [[Candidate]] {
        var left = Dictionary(grouping: candidates, by: \.node.region)
        var waves: [[Candidate]] = []
        while !left.isEmpty {
            let regions = left.keys.sorted { a, b in
                let (countA, countB) = (left[a]?.count ?? 0, left[b]?.count ?? 0)
                return countA == countB ? a < b : countA > countB
            }
            var wave: [Candidate] = []
            for region in regions.prefix(limit) {
                guard let next = left[region]?.first else { continue }
                wave.append(next)
                left[region]?.removeFirst()
                if left[region]?.isEmpty == true { left[region] = nil }
            }
            waves.append(wave)
        }
        return waves
    }
}

/// Why a deploy does not start. No node was changed.
package enum DeployPreconditionError: Error, Equatable, CustomStringConvertible, Sendable {
    case noSystem(String)
    case noSuchCanary(String)
    case hubAsCanary(String)
    case notReady([String])
    case locked(by: String)
    case takenOver(String)
    case nothingToResume(String)

    package var description: String {
        switch self {
        case .noSystem(let node): "There is no system for \(node)."
        case .noSuchCanary(let name): "The canary must be one of the nodes of this deploy, which \(name) is not."
        case .hubAsCanary(let name): "The canary must be a spoke; \(name) is the hub, which is deployed last."
        case .notReady(let problems):
            "No node was changed, because:\n" + problems.map { "  \($0)" }.joined(separator: "\n")
        case .locked(let owner):
            "Another deploy is under way: \(owner). If its program has crashed, take the lock over with --break-lock, or "
                + "continue the deploy with --resume on the machine where it was started."
        case .takenOver(let how):
            "This deploy cannot be resumed: \(how). Check the nodes (status, history), and start a new deploy."
        case .nothingToResume(let why): why
        }
    }
}
