import Wire

/// Evaluates the values of a heartbeat against the table of rules.
extension FleetEvaluator {
    mutating func evaluateRules(_ beat: Beat, of name: String, at now: ClockReading) -> [IncidentChange] {
        guard var record = nodes[name] else { return [] }
        let reading = reading(of: beat, &record, at: now)
        var changes: [IncidentChange] = []
        let mayOpen = !isEvaluationPaused(at: now) && !isInMaintenance(name, at: now)
        for rule in Rule.table {
            guard let value = rule.measure(reading) else { continue }
            var key: String { "\(name)/\(rule.name)" }
            let present = incidents.hasOpen(of: name) ? incidents.severity(key) : nil
            switch (rule.severity(of: value, present: present), present) {
            case (nil, nil):
                record.pending[rule.name] = nil
            case (nil, .some):
                record.pending[rule.name] = nil
                if !rule.isLatched { changes += incidents.resolve(key, at: now.wall) }
            case (let severity?, let present) where present.map { severity > $0 } ?? true:
                let lastSaid = record.lastBeat ?? now.monotonic
                let began = record.pending[rule.name] ?? lastSaid
                record.pending[rule.name] = began
                if !mayOpen { deferredNodes.insert(name) }
                guard mayOpen, lastSaid - began >= rule.holds else { continue }
                if rule.name == "clock" { changes += beginMonitorClockIncident(at: now) }
                changes += report(
                    severity, rule.name, of: record, title: rule.title(name), detail: rule.detail(reading), at: now)
            case (let severity?, let present?) where rule.isLatched && severity <= present:
                break
            case (let severity?, _):
                changes += report(
                    severity, rule.name, of: record, title: rule.title(name), detail: rule.detail(reading), at: now)
            }
        }
        if incidents.severity("\(name)/restored") != nil { record.persisted.wasRestored = nil }
        if let body = beat.body, incidents.severity("\(name)/errors") == nil { record.updateUsualErrors(body) }
        nodes[name] = record
        changes += updateInhibitions(of: name, at: now)
        changes += endMonitorClockIncident(at: now)
        return changes
    }

    /// Evaluates heartbeats that were deferred when they arrived. A job that pushes once a day does not repeat itself.
    mutating func evaluateDeferredNodes(at now: ClockReading) -> [IncidentChange] {
        guard !isEvaluationPaused(at: now) else {
            mayEvaluateDeferred = true
            return []
        }
        // Not for each heartbeat: during maintenance of the whole fleet there are many deferred nodes.
        guard mayEvaluateDeferred else { return [] }
        mayEvaluateDeferred = false
        var changes: [IncidentChange] = []
        for name in deferredNodes.filter({ !isInMaintenance($0, at: now) }).sorted() {
            deferredNodes.remove(name)
            // A silent or stopped node is evaluated by the heartbeat with which it comes back.
            guard let record = nodes[name], !record.isSilent, !record.persisted.isStopped else { continue }
            changes += evaluateLastBeat(of: name, at: now)
        }
        return changes
    }

    /// Evaluates the last accepted heartbeat again.
    mutating func evaluateLastBeat(of name: String, at now: ClockReading) -> [IncidentChange] {
        guard let persisted = nodes[name]?.persisted else { return [] }
        let beat = Beat(healthProblem: persisted.healthProblem, ping: persisted.ping, body: persisted.body)
        return evaluateRules(beat, of: name, at: now)
    }

    private func reading(of beat: Beat, _ record: inout NodeRecord, at now: ClockReading) -> Rule.Reading {
        let finding = beat.body.flatMap { record.persisted.recordCheckpoint(in: $0) }
        return Rule.Reading(
            beat: beat, skew: record.persisted.skew, usualErrors: record.persisted.usualErrors, auditFinding: finding,
            unproven: record.persisted.unproven ?? 0, hasOtherKey: record.persisted.hasOtherKey == true,
            replays: record.replays.count { now.monotonic - $0 < 2 * timing.sev1 }, fleet: norm)
    }

    // MARK: Comparisons across the fleet

    /// Opens an incident for the monitor's own clock when most nodes' clocks differ from it in the same direction.
    private mutating func beginMonitorClockIncident(at now: ClockReading) -> [IncidentChange] {
        guard isMonitorClockOff else { return [] }
        return incidents.set(
            .sev2,
            .init(
                key: Self.monitorClockKey, node: nil, region: nil, rule: "clock", title: "The monitor's clock is off",
                detail: "Most nodes' clocks differ from it in the same direction."),
            inhibitedBy: nil, at: now.wall)
    }

    private mutating func endMonitorClockIncident(at now: ClockReading) -> [IncidentChange] {
        guard incidents.open[Self.monitorClockKey] != nil, !isMonitorClockOff else { return [] }
        // A node whose clock is still off has its own incident after its next heartbeat.
        return incidents.resolve(Self.monitorClockKey, at: now.wall)
    }

    var isMonitorClockOff: Bool {
        let skews = nodes.values.filter { $0.persisted.body != nil && !$0.isSilent }.map(\.persisted.skew)
        let (ahead, by) = (skews.count { $0 >= 10_000 }, skews.count { $0 <= -10_000 })
        return skews.count >= 3 && max(ahead, by) * 2 > skews.count
    }

    /// Version and generation that more than half of the active nodes run.
    func majority(at now: ClockReading) -> Rule.FleetNorm {
        let bodies = nodes.values.filter { ($0.lastBeat ?? .min) > now.monotonic - timing.sev1 }.compactMap(
            \.persisted.body)
        guard bodies.count >= 3 else { return Rule.FleetNorm() }
        func majorityValue<Value: Hashable>(_ values: [Value]) -> Value? {
            let counts = Dictionary(values.map { ($0, 1) }, uniquingKeysWith: +)
            return counts.first { $0.value * 2 > bodies.count }?.key
        }
        return Rule.FleetNorm(
            version: majorityValue(bodies.compactMap(\.version)), generation: majorityValue(bodies.map(\.nixGen)))
    }
}
