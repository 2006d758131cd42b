import Monitor
import Wire

/// A fleet under judgement, with hands to move time. Seconds here; the judge counts in milliseconds.
struct Watched {
    var judge: FleetJudge
    var now = Moment(steady: 1_000_000, wall: 1_800_000_000_000)
    var changes: [IncidentChange] = []
    private var sequences: [String: Int64] = [:]
    var boots: [String: String] = [:]

    /// Past the time in which a monitor that has just come judges nobody, with every node heard of.
    /// `every`: Milliseconds between their beats, where they are not the fleet's usual.
    init(_ names: [String] = ["tokyo"], every: Int64? = nil, settled: Bool = true) {
        judge = FleetJudge(nodes: names.map { (NodeName($0, every: every), NodeMemory()) }, at: now)
        if settled { beat(names, for: 90) }
        changes = []
    }

    /// What has been told since the last look: kind, key and severity. Hidden ones are told to nobody.
    mutating func told() -> [String] {
        defer { changes = [] }
        return changes.filter { $0.incident.hiddenBy == nil && $0.kind != .shown }.map {
            "\($0.kind.rawValue) \($0.incident.key) \($0.incident.severity.rawValue)"
        }
    }

    mutating func wait(_ seconds: Double) {
        var left = Int64(seconds * 1_000)
        while left > 0 {
            let step = min(left, 1_000)
            left -= step
            now = Moment(steady: now.steady + step, wall: now.wall + step)
            changes += judge.advance(to: now)
        }
    }

    /// Time passes at once: the monitor did not run.
    mutating func sleep(_ seconds: Int64) {
        now = Moment(steady: now.steady + seconds * 1_000, wall: now.wall + seconds * 1_000)
    }

    /// All of them beat every thirty seconds for so long.
    mutating func beat(_ names: [String], for seconds: Double, _ change: (inout Heartbeat) -> Void = { _ in }) {
        for _ in 0..<Int(seconds / 30) {
            for name in names { beat(name, change) }
            wait(30)
        }
    }

    @discardableResult
    mutating func beat(_ name: String = "tokyo", _ change: (inout Heartbeat) -> Void = { _ in }) -> FleetJudge.Reception
    {
        sequences[name, default: 0] += 1
        var body = Heartbeat.healthy(name, at: now.wall / 1_000)
        body.bootID = boots[name] ?? "boot"
        body.seq = sequences[name]
        change(&body)
        let (reception, new) = judge.receive(Beat(ping: 12, body: body), from: name, at: now)
        changes += new
        return reception
    }

    mutating func reboot(_ name: String, as boot: String) {
        boots[name] = boot
        sequences[name] = 0
    }

    /// The monitor is started anew with what it had on the disk.
    mutating func restart(after seconds: Int64 = 0) {
        sleep(seconds)
        judge = FleetJudge(
            nodes: judge.nodes.values.map { ($0.node, $0.memory) },
            book: IncidentBook(open: Array(judge.book.open.values), nextID: 1_000), silences: judge.silences,
            leases: judge.leases, at: now)
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
