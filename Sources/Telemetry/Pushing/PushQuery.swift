import Wire

/// What a stock Uptime Kuma learns of a beat: it reads the query and drops the body.
package struct PushQuery: Equatable, Sendable {
    package enum Status: String, Sendable { case up, down }

    package var status: Status
    package var message: String
    /// Milliseconds that the push before took. Nil for the first one, and after one that was not answered.
    package var ping: Int64?

    package init(status: Status, message: String, ping: Int64?) {
        self.status = status
        self.message = message
        self.ping = ping
    }

    /// A planned stop is "down" to a stock monitor, which knows no other word for it; ours reads the phase in the body.
    init(_ sample: Sampler.Sample, ping: Int64?) {
        self.ping = ping
        if sample.heartbeat.phase == .stopping {
            (status, message) = (.down, "stopping")
        } else if sample.ills.isEmpty {
            (status, message) = (.up, "OK")
        } else {
            (status, message) = (.down, Self.line(sample.ills))
        }
    }

    var pingText: String { ping.map(String.init) ?? "" }

    /// One line, no longer than a URL can bear: SQLite's findings fill pages.
    private static func line(_ ills: [String]) -> String {
        let text = ills.joined(separator: "; ").unicodeScalars.map { $0.value < 0x20 ? " " : Character($0) }
        return text.count > 200 ? String(text.prefix(199)) + "…" : String(text)
    }
}
