import Logging
import Synchronization

/// Starts maintenance plans.
extension Watch {
    package enum PlanError: Error, Equatable, CustomStringConvertible, Sendable {
        case malformedStart
        case over
        case overlapsItself
        case tooMany

        package var description: String {
            switch self {
            case .malformedStart: "start must be a date and a time, such as 2026-12-06T02:00."
            case .over: "That time range has passed."
            case .overlapsItself: "Weekly maintenance must last less than a week."
            case .tooMany: "There are already \(Watch.maxPlans) plans. Remove one first."
            }
        }
    }

    private static let maxPlans = 500

    /// Adds a plan. Its `id` is assigned here.
    package func add(_ plan: MaintenancePlan) async throws -> PlanView {
        let zone = try dependencies.zones.rules(of: plan.zone)
        let now = dependencies.now()
        var plan = plan
        guard !plan.isWeekly || plan.duration < MaintenancePlan.week * 1_000 else { throw PlanError.overlapsItself }
        let next: Range<Int64>?
        do {
            next = try plan.next(at: now.wall, in: zone)
        } catch {
            throw PlanError.malformedStart
        }
        guard let next else { throw PlanError.over }
        plan.id = try state.withLock { state in
            guard state.schedule.items.count < Self.maxPlans else { throw PlanError.tooMany }
            return Self.nextID(after: state.schedule.items.map(\.plan.id), at: now)
        }
        try await store.add(plan)
        _ = state.withLock { [plan] in $0.schedule.add(plan, in: zone, now: now.wall) }
        await tick()
        return PlanView(plan: plan, next: next.lowerBound)
    }

    /// Removes a plan. A maintenance window that has started ends as scheduled.
    package func removePlan(_ id: Int64) async throws {
        try await store.removePlan(id)
        state.withLock { $0.schedule.remove(id) }
    }

    /// Starts the maintenance windows that are due. None is started while the wall clock is not trusted, since it would
    /// suppress notifications.
    func beginDueMaintenance() async {
        let now = dependencies.now()
        let due = state.withLock { state in
            state.evaluator.mayBegin(at: now) ? state.schedule.due(at: now.wall) : []
        }
        for (plan, work) in due {
            let id = state.withLock { Self.nextID(after: $0.evaluator.maintenanceWindows.map(\.id), at: now) }
            let window = MaintenanceWindow(
                id: id, nodes: plan.nodes, by: plan.by, reason: plan.reason, until: work.upperBound)
            // It may have ended while the monitor was not running.
            let isOver = work.upperBound <= now.wall
            do {
                try await store.begin(plan, isOver ? nil : window)
            } catch {
                if let count = failedPlanStarts.recordFailure(at: now.monotonic) {
                    logger.error(
                        "planned maintenance cannot start", metadata: ["count": "\(count)", "error": "\(error)"])
                }
                continue
            }
            if failedPlanStarts.recordSuccess() { logger.notice("planned maintenance can start again") }
            logger.notice(
                isOver ? "planned maintenance skipped" : "planned maintenance started",
                metadata: ["reason": "\(plan.reason)", "nodes": "\(plan.nodes.joined(separator: ","))"])
            state.withLock { state in
                state.schedule.began(plan, now: now.wall)
                guard !isOver else { return }
                state.pendingChanges += state.evaluator.add(window, at: now)
                state.changedNodes.formUnion(window.nodes.isEmpty ? Array(state.ids.keys) : window.nodes)
            }
        }
    }
}
