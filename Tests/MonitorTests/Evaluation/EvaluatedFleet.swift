import Monitor
import Wire

/// A fleet with an evaluator and a manual clock. In seconds; the evaluator uses milliseconds.
struct EvaluatedFleet {
    var evaluator: FleetEvaluator
    var now = ClockReading(monotonic: 1_000_000, wall: 1_800_000_000_000)
    var changes: [IncidentChange] = []
    var sequences: [String: Int64] = [:]
    var boots: [String: String] = [:]
    /// The first hash that each node sent for a line, by epoch.
    private var chains: [String: [Int64: [Int64: String]]] = [:]
    /// Whether nodes prove what the monitor asks for.
    var provesChains = true

    /// Starts after the initial evaluation pause, with a heartbeat of every node.
    init(_ names: [String] = ["tokyo"], every: Int64? = nil, settled: Bool = true) {
        evaluator = FleetEvaluator(
            nodes: names.map { (MonitoredNode($0, every: every), PersistedNodeState()) }, at: now)
        if settled { beat(names, for: 90) }
        changes = []
    }

    /// Notified changes since the last call: kind, key and severity. Inhibited ones are not notified.
    mutating func notified() -> [String] {
        defer { changes = [] }
        return changes.filter { $0.incident.inhibitedBy == nil && $0.kind != .uninhibited }.map {
            "\($0.kind.rawValue) \($0.incident.key) \($0.incident.severity.rawValue)"
        }
    }

    mutating func wait(_ seconds: Double) {
        var left = Int64(seconds * 1_000)
        while left > 0 {
            let step = min(left, 1_000)
            left -= step
            now = ClockReading(monotonic: now.monotonic + step, wall: now.wall + step)
            changes += evaluator.advance(to: now)
        }
    }

    /// Advances time in one step: the monitor did not run.
    mutating func sleep(_ seconds: Int64) {
        now = ClockReading(monotonic: now.monotonic + seconds * 1_000, wall: now.wall + seconds * 1_000)
    }

    /// All nodes send every thirty seconds for this duration.
    mutating func beat(_ names: [String], for seconds: Double, _ change: (inout Heartbeat) -> Void = { _ in }) {
        for _ in 0..<Int(seconds / 30) {
            for name in names { beat(name, change) }
            wait(30)
        }
    }

    @discardableResult
    mutating func beat(_ name: String = "tokyo", _ change: (inout Heartbeat) -> Void = { _ in })
        -> FleetEvaluator.Reception
    {
        sequences[name, default: 0] += 1
        var body = Heartbeat.healthy(name, at: now.wall / 1_000)
        body.bootID = boots[name] ?? "boot"
        body.seq = sequences[name]
        change(&body)
        prove(&body, name)
        let (reception, new) = evaluator.receive(Beat(ping: 12, body: body), from: name, at: now)
        changes += new
        return reception
    }

    private mutating func prove(_ body: inout Heartbeat, _ name: String) {
        guard let line = body.auditSeq, let hash = body.auditHead else { return }
        let known = chains[name]?[body.auditEpoch ?? 0]?[line]
        chains[name, default: [:]][body.auditEpoch ?? 0, default: [:]][line] = known ?? hash
        guard provesChains, body.auditAt == nil, let want = evaluator.nodes[name]?.persisted.auditWant else { return }
        // A restored log has the lines of the epoch before, as far as it has no others.
        let epochs = (chains[name] ?? [:]).filter { $0.key <= body.auditEpoch ?? 0 }.sorted { $0.key > $1.key }
        body.auditAtHash = epochs.lazy.compactMap { $0.value[want] }.first
        body.auditAt = body.auditAtHash == nil ? nil : want
    }

    mutating func reboot(_ name: String, as boot: String) {
        boots[name] = boot
        sequences[name] = 0
    }

    /// Restarts the monitor with its stored state.
    mutating func restart(after seconds: Int64 = 0) {
        sleep(seconds)
        evaluator = FleetEvaluator(
            nodes: evaluator.nodes.values.map { ($0.node, $0.persisted) },
            incidents: IncidentRegistry(open: Array(evaluator.incidents.open.values), nextID: 1_000),
            silences: evaluator.silences,
            maintenanceWindows: evaluator.maintenanceWindows, at: now)
    }
}

extension Heartbeat {
    static func healthy(_ node: String, at seconds: Int64) -> Heartbeat {
        var body = Heartbeat(
            node: node, ts: seconds, ramMB: 142, ramPct: 27.7, diskMB: 3_200, diskPct: 31.2, cpuPct: 2.1, dbSizeMB: 12,
            dbIntegrity: "ok", activeSessions: 3, req1h: 847, err1h: 2, certDaysRemaining: 62, nixGen: 2,
            uptimeS: 864_000)
        body.certLifetimeDays = 90
        body.version = "1.0"
        (body.auditOK, body.readOnly, body.lastBackupAgeS) = (true, false, 3_600)
        return body
    }
}
