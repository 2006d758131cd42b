/// What people decided about nodes, and what goes on under their next names.
protocol NamesNodes: Codable {
    /// `names`: The new by the old.
    mutating func rename(_ names: [String: String])
}

/// Somebody does not want to hear of it for a while. It is shown all the same.
package struct Silence: NamesNodes, Equatable, Identifiable, Sendable {
    package var id: Int64
    /// Nil for any.
    package var node: String?
    package var rule: String?
    package var by: String
    package var reason: String
    /// Wall milliseconds.
    package var until: Int64

    package init(id: Int64, node: String?, rule: String?, by: String, reason: String, until: Int64) {
        self.id = id
        self.node = node
        self.rule = rule
        self.by = by
        self.reason = reason
        self.until = until
    }

    var key: String { "silence/\(id)" }

    mutating func rename(_ names: [String: String]) { node = node.map { names[$0] ?? $0 } }
}

/// Planned work: nothing new is raised about these nodes, and nobody is reminded of what was, until it ends, which it does
/// by itself.
package struct Lease: NamesNodes, Equatable, Identifiable, Sendable {
    package var id: Int64
    /// Empty for all.
    package var nodes: [String]
    package var by: String
    package var reason: String
    /// Wall milliseconds.
    package var until: Int64

    package init(id: Int64, nodes: [String], by: String, reason: String, until: Int64) {
        self.id = id
        self.nodes = nodes
        self.by = by
        self.reason = reason
        self.until = until
    }

    var key: String { "lease/\(id)" }

    func covers(_ name: String) -> Bool { nodes.isEmpty || nodes.contains(name) }

    mutating func rename(_ names: [String: String]) { nodes = nodes.map { names[$0] ?? $0 } }
}

/// What people do about incidents.
extension FleetJudge {
    package enum Refusal: Error, Equatable, Sendable {
        case noSuchIncident
        /// It ends when what is wrong ends.
        case notYoursToEnd
    }

    package mutating func acknowledge(
        _ id: Int64, by: String, note: String?, at now: Moment
    ) throws(Refusal) -> [IncidentChange] {
        guard book.incident(id) != nil else { throw .noSuchIncident }
        return book.acknowledge(id, by: by, note: note, at: now.wall)
    }

    /// Ends one that only a human can end; a changed audit chain is accepted as it is now.
    package mutating func accept(_ id: Int64, at now: Moment) throws(Refusal) -> [IncidentChange] {
        guard let incident = book.incident(id) else { throw .noSuchIncident }
        guard Rule.table.contains(where: { $0.name == incident.rule && $0.isLatched }) else { throw .notYoursToEnd }
        if let name = incident.node, let body = nodes[name]?.memory.body {
            nodes[name]?.memory.witness = AuditWitness(body)
        }
        return book.resolve(incident.key, at: now.wall) + (incident.node.map { hideFollowers(of: $0, at: now) } ?? [])
    }

    package mutating func add(_ silence: Silence, at now: Moment) -> [IncidentChange] {
        silences.append(silence)
        note(silence.key, until: silence.until, at: now)
        return hideAnew(book.open.values.filter { $0.incident.hiddenBy == nil }, at: now)
    }

    package mutating func removeSilence(_ id: Int64, at now: Moment) -> [IncidentChange] {
        silences.removeAll { $0.id == id }
        forgetEnd("silence/\(id)")
        return hideAnew(book.open.values.filter { $0.incident.hiddenBy == "silence/\(id)" }, at: now)
    }

    package mutating func add(_ lease: Lease, at now: Moment) -> [IncidentChange] {
        leases.append(lease)
        note(lease.key, until: lease.until, at: now)
        return hideAnew(
            book.open.values.filter { $0.incident.hiddenBy == nil && $0.incident.node.map(lease.covers) ?? false },
            at: now)
    }

    /// Ends it early: from now on the nodes are judged again.
    package mutating func removeLease(_ id: Int64, at now: Moment) -> [IncidentChange] {
        endLeases(at: now) { $0.id == id }
    }

    /// Whom no other work covers is judged from now on.
    private mutating func endLeases(at now: Moment, where isOver: (Lease) -> Bool) -> [IncidentChange] {
        let over = leases.filter(isOver)
        guard !over.isEmpty else { return [] }
        leases.removeAll(where: isOver)
        for lease in over { forgetEnd(lease.key) }
        mayRelease = true
        for name in nodes.keys.sorted() {
            guard over.contains(where: { $0.covers(name) }), !isInMaintenance(name, at: now) else { continue }
            nodes[name]?.judgedFrom = now.steady
            nodes[name].map { watch($0) }
        }
        let keys = Set(over.map(\.key))
        return hideAnew(book.open.values.filter { $0.incident.hiddenBy.map(keys.contains) ?? false }, at: now)
    }

    mutating func expire(at now: Moment) -> [IncidentChange] {
        // Looked at many times a second, and hardly ever is there one.
        let over = Set(ends.keys.filter { isOver($0, at: now) })
        guard !over.isEmpty else { return [] }
        let changes = endLeases(at: now) { over.contains($0.key) }
        return changes + silences.filter { over.contains($0.key) }.flatMap { removeSilence($0.id, at: now) }
    }
}
