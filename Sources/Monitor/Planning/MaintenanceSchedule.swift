/// Maintenance plans and their next start times.
struct MaintenanceSchedule: Sendable {
    private(set) var items: [Item] = []

    struct Item: Sendable {
        var plan: MaintenancePlan
        /// Nil when the machine does not know the time zone.
        let zone: TimeZoneRules?
        var next: Range<Int64>?
    }

    /// Adds a plan. `now`: Unix milliseconds, as all times here.
    ///
    /// - Returns: Whether the plan has a future start: one that does not repeat may be over.
    @discardableResult
    mutating func add(_ plan: MaintenancePlan, in zone: TimeZoneRules?, now: Int64) -> Bool {
        let next = zone.flatMap { try? plan.next(at: now, in: $0) }
        guard zone == nil || next != nil else { return false }
        items.append(Item(plan: plan, zone: zone, next: next))
        return true
    }

    /// Whether some plan cannot start because its time zone is unknown.
    var lacksTimeZone: Bool { items.contains { $0.zone == nil } }

    mutating func remove(_ id: Int64) { items.removeAll { $0.plan.id == id } }

    /// Plans that are due, each with its updated state and its time range.
    func due(at now: Int64) -> [(plan: MaintenancePlan, work: Range<Int64>)] {
        items.compactMap { item in
            guard let next = item.next, next.lowerBound <= now else { return nil }
            var plan = item.plan
            plan.begun = next.lowerBound
            return (plan, next)
        }
    }

    /// Records that a plan has started or was skipped. A plan without a further start is removed.
    mutating func began(_ plan: MaintenancePlan, now: Int64) {
        guard let item = items.first(where: { $0.plan.id == plan.id }) else { return }
        remove(plan.id)
        add(plan, in: item.zone, now: now)
    }

    mutating func rename(_ names: [String: String]) {
        for index in items.indices { items[index].plan.rename(names) }
    }
}
