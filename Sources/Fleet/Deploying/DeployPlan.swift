/// What a deploy will do, as a value: who, what, and in which order.
package struct DeployPlan: Codable, Equatable, Sendable {
    package struct Step: Codable, Equatable, Sendable {
        package var node: String
        package var target: String
        /// What runs now.
        package var previous: String
        /// Of the last hour's answers before; nil when nobody asked.
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
    /// Of nixpkgs; nil when the systems were built elsewhere.
    package var revision: String?
    package var options: DeployOptions
    /// One after the other; within a wave all at once. The first is the canary's when there is more than one.
    package var waves: [[Step]]
    /// These run it already, and begin with it when they boot.
    package var unchanged: [String]
    /// The same with their systems.
    package var joining: [Step]?

    package var steps: [Step] { waves.flatMap(\.self) }

    /// Who may be deployed to, with what is known of each.
    package struct Candidate: Equatable, Sendable {
        package var node: Node
        package var current: String
        /// Requests of the last hour.
        package var load: Int?
        package var errorRatio: Double?
        package var isHealthy: Bool
        /// What runs is what the next boot begins with, too.
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

    /// Orders a deploy: canary, then waves with no two nodes of a region, the hub alone and last.
    ///
    /// - Parameters:
    ///   - id: Names the deploy on the nodes.
    ///   - candidates: All that were asked for.
    ///   - release: Has a system for each of them.
    ///   - options: As the operator gave them.
    /// - Throws: `DeployRefusal`.
    package init(id: String, _ candidates: [Candidate], _ release: Release, _ options: DeployOptions)
        throws(DeployRefusal)
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
        ordered += Self.byRegion(spokes, most: max(1, options.mostAtOnce)) + hubs.map { [$0] }
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
    ) throws(DeployRefusal) -> Candidate? {
        if let name = options.canary {
            guard let asked = all.first(where: { $0.node.name == name }) else { throw .noSuchCanary(name) }
            guard asked.node.role == .spoke else { throw .hubAsCanary(name) }
            // One that has it already has proved it.
            return spokes.first { $0.node.name == name }
        }
        return spokes.filter(\.isHealthy).min { ($0.load ?? .max, $0.node.name) < ($1.load ?? .max, $1.node.name) }
            ?? spokes.first
    }

    /// The region with the most nodes left decides how many waves there are, so that it comes first in each.
    private static func byRegion(_ candidates: [Candidate], most: Int) -> [[Candidate]] {
        var left = Dictionary(grouping: candidates, by: \.node.region)
        var waves: [[Candidate]] = []
        while !left.isEmpty {
            let regions = left.keys.sorted { a, b in
                let (countA, countB) = (left[a]?.count ?? 0, left[b]?.count ?? 0)
                return countA == countB ? a < b : countA > countB
            }
            var wave: [Candidate] = []
            for region in regions.prefix(most) {
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

/// Why nothing is deployed. Nothing was touched.
package enum DeployRefusal: Error, Equatable, CustomStringConvertible, Sendable {
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
        case .noSuchCanary(let name): "\(name) is not among the nodes of this deploy, so it cannot be the canary."
        case .hubAsCanary(let name): "\(name) is the hub, which comes last; choose a spoke as the canary."
        case .notReady(let problems):
            "Nothing was touched, because:\n" + problems.map { "  \($0)" }.joined(separator: "\n")
        case .locked(let holder):
            "Another deploy is under way: \(holder). When it is dead, take over with --break-lock, or go on with it: "
                + "--resume on the machine where it was begun."
        case .takenOver(let how):
            "This deploy is not gone on with: \(how). Look at the nodes (status, history), and deploy anew."
        case .nothingToResume(let why): why
        }
    }
}
