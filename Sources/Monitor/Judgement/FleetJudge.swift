import HeapModule
import Wire

/// Decides what is wrong with the fleet. Pure: beats and moments go in, changes of incidents come out; it knows no
/// clock, no network and no disk.
///
/// What it promises: silence is an alarm after two missed beats and a worse one after five minutes, by the monitor's own
/// clock and the moment of receipt; nothing is told twice; what follows from something else is not told; the monitor's
/// own absence, stall or clock step is nobody's fault but its own.
package struct FleetJudge: Sendable {
    package let timing: Timing
    package internal(set) var nodes: [String: NodeRecord] = [:]
    package internal(set) var book: IncidentBook
    package internal(set) var silences: [Silence] = []
    package internal(set) var leases: [Lease] = []
    /// When silences and leases end, by their key, in steady milliseconds: no clock that is set ends one.
    private(set) var ends: [String: Int64] = [:]
    /// When the wall clock jumped, or cannot have been right, steady.
    private var clockJumped: Int64?
    var norm = Rule.FleetNorm()
    /// When to look at which node. An entry may be too early, which costs a look, and is never too late.
    var deadlines = Heap<Deadline>()
    /// Nobody is judged by what came, or did not come, before.
    var judgedFrom: Int64
    /// When the present doubt, or the last one, began. Steady milliseconds.
    private var doubtedFrom: Int64
    /// Whose last beat may say what could not be told when it came: in doubt, or during planned work.
    var heldBack: Set<String> = []
    /// Whether doubt or planned work, which hold it back, have been there since it was last looked at.
    var mayRelease = true
    var lastLook: Moment
    private var lastMinute: Int64

    static let cutOff = "fleet/cut-off"
    static let ownClock = "monitor/clock"

    struct Deadline: Comparable, Sendable {
        var at: Int64
        var node: String

        static func < (left: Deadline, right: Deadline) -> Bool { left.at < right.at }
    }

    /// What became of a beat.
    package enum Reception: Equatable, Sendable {
        case taken
        /// An old one again. It proves nothing and is no sign of life.
        case replayed
        case unknownNode
    }

    /// Begins, or goes on after a restart: incidents of the book that are open stay so untold.
    package init(
        timing: Timing = .standard, nodes: [(NodeName, NodeMemory)], book: IncidentBook = IncidentBook(),
        silences: [Silence] = [], leases: [Lease] = [], at now: Moment
    ) {
        self.timing = timing
        self.silences = silences
        self.leases = leases
        self.book = book
        judgedFrom = now.steady
        doubtedFrom = now.steady
        lastLook = now
        lastMinute = now.steady
        for silence in silences { note(silence.key, until: silence.until, at: now) }
        for lease in leases { note(lease.key, until: lease.until, at: now) }
        for (node, memory) in nodes { add(node, memory, at: now) }
        // A monitor that comes back after days, or whose clock lies days ahead: which of them, it cannot tell.
        let newest = nodes.compactMap(\.1.lastBeat).max()
        if let newest, (now.wall - newest).magnitude > Self.day.magnitude { doubtClock(at: now) }
    }

    static let day: Int64 = 86_400_000

    private mutating func doubtClock(at now: Moment) { clockJumped = now.steady }

    /// Whether what is old by the wall clock is old: not within a day after it jumped, and not while the nodes' clocks differ
    /// from it.
    package func isClockTrusted(at now: Moment) -> Bool {
        now.steady >= (clockJumped ?? now.steady - Self.day) + Self.day && hasFleetsTime
    }

    /// Whether what is planned for a time may begin by the wall clock: it has gone evenly for ten minutes, and whoever beats
    /// has had the time to say that it is wrong.
    func mayBegin(at now: Moment) -> Bool {
        now.steady >= (clockJumped ?? now.steady - Self.calm) + Self.calm && now.steady >= judgedFrom + timing.interval
            && !isJump(to: now) && hasFleetsTime
    }

    /// Whether the wall clock was set since the last look.
    private func isJump(to now: Moment) -> Bool {
        (now.wall - lastLook.wall - (now.steady - lastLook.steady)).magnitude > 10_000
    }

    private static let calm: Int64 = 600_000

    private var hasFleetsTime: Bool { book.open[Self.ownClock] == nil && !isOwnClockOff }

    mutating func note(_ key: String, until: Int64, at now: Moment) { ends[key] = now.steady + (until - now.wall) }

    mutating func forgetEnd(_ key: String) { ends[key] = nil }

    func isOver(_ key: String, at now: Moment) -> Bool { (ends[key] ?? .min) <= now.steady }

    package mutating func add(_ node: NodeName, _ memory: NodeMemory = NodeMemory(), at now: Moment) {
        var record = NodeRecord(node, memory)
        // How long ago, as well as the wall clock can tell; it only matters for what is shown.
        record.lastBeat = memory.lastBeat.map { now.steady - max(0, now.wall - $0) }
        record.added = node.added.map { now.steady - max(0, now.wall - $0) }
        if let silence = book.open["\(node.name)/silent"]?.incident {
            record.isSilent = true
            // What was known before the monitor came counts.
            let opened = now.steady - max(0, now.wall - silence.opened)
            record.quietFrom = max(opened - timing(of: record).sev2, record.lastBeat ?? .min)
        }
        nodes[node.name] = record
        watch(record)
        if record.lastBeat != nil { heldBack.insert(node.name) }
    }

    package mutating func remove(_ name: String, at now: Moment) -> [IncidentChange] {
        remove(name, because: "it is no longer watched", at: now)
    }

    private mutating func remove(_ name: String, because ending: String, at now: Moment) -> [IncidentChange] {
        guard nodes.removeValue(forKey: name) != nil else { return [] }
        return book.open.filter { $0.value.incident.node == name }.keys.sorted()
            .flatMap { book.resolve($0, because: ending, at: now.wall) } + endCutOff(at: now)
    }

    /// Other names, regions or intervals, by the present names. What is wrong under a name ends with it, and is found anew
    /// under the next; what people planned for a node goes on. Two may have each other's name.
    package mutating func change(_ next: [String: NodeName], at now: Moment) -> [IncidentChange] {
        var changes: [IncidentChange] = []
        var renamed: [(from: String, to: NodeName, memory: NodeMemory)] = []
        for (name, node) in next.sorted(by: { $0.key < $1.key }) {
            guard var record = nodes[name], record.node != node else { continue }
            if node.name == name {
                record.node = node
                nodes[name] = record
                watch(record)
            } else {
                changes += remove(name, because: "it is called \(node.name) now", at: now)
                renamed.append((name, node, record.memory))
            }
        }
        let names = Dictionary(uniqueKeysWithValues: renamed.map { ($0.from, $0.to.name) })
        for index in silences.indices { silences[index].rename(names) }
        for index in leases.indices { leases[index].rename(names) }
        for (_, node, memory) in renamed { add(node, memory, at: now) }
        return changes
    }

    /// A push of the node's that is no sign of life.
    package mutating func noteRefusal(_ why: String, of name: String, at now: Moment) {
        guard nodes[name] != nil else { return }
        let known = nodes[name]?.refusals
        nodes[name]?.refusals = .init(count: (known?.count ?? 0) + 1, since: known?.since ?? now.steady, why: why)
    }

    /// Another token: what was said with the old one no longer counts as said.
    package mutating func forgetBoots(of name: String) {
        nodes[name]?.memory.bootID = nil
        nodes[name]?.memory.sequence = 0
        nodes[name]?.memory.pastBoots = []
    }

    // MARK: What comes in

    /// A beat of a node whose token was right.
    package mutating func receive(_ beat: Beat, from name: String, at now: Moment) -> (Reception, [IncidentChange]) {
        var changes = advance(to: now)
        guard var record = nodes[name] else { return (.unknownNode, changes) }
        if let body = beat.body {
            guard record.isFresh(body) else {
                nodes[name]?.replays = record.replays.suffix(2) + [now.steady]
                return (.replayed, changes)
            }
            record.memory.skew = body.ts * 1_000 - now.wall
        }
        let isFirst = record.lastBeat == nil
        let wasStopped = record.memory.isStopped
        let gap = record.lastBeat.map { now.steady - $0 } ?? 0
        // What would not open an incident lets it be closed: whoever beats within the window twice is back.
        record.goodBeats = gap >= timing(of: record).sev2 ? 1 : record.goodBeats + 1
        record.lastBeat = now.steady
        if record.isSilent { record.quietFrom = now.steady }
        record.refusals = nil
        record.memory.lastBeat = now.wall
        record.memory.isStopped = beat.body?.phase == .stopping
        record.memory.body = beat.body ?? record.memory.body
        (record.memory.ill, record.memory.ping) = (beat.ill, beat.ping)
        if record.memory.isStopped { record.goodBeats = 0 }
        nodes[name] = record
        if isFirst || record.memory.isStopped != wasStopped { watch(record) }
        // Work that was done is done.
        if record.isSilent, record.goodBeats >= 2 || record.memory.isStopped || record.node.isJob {
            changes += endSilence(name, at: now)
        }
        if !record.memory.isStopped { changes += judgeValues(beat, of: name, at: now) }
        return (.taken, changes)
    }

    /// Time went by. To be called often: a pause counts as the monitor's own stall.
    package mutating func advance(to now: Moment) -> [IncidentChange] {
        let isJump = isJump(to: now)
        if now.steady - lastLook.steady > timing.stall || isJump {
            if !isDoubtful(at: lastLook) { doubtedFrom = now.steady }
            judgedFrom = now.steady
        }
        if isJump { doubtClock(at: now) }
        lastLook = now
        var changes: [IncidentChange] = []
        changes += expire(at: now)
        changes += judgeSilence(at: now)
        changes += judgeHeldBack(at: now)
        if now.steady - lastMinute >= 60_000 {
            lastMinute = now.steady
            norm = majority(at: now)
            changes += endFlapping(at: now)
            changes += endCutOff(at: now)
        }
        return changes
    }

    /// Whether nobody is judged at present, because the monitor itself has just come, stalled or lost its clock.
    package func isDoubtful(at now: Moment) -> Bool { now.steady < judgedFrom + timing.sev2 }

    /// For how long that has been so, in milliseconds; 0 when it is not.
    func doubt(at now: Moment) -> Int64 { isDoubtful(at: now) ? now.steady - doubtedFrom : 0 }

    func isInMaintenance(_ name: String, at now: Moment) -> Bool { maintenance(of: name, at: now) != nil }

    func maintenance(of name: String, at now: Moment) -> Lease? {
        leases.first { $0.covers(name) && !isOver($0.key, at: now) }
    }

    func timing(of record: NodeRecord) -> Timing { timing.every(record.node.every) }
}
