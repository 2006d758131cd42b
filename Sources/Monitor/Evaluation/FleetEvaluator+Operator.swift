/// Operator actions on incidents, silences and maintenance windows.
extension FleetEvaluator {
    package enum ActionError: Error, Equatable, Sendable {
        case noSuchIncident
        /// The incident resolves only when its condition clears.
        case endsOnlyByItself
    }

    package mutating func acknowledge(
        _ id: Int64, by: String, note: String?, at now: ClockReading
    ) throws(ActionError) -> [IncidentChange] {
        guard incidents.incident(id) != nil else { throw .noSuchIncident }
        return incidents.acknowledge(id, by: by, note: note, at: now.wall)
    }

    /// Resolves a latched incident, which only an operator can end. Accepting a changed audit chain makes its present
    /// state the new checkpoint; accepting another key lets the next heartbeat choose one.
    package mutating func accept(_ id: Int64, at now: ClockReading) throws(ActionError) -> [IncidentChange] {
        guard let incident = incidents.incident(id) else { throw .noSuchIncident }
        guard Rule.table.contains(where: { $0.name == incident.rule && $0.isLatched }) else { throw .endsOnlyByItself }
        if let name = incident.node {
            if incident.rule == "heartbeat-key" {
                nodes[name]?.persisted.heartbeatKey = nil
                nodes[name]?.persisted.hasOtherKey = nil
            } else {
                nodes[name]?.persisted.acceptCheckpoint()
            }
        }
        return incidents.resolve(incident.key, at: now.wall)
            + (incident.node.map { updateInhibitions(of: $0, at: now) } ?? [])
    }

    package mutating func add(_ silence: Silence, at now: ClockReading) -> [IncidentChange] {
        silences.append(silence)
        note(silence.key, until: silence.until, at: now)
        return reevaluateInhibitions(incidents.open.values.filter { $0.incident.inhibitedBy == nil }, at: now)
    }

    package mutating func removeSilence(_ id: Int64, at now: ClockReading) -> [IncidentChange] {
        silences.removeAll { $0.id == id }
        removeEnd("silence/\(id)")
        return reevaluateInhibitions(
            incidents.open.values.filter { $0.incident.inhibitedBy == "silence/\(id)" }, at: now)
    }

    package mutating func add(_ window: MaintenanceWindow, at now: ClockReading) -> [IncidentChange] {
        maintenanceWindows.append(window)
        note(window.key, until: window.until, at: now)
        return reevaluateInhibitions(
            incidents.open.values.filter {
                $0.incident.inhibitedBy == nil && $0.incident.node.map(window.covers) ?? false
            },
            at: now)
    }

    /// Ends a maintenance window early; its nodes are evaluated again from now on.
    package mutating func removeMaintenanceWindow(_ id: Int64, at now: ClockReading) -> [IncidentChange] {
        endMaintenanceWindows(at: now) { $0.id == id }
    }

    /// Nodes that no other window covers are evaluated from now on.
    private mutating func endMaintenanceWindows(at now: ClockReading, where isOver: (MaintenanceWindow) -> Bool)
        -> [IncidentChange]
    {
        let over = maintenanceWindows.filter(isOver)
        guard !over.isEmpty else { return [] }
        maintenanceWindows.removeAll(where: isOver)
        for window in over { removeEnd(window.key) }
        mayEvaluateDeferred = true
        for name in nodes.keys.sorted() {
            guard over.contains(where: { $0.covers(name) }), !isInMaintenance(name, at: now) else { continue }
            nodes[name]?.evaluatedFrom = now.monotonic
            nodes[name].map { watch($0) }
        }
        let keys = Set(over.map(\.key))
        return reevaluateInhibitions(
            incidents.open.values.filter { $0.incident.inhibitedBy.map(keys.contains) ?? false }, at: now)
    }

    mutating func expire(at now: ClockReading) -> [IncidentChange] {
        // Runs several times a second, and there is hardly ever an expired entry.
        let over = Set(ends.keys.filter { isOver($0, at: now) })
        guard !over.isEmpty else { return [] }
        let changes = endMaintenanceWindows(at: now) { over.contains($0.key) }
        return changes + silences.filter { over.contains($0.key) }.flatMap { removeSilence($0.id, at: now) }
    }
}
