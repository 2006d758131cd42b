package import Wire

/// The part of a push that is evaluated.
package struct Beat: Equatable, Sendable {
    /// The health problem that the node reports; nil when it reports that it is up.
    package var healthProblem: String?
    /// Duration of the node's last push, in milliseconds.
    package var ping: Double?
    /// Nil from clients that speak only Uptime Kuma's protocol.
    package var body: Heartbeat?

    /// The key under which the body is signed, verified; nil without a signature.
    package var key: String?

    package init(healthProblem: String? = nil, ping: Double? = nil, body: Heartbeat? = nil, key: String? = nil) {
        self.healthProblem = healthProblem
        self.ping = ping
        self.body = body
        self.key = key
    }
}
