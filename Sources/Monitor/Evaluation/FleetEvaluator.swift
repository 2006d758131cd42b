import HeapModule
import Wire

/// Evaluates heartbeats and opens, changes and resolves incidents. A pure value: heartbeats and clock readings go in,
/// incident changes come out; it uses no clock, network or disk.
///
/// It guarantees: silence opens an incident after two missed heartbeats and raises it after five minutes, by the
/// monitor's own monotonic clock and the time of receipt; nothing is notified twice; incidents that follow from another
/// are not notified; and an absence, stall or clock step of the monitor itself never opens an incident for a node.
package struct FleetEvaluator: Sendable {
    package let timing: Timing
    package internal(set) var nodes: [String: NodeRecord] = [:]
    package internal(set) var incidents: IncidentRegistry
    package internal(set) var silences: [Silence] = []
    package internal(set) var maintenanceWindows: [MaintenanceWindow] = []
    /// When silences and maintenance windows end, by key, in monotonic milliseconds: setting the wall clock ends none
    /// of them.
    private(set) var ends: [String: Int64] = [:]
    /// When the wall clock jumped or was found wrong, in monotonic milliseconds.
    private var clockJumped: Int64?
    var norm = Rule.FleetNorm()
    /// When to evaluate which node. An entry may be too early, which costs an evaluation, and is never too late.
    var deadlines = Heap<Deadline>()
    /// Heartbeats received or missed before this time are not evaluated.
    var evaluatedFrom: Int64
    /// When the present or last evaluation pause began. Monotonic milliseconds.
    private var pausedFrom: Int64
    /// Nodes whose last heartbeat may carry a problem that could not be reported on arrival: evaluation was paused, or
    /// the node was in maintenance.
    var deferredNodes: Set<String> = []
    /// Whether a pause or a maintenance window may have ended since the deferred nodes were last evaluated.
    var mayEvaluateDeferred = true
    var lastTick: ClockReading
    private var lastMinute: Int64

    static let isolationKey = "fleet/cut-off"
    static let monitorClockKey = "monitor/clock"

    struct Deadline: Comparable, Sendable {
        var at: Int64
        var node: String

        static func < (left: Deadline, right: Deadline) -> Bool { left.at < right.at }
    }

    /// The outcome of receiving a heartbeat.
    package enum Reception: Equatable, Sendable {
        case accepted
        /// A replay of an earlier heartbeat, which is no sign of life.
        case replayed
        /// Not signed with the key that the node's heartbeats have had, and no sign of life.
        case otherKey
        case unknownNode
    }

    /// Starts fresh or continues after a restart. Open incidents are not notified again.
    package init(
        timing: Timing = .standard, nodes: [(MonitoredNode, PersistedNodeState)],
        incidents: IncidentRegistry = IncidentRegistry(),
        silences: [Silence] = [], maintenanceWindows: [MaintenanceWindow] = [], at now: ClockReading
    ) {
        self.timing = timing
        self.silences = silences
        self.maintenanceWindows = maintenanceWindows
        self.incidents = incidents
        evaluatedFrom = now.monotonic
        pausedFrom = now.monotonic
        lastTick = now
        lastMinute = now.monotonic
        for silence in silences { note(silence.key, until: silence.until, at: now) }
        for window in maintenanceWindows { note(window.key, until: window.until, at: now) }
        for (node, persisted) in nodes { add(node, persisted, at: now) }
        // After a gap of more than a day, either the monitor was down for days or its clock is days ahead; it cannot
        // tell which.
        let newest = nodes.compactMap(\.1.lastBeat).max()
        if let newest, (now.wall - newest).magnitude > Self.day.magnitude { distrustClock(at: now) }
    }

    static let day: Int64 = 86_400_000

    private mutating func distrustClock(at now: ClockReading) { clockJumped = now.monotonic }

    /// Whether ages by the wall clock can be trusted: not within a day after it jumped, and not while the nodes' clocks
    /// differ from it.
    package func isClockTrusted(at now: ClockReading) -> Bool {
        now.monotonic >= (clockJumped ?? now.monotonic - Self.day) + Self.day && hasFleetsTime
    }

    /// Whether scheduled maintenance may start by the wall clock: the clock has run evenly for ten minutes, and every
    /// active node has had the time to report a difference.
    func mayBegin(at now: ClockReading) -> Bool {
        now.monotonic >= (clockJumped ?? now.monotonic - Self.calm) + Self.calm
            && now.monotonic >= evaluatedFrom + timing.interval
            && !isJump(to: now) && hasFleetsTime
    }

    /// Whether the wall clock was set since the last tick.
    private func isJump(to now: ClockReading) -> Bool {
        (now.wall - lastTick.wall - (now.monotonic - lastTick.monotonic)).magnitude > 10_000
    }

    private static let calm: Int64 = 600_000

    private var hasFleetsTime: Bool { incidents.open[Self.monitorClockKey] == nil && !isMonitorClockOff }

    mutating func note(_ key: String, until: Int64, at now: ClockReading) {
        ends[key] = now.monotonic + (until - now.wall)
    }

    mutating func removeEnd(_ key: String) { ends[key] = nil }

    func isOver(_ key: String, at now: ClockReading) -> Bool { (ends[key] ?? .min) <= now.monotonic }

    package mutating func add(
        _ node: MonitoredNode, _ persisted: PersistedNodeState = PersistedNodeState(), at now: ClockReading
    ) {
        var record = NodeRecord(node, persisted)
        // Ages by the wall clock, which only affect what is displayed.
        record.lastBeat = persisted.lastBeat.map { now.monotonic - max(0, now.wall - $0) }
        record.added = node.added.map { now.monotonic - max(0, now.wall - $0) }
        if let silence = incidents.open["\(node.name)/silent"]?.incident {
            record.isSilent = true
            // The silence before the monitor's start counts.
            let opened = now.monotonic - max(0, now.wall - silence.opened)
            record.silentSince = max(opened - timing(of: record).sev2, record.lastBeat ?? .min)
        }
        nodes[node.name] = record
        watch(record)
        if record.lastBeat != nil { deferredNodes.insert(node.name) }
    }

    package mutating func remove(_ name: String, at now: ClockReading) -> [IncidentChange] {
        remove(name, because: "the node was removed", at: now)
    }

    private mutating func remove(_ name: String, because ending: String, at now: ClockReading) -> [IncidentChange] {
        guard nodes.removeValue(forKey: name) != nil else { return [] }
        return incidents.open.filter { $0.value.incident.node == name }.keys.sorted()
            .flatMap { incidents.resolve($0, because: ending, at: now.wall) } + endIsolation(at: now)
    }

    /// Changes names, regions or intervals, by present name. Incidents under an old name resolve and are opened again
    /// under the new one; silences and maintenance windows follow the node. Two nodes may exchange names.
    package mutating func change(_ next: [String: MonitoredNode], at now: ClockReading) -> [IncidentChange] {
        var changes: [IncidentChange] = []
        var renamed: [(from: String, to: MonitoredNode, persisted: PersistedNodeState)] = []
        for (name, node) in next.sorted(by: { $0.key < $1.key }) {
            guard var record = nodes[name], record.node != node else { continue }
            if node.name == name {
                record.node = node
                nodes[name] = record
                watch(record)
            } else {
                changes += remove(name, because: "the node was renamed to \(node.name)", at: now)
                renamed.append((name, node, record.persisted))
            }
        }
        let names = Dictionary(uniqueKeysWithValues: renamed.map { ($0.from, $0.to.name) })
        for index in silences.indices { silences[index].rename(names) }
        for index in maintenanceWindows.indices { maintenanceWindows[index].rename(names) }
        for (_, node, persisted) in renamed { add(node, persisted, at: now) }
        return changes
    }

    /// Records a rejected push, which is no sign of life.
    package mutating func recordRejection(_ why: String, of name: String, at now: ClockReading) {
        guard nodes[name] != nil else { return }
        let known = nodes[name]?.rejections
        nodes[name]?.rejections = .init(count: (known?.count ?? 0) + 1, since: known?.since ?? now.monotonic, why: why)
    }

    /// Resets replay protection after a token change: sequences sent with the old token no longer count.
    package mutating func resetBoots(of name: String) {
        nodes[name]?.persisted.bootID = nil
        nodes[name]?.persisted.sequence = 0
        nodes[name]?.persisted.pastBoots = []
    }

    // MARK: Intake

    /// Takes a heartbeat of an authenticated node.
    package mutating func receive(_ beat: Beat, from name: String, at now: ClockReading) -> (
        Reception, [IncidentChange]
    ) {
        var changes = advance(to: now)
        guard var record = nodes[name] else { return (.unknownNode, changes) }
        if let key = record.persisted.heartbeatKey, beat.key != key {
            nodes[name]?.persisted.hasOtherKey = true
            return (.otherKey, changes + evaluateLastBeat(of: name, at: now))
        }
        record.persisted.heartbeatKey = beat.key
        if let body = beat.body {
            guard record.isFresh(body) else {
                nodes[name]?.replays = record.replays.suffix(2) + [now.monotonic]
                return (.replayed, changes)
            }
            record.persisted.skew = body.ts * 1_000 - now.wall
        }
        let isFirst = record.lastBeat == nil
        let wasStopped = record.persisted.isStopped
        let gap = record.lastBeat.map { now.monotonic - $0 } ?? 0
        // The gap that would open no incident is short enough to close one: a node that sends two heartbeats within the
        // window is back.
        record.consecutiveBeats = gap >= timing(of: record).sev2 ? 1 : record.consecutiveBeats + 1
        record.lastBeat = now.monotonic
        if record.isSilent { record.silentSince = now.monotonic }
        record.rejections = nil
        record.persisted.lastBeat = now.wall
        record.persisted.isStopped = beat.body?.phase == .stopping
        record.persisted.body = beat.body ?? record.persisted.body
        (record.persisted.healthProblem, record.persisted.ping) = (beat.healthProblem, beat.ping)
        if record.persisted.isStopped { record.consecutiveBeats = 0 }
        nodes[name] = record
        if isFirst || record.persisted.isStopped != wasStopped { watch(record) }
        // A job is complete with its first heartbeat.
        if record.isSilent, record.consecutiveBeats >= 2 || record.persisted.isStopped || record.node.isJob {
            changes += endSilence(name, at: now)
        }
        if !record.persisted.isStopped { changes += evaluateRules(beat, of: name, at: now) }
        return (.accepted, changes)
    }

    /// Advances time. Must be called often: a gap counts as the monitor's own stall.
    package mutating func advance(to now: ClockReading) -> [IncidentChange] {
        let isJump = isJump(to: now)
        if now.monotonic - lastTick.monotonic > timing.stall || isJump {
            if !isEvaluationPaused(at: lastTick) { pausedFrom = now.monotonic }
            evaluatedFrom = now.monotonic
        }
        if isJump { distrustClock(at: now) }
        lastTick = now
        var changes: [IncidentChange] = []
        changes += expire(at: now)
        changes += evaluateSilence(at: now)
        changes += evaluateDeferredNodes(at: now)
        if now.monotonic - lastMinute >= 60_000 {
            lastMinute = now.monotonic
            norm = majority(at: now)
            changes += endFlapping(at: now)
            changes += endIsolation(at: now)
        }
        return changes
    }

    /// Whether evaluation is paused, because the monitor itself has just started, stalled or lost its clock.
    package func isEvaluationPaused(at now: ClockReading) -> Bool { now.monotonic < evaluatedFrom + timing.sev2 }

    /// Milliseconds for which evaluation has been paused; 0 when it is not.
    func pauseDuration(at now: ClockReading) -> Int64 { isEvaluationPaused(at: now) ? now.monotonic - pausedFrom : 0 }

    func isInMaintenance(_ name: String, at now: ClockReading) -> Bool { maintenance(of: name, at: now) != nil }

    func maintenance(of name: String, at now: ClockReading) -> MaintenanceWindow? {
        maintenanceWindows.first { $0.covers(name) && !isOver($0.key, at: now) }
    }

    func timing(of record: NodeRecord) -> Timing { timing.every(record.node.every) }
}
