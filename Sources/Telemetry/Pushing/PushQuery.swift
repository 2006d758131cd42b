import Wire

/// The query of a push, for a stock Uptime Kuma, which ignores the body.
package struct PushQuery: Equatable, Sendable {
    package enum Status: String, Sendable { case up, down }

    package var status: Status
    package var message: String
    /// Duration of the previous push in milliseconds. Nil for the first one, and after one without a response.
    package var ping: Int64?

    package init(status: Status, message: String, ping: Int64?) {
        self.status = status
        self.message = message
        self.ping = ping
    }

    /// A planned stop is "down" to a stock monitor, which has no other status for it; ours reads the phase in the body.
    init(_ sample: Sampler.Sample, ping: Int64?) {
        self.ping = ping
        if sample.heartbeat.phase == .stopping {
            (status, message) = (.down, "stopping")
        } else if sample.healthProblems.isEmpty {
            (status, message) = (.up, "OK")
        } else {
            (status, message) = (.down, Self.line(sample.healthProblems))
        }
    }

    var pingText: String { ping.map(String.init) ?? "" }

    /// Joins problems to one line that fits a URL: SQLite's findings can fill pages.
    private static func line(_ healthProblems: [String]) -> String {
        let text = healthProblems.joined(separator: "; ").unicodeScalars.map { $0.value < 0x20 ? " " : Character($0) }
        return text.count > 200 ? String(text.prefix(199)) + "…" : String(text)
    }
}
