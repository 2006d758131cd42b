import Synchronization

/// Views for the dashboard and the API.
extension Watch {
    package func fleet() -> FleetView {
        let now = dependencies.now()
        return state.withLock { state in
            FleetView(
                now: now.wall, evaluationPaused: state.evaluator.isEvaluationPaused(at: now),
                timing: .init(interval: timing.interval, sev2: timing.sev2, sev1: timing.sev1),
                nodes: state.views(of: state.evaluator.nodes.keys.sorted(), at: now), incidents: state.incidents,
                silences: state.evaluator.silences, maintenanceWindows: state.evaluator.maintenanceWindows,
                plans: state.schedule.items.map { PlanView(plan: $0.plan, next: $0.next?.lowerBound) })
        }
    }

    package func node(_ name: String) -> NodeView? {
        let now = dependencies.now()
        return state.withLock { $0.views(of: [name], at: now).first }
    }

    package var statistics: WatchStatistics { state.withLock { $0.statistics } }

    /// Publishes changes to open dashboards. A node that merely became late has changed too, so all nodes are compared
    /// with their published state.
    func publish(_ changes: [IncidentChange]) {
        guard !events.isEmpty else {
            state.withLock { $0.changedNodes = [] }
            return
        }
        let now = dependencies.now()
        let (nodes, incidents) = state.withLock { state in
            state.changedNodes.formUnion(changes.compactMap(\.incident.node))
            guard now.monotonic - state.publishedAt >= min(1_000, timing.interval / 30) else {
                return ([NodeView](), [Incident]?.none)
            }
            state.publishedAt = now.monotonic
            let hasChanges = state.hasIncidentChanges || !changes.isEmpty
            state.hasIncidentChanges = false
            for (name, record) in state.evaluator.nodes
            where state.publishedStates[name] != state.evaluator.state(of: record, at: now) {
                state.changedNodes.insert(name)
                state.publishedStates[name] = state.evaluator.state(of: record, at: now)
            }
            let views = state.views(of: state.changedNodes.sorted(), at: now)
            state.changedNodes = []
            return (views, hasChanges ? state.incidents : nil)
        }
        events.publishKeepAlive(at: now.monotonic)
        if !nodes.isEmpty { events.publish(.nodes(nodes)) }
        if let incidents {
            events.publish(.incidents(incidents))
        } else if !changes.isEmpty {
            state.withLock { $0.hasIncidentChanges = true }
        }
    }
}

extension Watch.State {
    /// Open incidents, newest first.
    var incidents: [Incident] { evaluator.incidents.open.values.map(\.incident).sorted { $0.id > $1.id } }

    func views(of names: [String], at now: ClockReading) -> [NodeView] {
        let worst = evaluator.worst
        return names.compactMap { name in
            guard let record = evaluator.nodes[name] else { return nil }
            let location = locations[name]
            return NodeView(
                name: name, region: record.node.region, every: record.node.every, city: location?.city,
                latitude: location?.latitude,
                longitude: location?.longitude, state: evaluator.state(of: record, at: now), worst: worst[name],
                lastBeat: record.persisted.lastBeat, ping: record.persisted.ping, skew: record.persisted.skew,
                healthProblem: record.persisted.healthProblem, refused: pushProblems[name], body: record.persisted.body)
        }
    }
}
