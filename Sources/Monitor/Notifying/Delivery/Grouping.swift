/// Grouping delays, as in Prometheus Alertmanager (`group_wait`, `group_interval`). Milliseconds.
package struct Grouping: Equatable, Sendable {
    /// From the first change of a cause to the message.
    package var wait: Int64
    /// Between two messages about one cause.
    package var interval: Int64

    package static let standard = Grouping(wait: 10_000, interval: 60_000)

    package init(wait: Int64, interval: Int64) {
        self.wait = wait
        self.interval = interval
    }
}
