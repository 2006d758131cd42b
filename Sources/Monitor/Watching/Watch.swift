import FoundationEssentials
package import Logging
package import SQLite
import ServiceLifecycle
import Synchronization
import Wire

/// The judgement at work: takes pushes, writes them down, looks at the time, and hands on what changed.
///
/// A beat is judged in memory before it is written, and answered when it is written. Nothing about notification happens on
/// its way, and a store that fails makes no node look silent.
package final class Watch: Service {
    /// The outside world, each piece replaced in tests.
    package struct World: Sendable {
        package var now: @Sendable () -> Moment
        package var sleep: @Sendable (Duration) async throws -> Void
        /// Whether anything answers at a URL; nil where nobody asks.
        package var asks: (@Sendable (String) async -> Bool)?
        package var zones: ZoneDirectory

        package init(
            now: @escaping @Sendable () -> Moment = SteadyClock.now,
            sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) },
            asks: (@Sendable (String) async -> Bool)? = nil, zones: ZoneDirectory = ZoneDirectory()
        ) {
            self.now = now
            self.sleep = sleep
            self.asks = asks
            self.zones = zones
        }
    }

    let store: MonitorStore
    let world: World
    let logger: Logger
    let timing: Timing
    let state: Mutex<State>
    let audience = Audience()
    /// Nil where nobody looks at the disk.
    package let room: Room?
    /// Beats that could not be written down.
    let unwritten = Grievance()
    /// Planned work that could not be written down when it ought to have begun.
    let unbegun = Grievance()
    private let tell: Teller
    private let telling = Turnstile()

    /// Hands changes to whoever notifies, and calls `record` in the transaction that keeps what is to be told of them:
    /// what is on record is told, and what is told is on record. On the disk when it returns.
    package typealias Teller =
        @Sendable (_ changes: [IncidentChange], _ record: @escaping @Sendable (Connection) throws -> Void) async throws
        -> Void

    struct State: Sendable {
        var judge: FleetJudge
        var agenda = Agenda()
        var ids: [String: Int64] = [:]
        var names: [[UInt8]: String] = [:]
        var places: [String: NodePlace] = [:]
        var budgets: [String: PushBudget] = [:]
        var refused: [String: String] = [:]
        /// Of the present minute, by node.
        var means: [String: MeanMetrics] = [:]
        /// Found, and not yet on the disk and told.
        var unsaved: [IncidentChange] = []
        /// Nodes that the dashboards have not seen since they changed.
        var touched: Set<String> = []
        var shownStates: [String: NodeView.State] = [:]
        var shownAt: Int64 = .min / 2
        var hasIncidentNews = false
        /// When the last look ended, steady.
        var lookedAt: Int64 = 0
        /// Of whoever may push, as last read.
        var rosterVersion: Int64 = 0
        var figures = WatchFigures()

        /// Counts a push that is no sign of life, and says why to whoever asks why the node is silent.
        mutating func refuse(_ refusal: PushRefusal, _ name: String, at now: Moment) {
            figures.refused += 1
            refused[name] = refusal.text
            touched.insert(name)
            judge.noteRefusal(refusal.text, of: name, at: now)
        }
    }

    /// Goes on where the last run ended.
    ///
    /// - Parameters:
    ///   - store: Open, with its schema.
    ///   - timing: How long silence is borne.
    ///   - places: Where the nodes stand.
    ///   - world: Clocks.
    ///   - room: On the disk, looked at by somebody else.
    ///   - logger: Hears of errors of the store.
    ///   - tell: Whoever notifies.
    /// - Throws: The store's error.
    package init(
        store: MonitorStore, timing: Timing = .standard, places: [NodePlace] = [], world: World = World(),
        room: Room? = nil, logger: Logger, tell: @escaping Teller
    ) async throws {
        let now = world.now()
        let kept = try await store.load(now: now.wall)
        self.store = store
        self.timing = timing
        self.world = world
        self.room = room
        self.logger = logger
        self.tell = tell
        var state = State(
            judge: FleetJudge(
                timing: timing, nodes: kept.nodes.map { ($0.name, $0.memory) }, book: kept.incidents,
                silences: kept.silences, leases: kept.leases, at: now))
        for node in kept.nodes {
            state.ids[node.name.name] = node.id
            state.names[node.tokenHash] = node.name.name
        }
        state.lookedAt = now.steady
        for plan in kept.plans {
            let zone = try? world.zones.rules(of: plan.zone)
            if !state.agenda.add(plan, in: zone, now: now.wall) { try? await store.removePlan(plan.id) }
        }
        state.places = Dictionary(places.map { ($0.name, $0) }) { first, _ in first }
        self.state = Mutex(state)
    }

    // MARK: Intake

    /// Takes one push.
    ///
    /// `body`: Nil for one that was too large.
    ///
    /// - Returns: The monitor's time of receipt, in Unix milliseconds, and what of the push could not be read.
    /// - Throws: `PushRefusal`, or the store's error: then the beat counts as a sign of life and is not on record.
    package func receive(
        token: some StringProtocol, status: String?, msg: String?, ping: String?, body: [UInt8]?
    ) async throws -> (time: Int64, flaw: String?) {
        let hash = PushToken.hash(token)
        let now = world.now()
        let name = try state.withLock { state in
            guard let name = state.names[hash] else {
                state.figures.unknownTokens += 1
                throw PushRefusal.unknownToken
            }
            guard state.budgets[name, default: PushBudget()].spend(at: now.steady) else {
                state.refuse(.tooMany, name, at: now)
                throw PushRefusal.tooMany
            }
            return name
        }
        let reading: Push.Reading
        do throws(PushRefusal) {
            reading = try Push.read(status: status, msg: msg, ping: ping, body: body, of: name)
        } catch {
            state.withLock { $0.refuse(error, name, at: now) }
            throw error
        }
        let beat = reading.beat
        let metrics = Metrics(beat)
        let id = try state.withLock { state in
            let (reception, changes) = state.judge.receive(beat, from: name, at: now)
            state.unsaved += changes
            guard reception == .taken, let id = state.ids[name] else {
                state.figures.refused += 1
                throw reception == .replayed ? PushRefusal.replayed : PushRefusal.unknownToken
            }
            state.means[name, default: MeanMetrics()].add(metrics)
            state.refused[name] = reading.flaw
            state.touched.insert(name)
            state.figures.beats += 1
            return id
        }
        try await write(beat, metrics, of: id, at: now)
        return (now.wall, reading.flaw)
    }

    private func write(_ beat: Beat, _ metrics: Metrics, of node: Int64, at now: Moment) async throws {
        do {
            if room?.isShort == true { throw StoreRefusal.noRoom }
            try await store.append(beat, metrics, of: node, at: now.wall)
        } catch {
            if !(error is StoreRefusal) { room?.noteFailure() }
            if let count = unwritten.failed(at: now.steady) {
                logger.error("beats cannot be written down", metadata: ["count": "\(count)", "error": "\(error)"])
            }
            throw error
        }
        if unwritten.worked() { logger.notice("beats are written down again") }
    }

    // MARK: Time

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { tasks in
                tasks.addTask {
                    while !Task.isCancelled {
                        await self.look()
                        try? await self.world.sleep(self.pulse)
                    }
                }
                tasks.addTask { await self.keepMinutes() }
                tasks.addTask {
                    while !Task.isCancelled {
                        await self.askOverdue()
                        try? await self.world.sleep(.milliseconds(self.timing.interval / 3))
                    }
                }
            }
        }
        // What was found last is written down before the program ends.
        await look()
        await keepMinute(minute: world.now().wall / 60_000)
    }

    private var pulse: Duration { .milliseconds(max(10, min(250, timing.interval / 120))) }

    /// Looks at the time, and puts on the disk and into the outbox whatever was found since the last look.
    package func look() async {
        // What two handed over at once would be told twice.
        await telling.pass { await lookAlone() }
    }

    private func lookAlone() async {
        await beginPlanned()
        let (changes, told) = state.withLock { state in
            state.unsaved += state.judge.advance(to: world.now())
            return (state.unsaved, state.unsaved.isEmpty ? [:] : state.judge.book.open.mapValues(\.isTold))
        }
        if !changes.isEmpty {
            do {
                try await tell(changes, try MonitorStore.recording(changes, told: told))
                state.withLock { state in
                    state.unsaved.removeFirst(changes.count)
                    state.figures.noteStore(isWell: true)
                }
            } catch {
                let isNews = state.withLock { $0.figures.noteStore(isWell: false) }
                // Kept in memory, and tried again at the next look.
                if isNews { logger.critical("incidents cannot be written down", metadata: ["error": "\(error)"]) }
            }
        }
        let now = world.now()
        state.withLock { $0.lookedAt = now.steady }
        show(changes)
    }

    private func keepMinutes() async {
        var minute = world.now().wall / 60_000
        while !Task.isCancelled {
            try? await world.sleep(.seconds(1))
            let present = world.now().wall / 60_000
            guard present != minute else { continue }
            await keepMinute(minute: minute)
            await keepHousehold(hasNewHour: present / 60 != minute / 60, forgets: present % 10 == 0)
            minute = present
        }
    }

    package func keepMinute(minute: Int64) async {
        let rows = state.withLock { state in
            let rows = state.means.compactMap { name, mean -> MonitorStore.MinuteRow? in
                guard let id = state.ids[name], let record = state.judge.nodes[name] else { return nil }
                return .init(node: id, beats: mean.beats, metrics: mean.mean, memory: record.memory)
            }
            state.means = [:]
            return rows
        }
        if room?.isShort == true { return }
        do {
            try await store.keep(rows, minute: minute, now: world.now().wall)
        } catch {
            logger.error("a minute cannot be written down", metadata: ["error": "\(error)"])
        }
    }

    /// Puts away and forgets what is old, unless the clock by which it is has just jumped.
    package func keepHousehold(hasNewHour: Bool, forgets: Bool) async {
        let moment = world.now()
        guard state.withLock({ $0.judge.isClockTrusted(at: moment) }) else { return }
        let now = moment.wall
        do {
            if hasNewHour, room?.isShort != true { try await store.rollHours(now: now) }
            if forgets { try await store.forget(now: now) }
        } catch {
            logger.error("old beats cannot be put away", metadata: ["error": "\(error)"])
        }
    }
}

/// The machine's clocks as a `Moment`.
package enum SteadyClock {
    private static let origin = ContinuousClock.now

    package static let now: @Sendable () -> Moment = {
        let passed = (ContinuousClock.now - origin).components
        return Moment(
            steady: passed.seconds * 1_000 + passed.attoseconds / 1_000_000_000_000_000,
            wall: Int64(Date().timeIntervalSince1970 * 1_000))
    }
}
