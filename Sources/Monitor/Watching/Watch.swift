package import Logging
package import SQLite
import ServiceLifecycle
import Synchronization
import Wire

/// Runs the evaluator: accepts pushes, stores heartbeats, advances time, and passes on the incident changes.
///
/// A heartbeat is evaluated in memory before it is stored, and acknowledged when it is stored. Notification is not part
/// of this path, and a failing store makes no node look silent.
package final class Watch: Service {
    /// External dependencies, replaceable in tests.
    package struct Dependencies: Sendable {
        package var now: @Sendable () -> ClockReading
        package var sleep: @Sendable (Duration) async throws -> Void
        /// Whether a URL responds; nil when nodes are not probed.
        package var probe: (@Sendable (String) async -> Bool)?
        package var zones: TimeZoneDatabase

        package init(
            now: @escaping @Sendable () -> ClockReading = SystemClocks.now,
            sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) },
            probe: (@Sendable (String) async -> Bool)? = nil, zones: TimeZoneDatabase = TimeZoneDatabase()
        ) {
            self.now = now
            self.sleep = sleep
            self.probe = probe
            self.zones = zones
        }
    }

    let store: MonitorStore
    let dependencies: Dependencies
    let logger: Logger
    let timing: Timing
    let state: Mutex<State>
    let events = EventBroker()
    /// Nil when disk space is not checked.
    package let diskSpace: DiskSpaceGuard?
    /// Failed writes of heartbeats.
    let failedBeatWrites = FailureThrottle()
    /// Failed starts of maintenance plans.
    let failedPlanStarts = FailureThrottle()
    private let notify: NotifyHandler
    private let tickMutex = AsyncMutex()

    /// Passes changes to the notifier, and runs `record` in the transaction that queues their notifications: recorded
    /// incidents and queued notifications are committed together. Durable when it returns.
    package typealias NotifyHandler =
        @Sendable (_ changes: [IncidentChange], _ record: @escaping @Sendable (Connection) throws -> Void) async throws
        -> Void

    struct State: Sendable {
        var evaluator: FleetEvaluator
        var schedule = MaintenanceSchedule()
        var ids: [String: Int64] = [:]
        var names: [[UInt8]: String] = [:]
        var locations: [String: NodeLocation] = [:]
        var rateLimits: [String: PushRateLimit] = [:]
        var pushProblems: [String: String] = [:]
        /// Means of the current minute, by node.
        var means: [String: MeanMetrics] = [:]
        /// Changes that are not yet stored and notified.
        var pendingChanges: [IncidentChange] = []
        /// Nodes whose changes are not yet published to dashboards.
        var changedNodes: Set<String> = []
        var publishedStates: [String: NodeView.State] = [:]
        var publishedAt: Int64 = .min / 2
        var hasIncidentChanges = false
        /// End of the last tick, in monotonic milliseconds.
        var lastTickAt: Int64 = 0
        /// Version of the node list as last read.
        var nodeListVersion: Int64 = 0
        var statistics = WatchStatistics()

        /// Counts a rejected push, and keeps the reason for the incident and the dashboard.
        mutating func reject(_ rejection: PushRejection, _ name: String, at now: ClockReading) {
            statistics.rejected += 1
            pushProblems[name] = rejection.text
            changedNodes.insert(name)
            evaluator.recordRejection(rejection.text, of: name, at: now)
        }
    }

    /// Loads the state of the last run.
    ///
    /// - Parameters:
    ///   - store: Open, with its schema.
    ///   - timing: Silence limits.
    ///   - locations: Locations and addresses of nodes.
    ///   - dependencies: Clocks, sleep, probes and time zones.
    ///   - diskSpace: Checked by another service.
    ///   - logger: Logs errors of the store.
    ///   - notify: Queues notifications.
    /// - Throws: The store's error.
    package init(
        store: MonitorStore, timing: Timing = .standard, locations: [NodeLocation] = [],
        dependencies: Dependencies = Dependencies(),
        diskSpace: DiskSpaceGuard? = nil, logger: Logger, notify: @escaping NotifyHandler
    ) async throws {
        let now = dependencies.now()
        let loaded = try await store.load(now: now.wall)
        self.store = store
        self.timing = timing
        self.dependencies = dependencies
        self.diskSpace = diskSpace
        self.logger = logger
        self.notify = notify
        var state = State(
            evaluator: FleetEvaluator(
                timing: timing, nodes: loaded.nodes.map { ($0.name, $0.persisted) }, incidents: loaded.incidents,
                silences: loaded.silences, maintenanceWindows: loaded.maintenanceWindows, at: now))
        for node in loaded.nodes {
            state.ids[node.name.name] = node.id
            state.names[node.tokenHash] = node.name.name
        }
        state.lastTickAt = now.monotonic
        for plan in loaded.plans {
            let zone = try? dependencies.zones.rules(of: plan.zone)
            if !state.schedule.add(plan, in: zone, now: now.wall) { try? await store.removePlan(plan.id) }
        }
        state.locations = Dictionary(locations.map { ($0.name, $0) }) { first, _ in first }
        self.state = Mutex(state)
    }

    // MARK: Intake

    /// Accepts one push.
    ///
    /// `body`: Nil when it was too large.
    /// `signature`: Of the body, in base64url.
    ///
    /// - Returns: The monitor's time of receipt, in Unix milliseconds, the line of the audit chain that the next heartbeat should prove, and
    ///   what of the push could not be parsed.
    /// - Throws: `PushRejection`, or the store's error: then the heartbeat counts as a sign of life and is not stored.
    package func receive(
        token: some StringProtocol, status: String?, msg: String?, ping: String?, body: [UInt8]?,
        signature: String? = nil
    ) async throws -> (time: Int64, auditWant: Int64?, parseError: String?) {
        let hash = PushToken.hash(token)
        let now = dependencies.now()
        let name = try state.withLock { state in
            guard let name = state.names[hash] else {
                state.statistics.unknownTokens += 1
                throw PushRejection.unknownToken
            }
            guard state.rateLimits[name, default: PushRateLimit()].allow(at: now.monotonic) else {
                state.reject(.tooMany, name, at: now)
                throw PushRejection.tooMany
            }
            return name
        }
        let reading: Push.Reading
        do throws(PushRejection) {
            reading = try Push.read(
                status: status, msg: msg, ping: ping, body: body, signature: signature, of: name)
        } catch {
            state.withLock { $0.reject(error, name, at: now) }
            throw error
        }
        let beat = reading.beat
        let metrics = Metrics(beat)
        let (id, auditWant) = try state.withLock { state in
            let (reception, changes) = state.evaluator.receive(beat, from: name, at: now)
            state.pendingChanges += changes
            guard reception == .accepted, let id = state.ids[name] else {
                if reception == .otherKey {
                    state.reject(.otherKey, name, at: now)
                } else {
                    state.statistics.rejected += 1
                }
                throw PushRejection(reception)
            }
            state.means[name, default: MeanMetrics()].add(metrics)
            state.pushProblems[name] = reading.parseError
            state.changedNodes.insert(name)
            state.statistics.beats += 1
            return (id, state.evaluator.nodes[name]?.persisted.auditWant)
        }
        try await write(beat, metrics, of: id, at: now)
        return (now.wall, auditWant, reading.parseError)
    }

    private func write(_ beat: Beat, _ metrics: Metrics, of node: Int64, at now: ClockReading) async throws {
        do {
            if diskSpace?.isLow == true { throw StoreError.diskFull }
            try await store.append(beat, metrics, of: node, at: now.wall)
        } catch {
            if !(error is StoreError) { diskSpace?.recordWriteFailure() }
            if let count = failedBeatWrites.recordFailure(at: now.monotonic) {
                logger.error("heartbeats cannot be stored", metadata: ["count": "\(count)", "error": "\(error)"])
            }
            throw error
        }
        if failedBeatWrites.recordSuccess() { logger.notice("heartbeats are stored again") }
    }

    // MARK: Time

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { tasks in
                tasks.addTask {
                    while !Task.isCancelled {
                        await self.tick()
                        try? await self.dependencies.sleep(self.tickInterval)
                    }
                }
                tasks.addTask { await self.saveMinutes() }
                tasks.addTask {
                    while !Task.isCancelled {
                        await self.probeOverdueNodes()
                        try? await self.dependencies.sleep(.milliseconds(self.timing.interval / 3))
                    }
                }
            }
        }
        // The last changes are stored before the program ends.
        await tick()
        await saveMinute(minute: dependencies.now().wall / 60_000)
    }

    private var tickInterval: Duration { .milliseconds(max(10, min(250, timing.interval / 120))) }

    /// Advances time, and stores the changes since the last tick together with their notifications.
    package func tick() async {
        // Concurrent ticks would notify twice.
        await tickMutex.withLock { await performTick() }
    }

    private func performTick() async {
        await beginDueMaintenance()
        let (changes, notified) = state.withLock { state in
            state.pendingChanges += state.evaluator.advance(to: dependencies.now())
            return (
                state.pendingChanges,
                state.pendingChanges.isEmpty ? [:] : state.evaluator.incidents.open.mapValues(\.isNotified)
            )
        }
        if !changes.isEmpty {
            do {
                try await notify(changes, try MonitorStore.makeRecorder(changes, notified: notified))
                state.withLock { state in
                    state.pendingChanges.removeFirst(changes.count)
                    state.statistics.recordStoreResult(isHealthy: true)
                }
            } catch {
                let hasChanged = state.withLock { $0.statistics.recordStoreResult(isHealthy: false) }
                // Kept in memory, and retried at the next tick.
                if hasChanged { logger.critical("incidents cannot be stored", metadata: ["error": "\(error)"]) }
            }
        }
        let now = dependencies.now()
        state.withLock { $0.lastTickAt = now.monotonic }
        publish(changes)
    }
}
