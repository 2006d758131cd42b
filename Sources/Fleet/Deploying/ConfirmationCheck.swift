import Console
import Wire

/// Health checks required before a deployment is confirmed.
package struct ConfirmationCheck: Sendable {
    /// Largest accepted increase of the error ratio, with at least this many requests.
    private static let maximumErrorIncrease = 0.05
    private static let minimumRequests = 20

    let version: String?
    let errorRatioBefore: Double?
    /// Unix milliseconds by the monitor's clock: only a later heartbeat counts. Nil without a monitor.
    let heartbeatAfter: Int64?

    package init(version: String?, errorRatioBefore: Double?, heartbeatAfter: Int64?) {
        self.version = version
        self.errorRatioBefore = errorRatioBefore
        self.heartbeatAfter = heartbeatAfter
    }

    /// The first failed check; nil if all pass.
    package func failure(_ state: NodeState, _ health: NodeHealth, _ report: FleetReport.Node?) -> String? {
        guard state.unit == "active" else { return "its unit is \(state.unit)" }
        switch health {
        case .notReady(let why): return why
        case .ready(let reported):
            if let version, let reported, reported != version {
                return "it reports version \(reported.sanitizedLine(limit: 50)), not \(version)"
            }
            if let version, reported == nil { return "it does not report its version, which should be \(version)" }
        }
        guard let heartbeatAfter else { return nil }
        guard let heartbeat = report?.lastBeat, heartbeat > heartbeatAfter else {
            return "no heartbeat has arrived since the activation"
        }
        guard let body = report?.body else { return nil }
        if let version, let reported = body.version, reported != version {
            return "its heartbeat reports version \(reported.sanitizedLine(limit: 50))"
        }
        if body.dbIntegrity != "ok" { return "its database: \(body.dbIntegrity.sanitizedLine())" }
        if let before = errorRatioBefore, let now = body.errorRatio, body.req1h >= Self.minimumRequests,
            now > before + Self.maximumErrorIncrease
        {
            return "its error ratio is \(Self.percent(now)), and was \(Self.percent(before)) before"
        }
        return nil
    }

    private static func percent(_ ratio: Double) -> String { "\(Int((ratio * 100).rounded())) %" }
}
