/// Who goes back, and to what.
package struct Rollback: Equatable, Sendable {
    package var nodes: [Node]
    /// By node.
    package var systems: [String: String]
    /// Why others do not, as sentences. A dead node must not keep the rest from going back.
    package var leftOut: [String]

    /// Of all nodes, only those that have the last deploy: the others never had it, or have left it.
    ///
    /// - Parameters:
    ///   - asked: The nodes that were named, or all.
    ///   - found: What they say.
    ///   - history: The hub's. A node that does not answer may be the only one that has the last deploy.
    ///   - isAll: None was named.
    /// - Throws: `DeployRefusal.notReady`.
    package init(_ asked: [Node], _ found: Preflight, _ history: [DeployRecord] = [], isAll: Bool)
        throws(DeployRefusal)
    {
        guard isAll || found.problems.isEmpty else { throw .notReady(found.problems) }
        (nodes, systems, leftOut) = ([], [:], isAll ? found.problems : [])
        // What died before it could be recorded is known to its nodes alone. Ids begin with the time.
        let kept = history.filter { !$0.isRollback && $0.nodes.values.contains(DeployEvent.Kind.kept.rawValue) }
        let last = (found.facts.values.compactMap(\.deploy) + kept.map(\.deploy)).max()
        for node in asked {
            guard let facts = found.facts[node.name], facts.trial == nil else { continue }
            guard !isAll || (last != nil && facts.deploy == last) else {
                leftOut.append("\(node.name) does not have the last deploy, \(last ?? "of which nothing is known")")
                continue
            }
            guard let previous = facts.previous else {
                let why = "\(node.name) has no generation before the present one"
                guard isAll else { throw .notReady([why]) }
                leftOut.append(why)
                continue
            }
            nodes.append(node)
            systems[node.name] = previous
        }
        guard !nodes.isEmpty else {
            throw .notReady(leftOut + ["nobody is left to go back; to go further back, name the nodes"])
        }
    }
}
