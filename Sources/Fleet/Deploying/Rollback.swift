/// The nodes to roll back, and their systems.
package struct Rollback: Equatable, Sendable {
    package var nodes: [Node]
    /// By node.
    package var systems: [String: String]
    /// Why other nodes are left out, as sentences. A dead node must not prevent the rollback of the rest.
    package var leftOut: [String]

    /// Selects the named nodes; of all nodes, those that have the last deploy.
    ///
    /// - Parameters:
    ///   - asked: The named nodes, or all.
    ///   - found: Their facts.
    ///   - history: The hub's history. A node that does not respond may be the only one with the last deploy.
    ///   - isAll: Whether no node was named.
    /// - Throws: `DeployPreconditionError.notReady`.
    package init(_ asked: [Node], _ found: Preflight, _ history: [DeployRecord] = [], isAll: Bool)
        throws(DeployPreconditionError)
    {
        guard isAll || found.problems.isEmpty else { throw .notReady(found.problems) }
        (nodes, systems, leftOut) = ([], [:], isAll ? found.problems : [])
        // A deploy that crashed before it was recorded is known to its nodes alone. Ids begin with the time.
        let kept = history.filter { !$0.isRollback && $0.nodes.values.contains(DeployEvent.Kind.kept.rawValue) }
        let last = (found.facts.values.compactMap(\.deploy) + kept.map(\.deploy)).max()
        for node in asked {
            guard let facts = found.facts[node.name], facts.trial == nil else { continue }
            guard !isAll || (last != nil && facts.deploy == last) else {
                leftOut.append("\(node.name) does not have the last deploy, \(last ?? "which is unknown")")
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
            throw .notReady(leftOut + ["no node is left to roll back; to go further back, name the nodes"])
        }
    }
}
