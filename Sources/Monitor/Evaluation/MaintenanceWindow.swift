/// A maintenance window: no incidents are opened for these nodes, and open ones are not notified, until it ends at a
/// given time.
package struct MaintenanceWindow: NodeReferencing, Equatable, Identifiable, Sendable {
    package var id: Int64
    /// Empty for all.
    package var nodes: [String]
    package var by: String
    package var reason: String
    /// Wall milliseconds.
    package var until: Int64

    package init(id: Int64, nodes: [String], by: String, reason: String, until: Int64) {
        self.id = id
        self.nodes = nodes
        self.by = by
        self.reason = reason
        self.until = until
    }

    var key: String { "lease/\(id)" }

    func covers(_ name: String) -> Bool { nodes.isEmpty || nodes.contains(name) }

    mutating func rename(_ names: [String: String]) { nodes = nodes.map { names[$0] ?? $0 } }
}
