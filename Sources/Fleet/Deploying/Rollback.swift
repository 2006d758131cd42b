/// Who goes back, and to what.
package struct Rollback: Equatable, Sendable {
    package var nodes: [Node]
    /// By node.
    package var systems: [String: String]
    /// Why others do not, as sentences. A dead node must not keep the rest from going back.
    package var leftOut: [String]

    /// Of all nodes, only those that have the deploy that was kept last: the others never had it, or have left it.
    ///
    /// - Parameters:
    ///   - asked: The nodes that were named, or all.
    ///   - found: What they say.
    ///   - isAll: None was named.
    /// - Throws: `DeployRefusal.notReady`.
    package init(_ asked: [Node], _ found: Preflight, isAll: Bool) throws(DeployRefusal) {
        guard isAll || found.problems.isEmpty else { throw .notReady(found.problems) }
        let last = isAll ? found.facts.values.compactMap(\.deploy).max() : nil
        (nodes, systems, leftOut) = ([], [:], isAll ? found.problems : [])
        guard !isAll || last != nil else {
            throw .notReady(found.problems + ["no node that answers has a system that this program deployed"])
        }
        for node in asked {
            guard let facts = found.facts[node.name], facts.trial == nil else { continue }
            guard !isAll || facts.deploy == last else { continue }
            guard let previous = facts.previous else {
                let why = "\(node.name) has no generation before the present one"
                guard isAll else { throw .notReady([why]) }
                leftOut.append(why)
                continue
            }
            nodes.append(node)
            systems[node.name] = previous
        }
        guard !nodes.isEmpty else { throw .notReady(leftOut) }
    }
}
