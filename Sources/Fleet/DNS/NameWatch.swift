/// Keeps ill nodes out of the nearest name. Looks, decides, writes down what it decided, and then does it.
///
/// It changes the nearest name alone. Nodes' own names are a person's business (`dns apply`).
package struct NameWatch {
    /// What there is to tell, each once.
    package enum Event: Equatable, Sendable {
        case decided(FailoverPolicy.Decision)
        /// Lines of a plan that was performed.
        case changed([String])
        /// Something that the watch needs does not work; said again only when it changes.
        case trouble(String)
        /// The monitor evaluates nobody for a while, as after its start. It knows that itself.
        case paused
        case relieved
    }

    package typealias Probe = @Sendable ([Node]) async -> [String: ProbeAnswer]

    /// Also without a reason the zone is compared with what should stand, after so many looks: somebody may have changed
    /// it.
    private static let looksBetweenChecks = 12

    fileprivate static let paused =
        "The monitor evaluates nobody, because it has just started or is isolated: nothing is withdrawn."

    private let inventory: Inventory
    private let rules: FailoverPolicy.Rules
    private let health: any FleetHealth
    private let probe: Probe
    private let provider: any NameProvider
    private let state: WatchState
    private let isOutdated: @Sendable () async throws -> Bool
    private let now: @Sendable () -> Int64
    private let nodes: [Node]

    private var withdrawal: FailoverPolicy
    /// As it stands in the file. The names follow it, and never run ahead of it.
    private var written: FailoverPolicy
    /// As they could be read last.
    private var overrides: [String: ManualOverride]
    private var troubles: Set<String> = []
    /// How many looks ago the zone was known to be right; nil when it may be wrong.
    private var sinceCheck: Int?

    /// Reads who was out before.
    ///
    /// - Parameters:
    ///   - inventory: Must have a `[dns]` table.
    ///   - health: The first vantage point.
    ///   - probe: The second one.
    ///   - provider: Keeps the names.
    ///   - state: Outlives the watch.
    ///   - interval: Seconds between two looks, at most.
    ///   - isOutdated: Whether there is a newer inventory; throws while that one cannot be used.
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
        withdrawal = try state.read()
        overrides = try state.overrides()
        written = withdrawal
    }

    /// Once around. Nil when there is a newer inventory: another watch must go on with that.
    package mutating func look() async -> [Event]? {
        var troubles: Set<String> = []
        do {
            if try await isOutdated() { return nil }
        } catch {
            troubles.insert("The inventory was changed and cannot be used, so the one before still counts: \(error)")
        }
        var verdicts: [String: MonitorVerdict] = [:]
        async let answers = probe(nodes)
        do {
            verdicts = try await health.verdicts()
            if verdicts.isEmpty {
                troubles.insert(Self.paused)
            }
        } catch {
            troubles.insert("The monitor cannot be asked: nothing is withdrawn. \(error)")
        }
        let answered = await answers
        let unheard = verdicts.isEmpty ? MonitorVerdict.unknown : .stranger
        let observations = Dictionary(
            uniqueKeysWithValues: nodes.map { node in
                let probe = answered[node.name] ?? .unreachable("not asked")
                return (node.name, HealthObservation(monitor: verdicts[node.name] ?? unheard, probe: probe))
            })

        do {
            overrides = try state.overrides()
        } catch {
            troubles.insert("Whom people took out cannot be read, so it stays as it was: \(error)")
        }
        let members = FailoverPolicy.members(nodes, overrides)
        let decisions = withdrawal.judge(observations, of: members, rules: rules, at: now())
        var events = decisions.map { Event.decided($0) }
        do {
            try write()
            if let lines = try await reconcile() { events.append(.changed(lines)) }
        } catch {
            sinceCheck = nil
            troubles.insert("The names are not as they should be: \(error)")
        }
        events += tell(troubles)
        return events
    }

    private mutating func write() throws {
        guard !withdrawal.isSame(as: written) else { return }
        try state.write(withdrawal)
        if withdrawal.withdrawn.keys != written.withdrawn.keys { sinceCheck = nil }
        written = withdrawal
    }

    /// - Returns: What was changed; nil for nothing.
    private mutating func reconcile() async throws -> [String]? {
        if let sinceCheck, sinceCheck < Self.looksBetweenChecks {
            self.sinceCheck = sinceCheck + 1
            return nil
        }
        let records = try Records(inventory, withdrawn: Set(written.withdrawn.keys), belowFloor: written.belowFloor)
        let plan = NamePlan(
            wanted: records, present: try await provider.present([records.nearest]), names: [records.nearest])
        if !plan.isEmpty { try await provider.apply(plan.changes) }
        sinceCheck = 0
        return plan.isEmpty ? nil : plan.lines
    }

    private mutating func tell(_ new: Set<String>) -> [Event] {
        defer { troubles = new }
        guard !new.isEmpty || troubles.isEmpty else { return [.relieved] }
        return new.subtracting(troubles).sorted().map { $0 == Self.paused ? .paused : .trouble($0) }
    }

    /// Looks every `interval` and tells what there is to tell, until it is cancelled or there is a newer inventory.
    package mutating func run<C: Clock>(
        every interval: Duration, clock: C, tell: ([Event]) throws -> Void
    ) async throws where C.Duration == Duration {
        while true {
            let next = clock.now.advanced(by: interval)
            guard let events = await look() else { return }
            try tell(events)
            try await clock.sleep(until: next, tolerance: nil)
        }
    }
}

extension NameWatch.Event: CustomStringConvertible {
    package var description: String { lines.joined(separator: "\n") }

    /// One for each record that was changed, otherwise one: what others said in it begins no line of its own.
    package var lines: [String] {
        switch self {
        case .decided(let decision): [decision.description]
        case .changed(let lines): lines
        case .trouble(let text): [text]
        case .paused: [NameWatch.paused]
        case .relieved: ["All that the watch needs works again."]
        }
    }
}

/// What the monitor is told of a watch that runs all the time.
package struct WatchOutcome: Equatable, Sendable {
    /// What the watch needs and does not have. That the monitor evaluates nobody is no failure of the watch, and the monitor
    /// would alarm because it was restarted.
    package private(set) var failure: String?

    package init() {}

    package mutating func note(_ events: [NameWatch.Event]) {
        for event in events {
            switch event {
            case .trouble(let text): failure = text
            case .relieved: failure = nil
            case .decided, .changed, .paused: break
            }
        }
    }
}
