/// What is planned, and what of it is due.
struct Agenda: Sendable {
    private(set) var items: [Item] = []

    struct Item: Sendable {
        var plan: Plan
        /// Nil while the machine does not know it.
        let zone: ZoneRules?
        var next: Range<Int64>?
    }

    /// `now`: Unix milliseconds, as all times here.
    ///
    /// - Returns: Whether anything comes of it: what was to begin once may be over.
    @discardableResult
    mutating func add(_ plan: Plan, in zone: ZoneRules?, now: Int64) -> Bool {
        let next = zone.flatMap { try? plan.next(at: now, in: $0) }
        guard zone == nil || next != nil else { return false }
        items.append(Item(plan: plan, zone: zone, next: next))
        return true
    }

    /// Whether some of it cannot begin.
    var lacksZone: Bool { items.contains { $0.zone == nil } }

    mutating func remove(_ id: Int64) { items.removeAll { $0.plan.id == id } }

    /// Work that ought to have begun, each with its plan as it is then.
    func due(at now: Int64) -> [(plan: Plan, work: Range<Int64>)] {
        items.compactMap { item in
            guard let next = item.next, next.lowerBound <= now else { return nil }
            var plan = item.plan
            plan.begun = next.lowerBound
            return (plan, next)
        }
    }

    /// Its work has begun, or was passed over. Whatever comes no more is gone.
    mutating func began(_ plan: Plan, now: Int64) {
        guard let item = items.first(where: { $0.plan.id == plan.id }) else { return }
        remove(plan.id)
        add(plan, in: item.zone, now: now)
    }

    mutating func rename(_ names: [String: String]) {
        for index in items.indices { items[index].plan.rename(names) }
    }
}
