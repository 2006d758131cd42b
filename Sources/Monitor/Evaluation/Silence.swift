/// A silence suppresses notifications for a node, a rule or both until a given time. Incidents are still shown.
package struct Silence: NodeReferencing, Equatable, Identifiable, Sendable {
    package var id: Int64
    /// Nil for any.
    package var node: String?
    package var rule: String?
    package var by: String
    package var reason: String
    /// Wall milliseconds.
    package var until: Int64

    package init(id: Int64, node: String?, rule: String?, by: String, reason: String, until: Int64) {
        self.id = id
        self.node = node
        self.rule = rule
        self.by = by
        self.reason = reason
        self.until = until
    }

    var key: String { "silence/\(id)" }

    mutating func rename(_ names: [String: String]) { node = node.map { names[$0] ?? $0 } }
}
