import Logging
import Synchronization

/// Actions of operators and deployment tools. Each is durable when it returns.
extension Watch {
    /// - Throws: `FleetEvaluator.ActionError`.
    package func acknowledge(_ id: Int64, by: String, note: String?) async throws {
        let now = dependencies.now()
        try state.withLock { $0.pendingChanges += try $0.evaluator.acknowledge(id, by: by, note: note, at: now) }
        await tick()
    }

    /// - Throws: `FleetEvaluator.ActionError`.
    package func accept(_ id: Int64) async throws {
        let now = dependencies.now()
        let accepted = try state.withLock { state -> (Int64, PersistedNodeState)? in
            let name = state.evaluator.incidents.incident(id)?.node
            state.pendingChanges += try state.evaluator.accept(id, at: now)
            guard let name, let id = state.ids[name], let record = state.evaluator.nodes[name] else { return nil }
            return (id, record.persisted)
        }
        // A silent node is not written each minute. On a full disk the acceptance lasts until a restart.
        if let accepted {
            do {
                try await store.save(accepted.1, of: accepted.0)
            } catch {
                logger.error("accepted state cannot be stored", metadata: ["error": "\(error)"])
            }
        }
        await tick()
    }

    /// Returns an id that none of these has, though several may be created in one millisecond or the clock was set
    /// back.
    static func nextID(after ids: [Int64], at now: ClockReading) -> Int64 { max(now.wall, (ids.max() ?? 0) + 1) }

    package func silence(node: String?, rule: String?, by: String, reason: String, for duration: Int64) async throws
        -> Silence
    {
        let now = dependencies.now()
        let silence = state.withLock { state in
            Silence(
                id: Self.nextID(after: state.evaluator.silences.map(\.id), at: now), node: node, rule: rule, by: by,
                reason: reason, until: now.wall + duration)
        }
        try await store.add(silence)
        state.withLock { $0.pendingChanges += $0.evaluator.add(silence, at: now) }
        await tick()
        return silence
    }

    package func endSilence(_ id: Int64) async throws {
        try await store.removeSilence(id)
        let now = dependencies.now()
        state.withLock { $0.pendingChanges += $0.evaluator.removeSilence(id, at: now) }
        await tick()
    }

    package func beginMaintenance(
        nodes: [String], by: String, reason: String, for duration: Int64
    ) async throws -> MaintenanceWindow {
        let now = dependencies.now()
        let window = state.withLock { state in
            MaintenanceWindow(
                id: Self.nextID(after: state.evaluator.maintenanceWindows.map(\.id), at: now), nodes: nodes, by: by,
                reason: reason,
                until: now.wall + duration)
        }
        try await store.add(window)
        state.withLock { state in
            state.pendingChanges += state.evaluator.add(window, at: now)
            state.changedNodes.formUnion(nodes.isEmpty ? Array(state.ids.keys) : nodes)
        }
        await tick()
        return window
    }

    package func endMaintenance(_ id: Int64) async throws {
        try await store.removeMaintenanceWindow(id)
        let now = dependencies.now()
        state.withLock { state in
            state.changedNodes.formUnion(state.ids.keys)
            state.pendingChanges += state.evaluator.removeMaintenanceWindow(id, at: now)
        }
        await tick()
    }

    /// Reports the monitor's own problems; `problems` lists all current ones of these rules.
    package func report(_ problems: [MonitorProblem], by rules: Set<String>) async {
        let now = dependencies.now()
        let hasChanges = state.withLock { state in
            let changes = state.evaluator.report(problems, by: rules, at: now)
            state.pendingChanges += changes
            return !changes.isEmpty
        }
        if hasChanges { await tick() }
    }

    /// Applies changes of the node list made by `clavitor-monitor node`.
    package func reloadNodes() async throws {
        let known = state.withLock { $0.nodeListVersion }
        guard let (stored, version) = try await store.nodeList(since: known) else { return }
        let now = dependencies.now()
        state.withLock { state in
            state.nodeListVersion = version
            // A node is identified by its id: one that was removed and added again is another node, with its own
            // history.
            let present = Dictionary(stored.map { ($0.id, $0.name) }) { first, _ in first }
            for (name, id) in state.ids where present[id] == nil {
                state.pendingChanges += state.evaluator.remove(name, at: now)
            }
            let next = state.ids.compactMapValues { present[$0] }
            state.pendingChanges += state.evaluator.change(next, at: now)
            state.rename(next.mapValues(\.name).filter { $0.key != $0.value })
            for node in stored where state.evaluator.nodes[node.name.name] == nil {
                state.evaluator.add(node.name, node.persisted, at: now)
            }
            for node in stored where state.names[node.tokenHash] == nil {
                state.evaluator.resetBoots(of: node.name.name)
            }
            state.ids = Dictionary(stored.map { ($0.name.name, $0.id) }) { first, _ in first }
            state.names = Dictionary(stored.map { ($0.tokenHash, $0.name.name) }) { first, _ in first }
        }
        await tick()
    }
}

extension Watch.State {
    /// Replaces node names. `names` maps old names to new ones.
    fileprivate mutating func rename(_ names: [String: String]) {
        guard !names.isEmpty else { return }
        schedule.rename(names)
        means = Dictionary(means.map { (names[$0] ?? $0, $1) }) { first, _ in first }
        rateLimits = Dictionary(rateLimits.map { (names[$0] ?? $0, $1) }) { first, _ in first }
        pushProblems = Dictionary(pushProblems.map { (names[$0] ?? $0, $1) }) { first, _ in first }
        changedNodes.formUnion(names.values)
    }
}
