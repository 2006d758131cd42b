/// Decides which incidents are notified and which are inhibited: because they follow from another incident, flap, or
/// are silenced.
extension FleetEvaluator {
    /// Opens an incident or changes its severity.
    mutating func report(
        _ severity: Severity, _ rule: String, of record: NodeRecord, title: String, detail: String, at now: ClockReading
    ) -> [IncidentChange] {
        let name = record.node.name
        let key = "\(name)/\(rule)"
        var changes: [IncidentChange] = []
        if isNotifiedAsFlapping(key, severity, rule, of: name, at: now) {
            // A severity above the one notified so far is notified, whether the incident flaps or not.
            let flapping = Self.flapping(key)
            changes += incidents.set(
                max(severity, incidents.severity(flapping) ?? severity),
                .init(
                    key: flapping, node: name, region: record.node.region, rule: "flapping",
                    title: "\(title), flapping",
                    detail: "It opened at least four times within half an hour. \(detail)"),
                inhibitedBy: silence(of: name, "flapping", at: now), at: now.wall)
        }
        let finding = IncidentRegistry.Finding(
            key: key, node: name, region: record.node.region, rule: rule, title: title, detail: detail)
        let inhibitor = inhibitor(of: rule, name, at: now)
        changes += incidents.set(severity, finding, inhibitedBy: inhibitor, at: now.wall)
        return changes + incidents.inhibit(key, by: inhibitor, at: now.wall)
    }

    /// Key of whatever inhibits an incident of `node`. Nil when the incident is notified.
    func inhibitor(of rule: String, _ node: String, at now: ClockReading) -> String? {
        cause(of: rule, node, at: now) ?? maintenance(of: node, at: now)?.key ?? silence(of: node, rule, at: now)
            ?? (incidents.open[Self.flapping("\(node)/\(rule)")]?.incident.key)
    }

    /// Key of the open incident that this one follows from.
    private func cause(of name: String, _ node: String, at now: ClockReading) -> String? {
        let isNotified = incidents.open["\(node)/\(name)"]?.isNotified ?? false
        // A node that was silent before the isolation, or whose clock was off before the monitor's own clock was, has a
        // problem of its own.
        if name == "silent" { return !isNotified && beganWithIsolation(node, at: now) ? Self.isolationKey : nil }
        guard let rule = Rule.named(name) else { return nil }
        // Latched incidents do not follow from silence.
        if !rule.isLatched, incidents.severity("\(node)/silent") != nil { return "\(node)/silent" }
        if let cause = rule.followsFrom.first(where: { incidents.severity("\(node)/\($0)") != nil }) {
            return "\(node)/\(cause)"
        }
        return name == "clock" && !isNotified && incidents.severity(Self.monitorClockKey) != nil
            ? Self.monitorClockKey : nil
    }

    /// Updates the inhibition of all open incidents of a node.
    mutating func updateInhibitions(of name: String, at now: ClockReading) -> [IncidentChange] {
        guard incidents.hasOpen(of: name) else { return [] }
        return Rule.table.flatMap { rule in
            incidents.open["\(name)/\(rule.name)"] == nil
                ? []
                : incidents.inhibit("\(name)/\(rule.name)", by: inhibitor(of: rule.name, name, at: now), at: now.wall)
        }
    }

    /// Re-evaluates the inhibition of these incidents.
    mutating func reevaluateInhibitions(_ entries: [IncidentRegistry.Entry], at now: ClockReading) -> [IncidentChange] {
        entries.sorted { $0.incident.id < $1.incident.id }.flatMap { entry -> [IncidentChange] in
            guard let node = entry.incident.node else { return [] }
            return incidents.inhibit(
                entry.incident.key, by: inhibitor(of: entry.incident.rule, node, at: now), at: now.wall)
        }
    }

    func silence(of node: String, _ rule: String, at now: ClockReading) -> String? {
        silences.first { silence in
            !isOver(silence.key, at: now) && (silence.node ?? node) == node && (silence.rule ?? rule) == rule
        }?.key
    }

    // MARK: Flapping

    private static let flappingSuffix = "/flapping"

    private static func flapping(_ key: String) -> String { key + flappingSuffix }

    /// Whether the flapping incident is opened or raised instead: the incident opens once more, or gets worse while it
    /// is notified as flapping.
    private func isNotifiedAsFlapping(
        _ key: String, _ severity: Severity, _ rule: String, of node: String, at now: ClockReading
    ) -> Bool {
        guard cause(of: rule, node, at: now) == nil, silence(of: node, rule, at: now) == nil else { return false }
        if let flappingSeverity = incidents.severity(Self.flapping(key)) { return severity > flappingSeverity }
        return incidents.severity(key) == nil && incidents.isFlapping(key, at: now.wall)
    }

    mutating func endFlapping(at now: ClockReading) -> [IncidentChange] {
        incidents.removeOpenings(before: now.wall)
        let calm = incidents.open.values.filter { entry in
            entry.incident.rule == "flapping"
                && !incidents.isFlapping(String(entry.incident.key.dropLast(Self.flappingSuffix.count)), at: now.wall)
        }
        return calm.sorted { $0.incident.id < $1.incident.id }.flatMap { entry in
            let key = String(entry.incident.key.dropLast(Self.flappingSuffix.count))
            let changes = incidents.resolve(entry.incident.key, at: now.wall)
            return changes + reevaluateInhibitions(incidents.open[key].map { [$0] } ?? [], at: now)
        }
    }
}
