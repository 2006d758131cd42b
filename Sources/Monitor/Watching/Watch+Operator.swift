import Logging
import Synchronization

/// What people, and the tools that deploy, do with the judgement. Each is on the disk when it returns.
extension Watch {
    /// - Throws: `FleetJudge.Refusal`.
    package func acknowledge(_ id: Int64, by: String, note: String?) async throws {
        let now = world.now()
        try state.withLock { $0.unsaved += try $0.judge.acknowledge(id, by: by, note: note, at: now) }
        await look()
    }

    /// - Throws: `FleetJudge.Refusal`.
    package func accept(_ id: Int64) async throws {
        let now = world.now()
        let accepted = try state.withLock { state -> (Int64, NodeMemory)? in
            let name = state.judge.book.incident(id)?.node
            state.unsaved += try state.judge.accept(id, at: now)
            guard let name, let id = state.ids[name], let record = state.judge.nodes[name] else { return nil }
            return (id, record.memory)
        }
        // Who is silent is not written down each minute. On a full disk it holds until a restart.
        if let accepted {
            do {
                try await store.keep(accepted.1, of: accepted.0)
            } catch {
                logger.error("what was accepted cannot be written down", metadata: ["error": "\(error)"])
            }
        }
        await look()
    }

    /// A number that none of these has, though several are made in a millisecond or the clock was set back.
    static func nextID(after ids: [Int64], at now: Moment) -> Int64 { max(now.wall, (ids.max() ?? 0) + 1) }

    package func silence(node: String?, rule: String?, by: String, reason: String, for span: Int64) async throws
        -> Silence
    {
        let now = world.now()
        let silence = state.withLock { state in
            Silence(
                id: Self.nextID(after: state.judge.silences.map(\.id), at: now), node: node, rule: rule, by: by,
                reason: reason, until: now.wall + span)
        }
        try await store.add(silence)
        state.withLock { $0.unsaved += $0.judge.add(silence, at: now) }
        await look()
        return silence
    }

    package func endSilence(_ id: Int64) async throws {
        try await store.removeSilence(id)
        let now = world.now()
        state.withLock { $0.unsaved += $0.judge.removeSilence(id, at: now) }
        await look()
    }

    package func maintain(nodes: [String], by: String, reason: String, for span: Int64) async throws -> Lease {
        let now = world.now()
        let lease = state.withLock { state in
            Lease(
                id: Self.nextID(after: state.judge.leases.map(\.id), at: now), nodes: nodes, by: by, reason: reason,
                until: now.wall + span)
        }
        try await store.add(lease)
        state.withLock { state in
            state.unsaved += state.judge.add(lease, at: now)
            state.touched.formUnion(nodes.isEmpty ? Array(state.ids.keys) : nodes)
        }
        await look()
        return lease
    }

    package func endMaintenance(_ id: Int64) async throws {
        try await store.removeLease(id)
        let now = world.now()
        state.withLock { state in
            state.touched.formUnion(state.ids.keys)
            state.unsaved += state.judge.removeLease(id, at: now)
        }
        await look()
    }

    /// Takes what the monitor finds wrong with itself; all that there is at present by these rules.
    package func report(_ problems: [OwnProblem], by rules: Set<String>) async {
        let now = world.now()
        let hasNews = state.withLock { state in
            let changes = state.judge.report(problems, by: rules, at: now)
            state.unsaved += changes
            return !changes.isEmpty
        }
        if hasNews { await look() }
    }

    /// Takes in nodes that were added, removed or given another token by `clavitor-monitor node`.
    package func reloadNodes() async throws {
        let known = state.withLock { $0.rosterVersion }
        guard let (kept, version) = try await store.roster(since: known) else { return }
        let now = world.now()
        state.withLock { state in
            state.rosterVersion = version
            // A node is its number: one that was removed and added again meanwhile is another one, with a past of its own.
            let present = Dictionary(kept.map { ($0.id, $0.name) }) { first, _ in first }
            for (name, id) in state.ids where present[id] == nil {
                state.unsaved += state.judge.remove(name, at: now)
            }
            let next = state.ids.compactMapValues { present[$0] }
            state.unsaved += state.judge.change(next, at: now)
            state.rename(next.mapValues(\.name).filter { $0.key != $0.value })
            for node in kept where state.judge.nodes[node.name.name] == nil {
                state.judge.add(node.name, node.memory, at: now)
            }
            for node in kept where state.names[node.tokenHash] == nil { state.judge.forgetBoots(of: node.name.name) }
            state.ids = Dictionary(kept.map { ($0.name.name, $0.id) }) { first, _ in first }
            state.names = Dictionary(kept.map { ($0.tokenHash, $0.name.name) }) { first, _ in first }
        }
        await look()
    }
}

extension Watch.State {
    /// `names`: The new by the old.
    fileprivate mutating func rename(_ names: [String: String]) {
        guard !names.isEmpty else { return }
        agenda.rename(names)
        means = Dictionary(means.map { (names[$0] ?? $0, $1) }) { first, _ in first }
        budgets = Dictionary(budgets.map { (names[$0] ?? $0, $1) }) { first, _ in first }
        refused = Dictionary(refused.map { (names[$0] ?? $0, $1) }) { first, _ in first }
        touched.formUnion(names.values)
    }
}
