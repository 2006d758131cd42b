/// A node or job whose heartbeats the monitor expects.
package struct MonitoredNode: Codable, Equatable, Sendable {
    package var name: String
    package var region: String?
    /// Milliseconds between heartbeats; nil for the fleet's interval.
    package var every: Int64?
    /// Wall milliseconds when it was added; nil when unknown.
    package var added: Int64?

    package init(_ name: String, region: String? = nil, every: Int64? = nil, added: Int64? = nil) {
        self.name = name
        self.region = region
        self.every = every
        self.added = added
    }

    /// The longest heartbeat interval of a machine, in milliseconds.
    static let longestInterval: Int64 = 120_000

    /// Whether this is a scheduled job rather than a machine: its interval is longer than any machine's. Jobs are not
    /// part of the service.
    var isJob: Bool { (every ?? 0) > Self.longestInterval }
}
