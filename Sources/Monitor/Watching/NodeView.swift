package import Wire

/// A node as operators see it.
package struct NodeView: Codable, Equatable, Sendable {
    package enum State: String, CaseIterable, Codable, Sendable {
        case never, up, late, silent, stopped, maintenance
    }

    package var name: String
    package var region: String?
    /// Milliseconds between its pushes, where they differ from the fleet's interval.
    package var every: Int64?
    package var city: String?
    package var latitude: Double?
    package var longitude: Double?
    package var state: State
    /// Highest severity of its open incidents that are not inhibited.
    package var worst: Severity?
    /// Unix milliseconds, as all times here.
    package var lastBeat: Int64?
    package var ping: Double?
    package var skew: Int64
    package var healthProblem: String?
    /// Why its last push was rejected.
    package var refused: String?
    package var body: Heartbeat?

    var isJob: Bool { MonitoredNode(name, every: every).isJob }
}
