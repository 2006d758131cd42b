import Synchronization

/// What people are shown.
extension Watch {
    package func fleet() -> FleetView {
        let now = world.now()
        return state.withLock { state in
            FleetView(
                now: now.wall, doubtful: state.judge.isDoubtful(at: now),
                timing: .init(interval: timing.interval, sev2: timing.sev2, sev1: timing.sev1),
                nodes: state.views(of: state.judge.nodes.keys.sorted(), at: now), incidents: state.incidents,
                silences: state.judge.silences, leases: state.judge.leases,
                plans: state.agenda.items.map { PlanView(plan: $0.plan, next: $0.next?.lowerBound) })
        }
    }

    package func node(_ name: String) -> NodeView? {
        let now = world.now()
        return state.withLock { $0.views(of: [name], at: now).first }
    }

    package var figures: WatchFigures { state.withLock { $0.figures } }

    /// Tells open pages what is new. Nodes that only grew late are new too, so all are looked at whose state is not theirs.
    func show(_ changes: [IncidentChange]) {
        guard !audience.isEmpty else {
            state.withLock { $0.touched = [] }
            return
        }
        let now = world.now()
        let (nodes, incidents) = state.withLock { state in
            state.touched.formUnion(changes.compactMap(\.incident.node))
            guard now.steady - state.shownAt >= min(1_000, timing.interval / 30) else {
                return ([NodeView](), [Incident]?.none)
            }
            state.shownAt = now.steady
            let hasNews = state.hasIncidentNews || !changes.isEmpty
            state.hasIncidentNews = false
            for (name, record) in state.judge.nodes
            where state.shownStates[name] != state.judge.state(of: record, at: now) {
                state.touched.insert(name)
                state.shownStates[name] = state.judge.state(of: record, at: now)
            }
            let views = state.views(of: state.touched.sorted(), at: now)
            state.touched = []
            return (views, hasNews ? state.incidents : nil)
        }
        audience.tellPause(at: now.steady)
        if !nodes.isEmpty { audience.tell(.nodes(nodes)) }
        if let incidents {
            audience.tell(.incidents(incidents))
        } else if !changes.isEmpty {
            state.withLock { $0.hasIncidentNews = true }
        }
    }
}

extension Watch.State {
    /// Newest first.
    var incidents: [Incident] { judge.book.open.values.map(\.incident).sorted { $0.id > $1.id } }

    func views(of names: [String], at now: Moment) -> [NodeView] {
        let worst = judge.worst
        return names.compactMap { name in
            guard let record = judge.nodes[name] else { return nil }
            let place = places[name]
            return NodeView(
                name: name, region: record.node.region, every: record.node.every, city: place?.city,
                latitude: place?.latitude,
                longitude: place?.longitude, state: judge.state(of: record, at: now), worst: worst[name],
                lastBeat: record.memory.lastBeat, ping: record.memory.ping, skew: record.memory.skew,
                ill: record.memory.ill, refused: refused[name], body: record.memory.body)
        }
    }
}
