/// Keeps unhealthy nodes out of the nearest name: observes, decides, saves its decisions, and then changes the zone.
///
/// It changes the nearest name alone. Nodes' own names are changed by an operator (`dns apply`).
package struct NameWatch {
    /// An event, reported once.
    package enum Event: Equatable, Sendable {
        case decided(FailoverPolicy.Decision)
        /// The lines of an applied plan.
        case changed([String])
        /// A dependency of the watch fails; reported again only when it changes.
        case problem(String)
        /// The monitor's evaluation is paused, as after its start. The monitor reports that itself.
        case paused
        /// All problems are over.
        case recovered
    }

    package typealias Probe = @Sendable ([Node]) async -> [String: ProbeResult]

    /// The zone is compared with the wanted records after this many ticks even without a change: another program may have
    /// changed it.
    private static let ticksBetweenZoneChecks = 12

    fileprivate static let paused =
        "The monitor's evaluation is paused, because it has just started or is isolated: nothing is withdrawn."

    private let inventory: Inventory
    private let rules: FailoverPolicy.Rules
    private let health: any FleetHealth
    private let probe: Probe
    private let provider: any NameProvider
    private let state: WatchState
    private let isOutdated: @Sendable () async throws -> Bool
    private let now: @Sendable () -> Int64
    private let nodes: [Node]

    private var policy: FailoverPolicy
    /// The policy's state in the file. The zone is changed only after the state is saved.
    private var savedPolicy: FailoverPolicy
    /// The overrides at the last successful read.
    private var overrides: [String: ManualOverride]
    private var problems: Set<String> = []
    /// Ticks since the zone was last known to be correct; nil if it may be wrong.
    private var ticksSinceZoneCheck: Int?

    /// Loads the saved state.
    ///
    /// - Parameters:
    ///   - inventory: Must have a `[dns]` table.
    ///   - health: The first vantage point.
    ///   - probe: The second one.
    ///   - provider: Hosts the zone.
    ///   - state: Saved over restarts of the watch.
    ///   - interval: The maximum number of seconds between two ticks.
    ///   - isOutdated: Whether there is a newer inventory; throws while that one is invalid.
    ///   - now: Unix milliseconds.
    /// - Throws: `RecordsError`, `WatchStateError.unreadable`.
    package init(
        _ inventory: Inventory, health: any FleetHealth, probe: @escaping Probe, provider: any NameProvider,
        state: WatchState, interval: Int = 5, isOutdated: @escaping @Sendable () async throws -> Bool = { false },
        now: @escaping @Sendable () -> Int64
    ) throws {
        _ = try Records(inventory)
        self.inventory = inventory
        rules = FailoverPolicy.Rules(floor: inventory.dns?.floor ?? 1, interval: interval)
        self.health = health
        self.probe = probe
        self.provider = provider
        self.state = state
        self.isOutdated = isOutdated
        self.now = now
        nodes = inventory.nearestMembers
        policy = try state.read()
        overrides = try state.overrides()
        savedPolicy = policy
    }

    /// Evaluates once. Nil if there is a newer inventory, which needs a new watch.
    package mutating func tick() async -> [Event]? {
        var problems: Set<String> = []
        do {
            if try await isOutdated() { return nil }
        } catch {
            problems.insert("The changed inventory is invalid, so the previous one stays in use: \(error)")
        }
        var statuses: [String: MonitorStatus] = [:]
        async let probing = probe(nodes)
        do {
            statuses = try await health.statuses()
            if statuses.isEmpty {
                problems.insert(Self.paused)
            }
        } catch {
            problems.insert("The monitor cannot be queried: nothing is withdrawn. \(error)")
        }
        let results = await probing
        let missing = statuses.isEmpty ? MonitorStatus.unknown : .neverSeen
        let observations = Dictionary(
            uniqueKeysWithValues: nodes.map { node in
                let probe = results[node.name] ?? .unreachable("not probed")
                return (node.name, HealthObservation(monitor: statuses[node.name] ?? missing, probe: probe))
            })

        do {
            overrides = try state.overrides()
        } catch {
            problems.insert("The manual overrides cannot be read, so the previous ones stay in force: \(error)")
        }
        let members = FailoverPolicy.members(nodes, overrides)
        let decisions = policy.evaluate(observations, of: members, rules: rules, at: now())
        var events = decisions.map { Event.decided($0) }
        do {
            try save()
            if let lines = try await reconcile() { events.append(.changed(lines)) }
        } catch {
            ticksSinceZoneCheck = nil
            problems.insert("The zone could not be updated: \(error)")
        }
        events += changes(to: problems)
        return events
    }

    private mutating func save() throws {
        guard !policy.isSame(as: savedPolicy) else { return }
        try state.write(policy)
        if policy.withdrawn.keys != savedPolicy.withdrawn.keys { ticksSinceZoneCheck = nil }
        savedPolicy = policy
    }

    /// Applies the difference between the zone and the wanted records.
    ///
    /// - Returns: The changes; nil for none.
    private mutating func reconcile() async throws -> [String]? {
        if let ticksSinceZoneCheck, ticksSinceZoneCheck < Self.ticksBetweenZoneChecks {
            self.ticksSinceZoneCheck = ticksSinceZoneCheck + 1
            return nil
        }
        let records = try Records(
            inventory, withdrawn: Set(savedPolicy.withdrawn.keys), belowFloor: savedPolicy.belowFloor)
        let plan = NamePlan(
            wanted: records, present: try await provider.present([records.nearest]), names: [records.nearest])
        if !plan.isEmpty { try await provider.apply(plan.changes) }
        ticksSinceZoneCheck = 0
        return plan.isEmpty ? nil : plan.lines
    }

    private mutating func changes(to new: Set<String>) -> [Event] {
        defer { problems = new }
        guard !new.isEmpty || problems.isEmpty else { return [.recovered] }
        return new.subtracting(problems).sorted().map { $0 == Self.paused ? .paused : .problem($0) }
    }

    /// Evaluates every `interval` and reports events, until it is cancelled or there is a newer inventory.
    package mutating func run<C: Clock>(
        every interval: Duration, clock: C, report: ([Event]) throws -> Void
    ) async throws where C.Duration == Duration {
        while true {
            let next = clock.now.advanced(by: interval)
            guard let events = await tick() else { return }
            try report(events)
            try await clock.sleep(until: next, tolerance: nil)
        }
    }
}

extension NameWatch.Event: CustomStringConvertible {
    package var description: String { lines.joined(separator: "\n") }

    /// One line per changed record, otherwise a single line.
    package var lines: [String] {
        switch self {
        case .decided(let decision): [decision.description]
        case .changed(let lines): lines
        case .problem(let text): [text]
        case .paused: [NameWatch.paused]
        case .recovered: ["All dependencies of the watch work again."]
        }
    }
}

/// The state of a continuous watch, as reported to the monitor.
package struct WatchOutcome: Equatable, Sendable {
    /// The current problem. A paused evaluation is not one: otherwise the monitor would raise an alarm about its own
    /// restart.
    package private(set) var failure: String?

    package init() {}

    package mutating func update(with events: [NameWatch.Event]) {
        for event in events {
            switch event {
            case .problem(let text): failure = text
            case .recovered: failure = nil
            case .decided, .changed, .paused: break
            }
        }
    }
}
