import Logging
import Synchronization

/// Planned work that begins by itself.
extension Watch {
    package enum PlanRefusal: Error, Equatable, CustomStringConvertible, Sendable {
        case malformedStart
        case over
        case overlapsItself
        case tooMany

        package var description: String {
            switch self {
            case .malformedStart: "start is a date and a time, such as 2026-12-06T02:00."
            case .over: "That time has passed, and the work that would have begun then is over."
            case .overlapsItself: "Work of each week lasts less than a week."
            case .tooMany: "There are \(Watch.mostPlans) plans. Remove one first."
            }
        }
    }

    private static let mostPlans = 500

    /// `plan`: Its `id` is given here.
    ///
    /// - Throws: `PlanRefusal`, `NoSuchZone`, or the store's error.
    package func add(_ plan: Plan) async throws -> PlanView {
        let zone = try world.zones.rules(of: plan.zone)
        let now = world.now()
        var plan = plan
        guard !plan.isWeekly || plan.span < Plan.week * 1_000 else { throw PlanRefusal.overlapsItself }
        let next: Range<Int64>?
        do {
            next = try plan.next(at: now.wall, in: zone)
        } catch {
            throw PlanRefusal.malformedStart
        }
        guard let next else { throw PlanRefusal.over }
        plan.id = try state.withLock { state in
            guard state.agenda.items.count < Self.mostPlans else { throw PlanRefusal.tooMany }
            return Self.nextID(after: state.agenda.items.map(\.plan.id), at: now)
        }
        try await store.add(plan)
        _ = state.withLock { [plan] in $0.agenda.add(plan, in: zone, now: now.wall) }
        await look()
        return PlanView(plan: plan, next: next.lowerBound)
    }

    /// Nothing of it begins any more. What has begun ends as it would have.
    package func removePlan(_ id: Int64) async throws {
        try await store.removePlan(id)
        state.withLock { $0.agenda.remove(id) }
    }

    /// Begins what is due. While the wall clock is in doubt nothing is: what it hides, nobody would hear of.
    func beginPlanned() async {
        let now = world.now()
        let due = state.withLock { state in
            state.judge.mayBegin(at: now) ? state.agenda.due(at: now.wall) : []
        }
        for (plan, work) in due {
            let id = state.withLock { Self.nextID(after: $0.judge.leases.map(\.id), at: now) }
            let lease = Lease(id: id, nodes: plan.nodes, by: plan.by, reason: plan.reason, until: work.upperBound)
            // It may have ended while nobody looked at the time.
            let isOver = work.upperBound <= now.wall
            do {
                try await store.begin(plan, isOver ? nil : lease)
            } catch {
                if let count = unbegun.failed(at: now.steady) {
                    logger.error(
                        "planned work cannot begin", metadata: ["count": "\(count)", "error": "\(error)"])
                }
                continue
            }
            if unbegun.worked() { logger.notice("planned work begins again") }
            logger.notice(
                isOver ? "planned work was passed over" : "planned work begins",
                metadata: ["reason": "\(plan.reason)", "nodes": "\(plan.nodes.joined(separator: ","))"])
            state.withLock { state in
                state.agenda.began(plan, now: now.wall)
                guard !isOver else { return }
                state.unsaved += state.judge.add(lease, at: now)
                state.touched.formUnion(lease.nodes.isEmpty ? Array(state.ids.keys) : lease.nodes)
            }
        }
    }
}
