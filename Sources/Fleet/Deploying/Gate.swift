import Console
import Wire

/// What a node must show before it may keep a new system.
struct Gate: Sendable {
    /// From here on, more failing answers than before count as worse: five in a hundred, among at least twenty.
    private static let moreErrors = 0.05
    private static let fewestRequests = 20

    let version: String?
    let errorRatioBefore: Double?
    /// By the monitor's clock, in Unix milliseconds: only a later heartbeat counts. Nil without a monitor.
    let beatAfter: Int64?

    /// What is still missing; nil when the node may keep it.
    func missing(_ state: NodeState, _ health: NodeHealth, _ report: FleetReport.Node?) -> String? {
        guard state.unit == "active" else { return "its unit is \(state.unit)" }
        switch health {
        case .notReady(let why): return why
        case .ready(let told):
            if let version, let told, told != version {
                return "it tells version \(told.sanitizedLine(limit: 50)), not \(version)"
            }
            if let version, told == nil { return "it does not tell its version, which should be \(version)" }
        }
        guard let beatAfter else { return nil }
        guard let beat = report?.lastBeat, beat > beatAfter else { return "no heartbeat has come since the activation" }
        guard let body = report?.body else { return nil }
        if let version, let told = body.version, told != version {
            return "its heartbeat tells version \(told.sanitizedLine(limit: 50))"
        }
        if body.dbIntegrity != "ok" { return "its database: \(body.dbIntegrity.sanitizedLine())" }
        if let before = errorRatioBefore, let now = body.errorRatio, body.req1h >= Self.fewestRequests,
            now > before + Self.moreErrors
        {
            return "of its answers \(Self.percent(now)) fail, before it were \(Self.percent(before))"
        }
        return nil
    }

    private static func percent(_ ratio: Double) -> String { "\(Int((ratio * 100).rounded())) %" }
}
