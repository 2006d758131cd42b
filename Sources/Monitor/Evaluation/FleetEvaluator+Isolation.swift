/// Distinguishes a network failure of the hub from failures of nodes, when most nodes fall silent at once.
///
/// A node that is still heard proves that the hub is not isolated; then each silent node has its own incident and
/// notification. When no node is heard, one incident stands for all of them and reports how many answered a probe from
/// the hub.
extension FleetEvaluator {
    /// Counts the nodes that are heard and those that went missing recently.
    private struct Census {
        var missing: [String] = []
        var heard = 0
        var count = 0

        var isMajority: Bool { missing.count >= 3 && missing.count * 2 > count }
        /// A single node may be on the hub's own network, so one is not enough.
        var isHeard: Bool { heard >= max(2, count / 20) }
    }

    private func census(at now: ClockReading) -> Census {
        var census = Census()
        for record in nodes.values
        where !record.persisted.isStopped && !record.node.isJob && !isInMaintenance(record.node.name, at: now) {
            // Nodes that were silent before do not count.
            guard let since = since(record), incidents.open["\(record.node.name)/silent"]?.isNotified != true else {
                continue
            }
            let quiet = now.monotonic - since
            census.count += 1
            if quiet > timing(of: record).missedOne { census.missing.append(record.node.name) }
            // When the first node has missed two heartbeats, an isolation is at least one interval old.
            if quiet <= timing.missedOne { census.heard += 1 }
        }
        census.missing.sort()
        return census
    }

    /// Whether most recently heard nodes went missing together and none is heard.
    func isIsolated(at now: ClockReading) -> Bool {
        let census = census(at: now)
        return census.isMajority && !census.isHeard
    }

    private func isStillIsolated(at now: ClockReading) -> Bool {
        var census = Census()
        for record in nodes.values where !record.node.isJob {
            guard let last = record.lastBeat else { continue }
            let entry = record.isSilent ? incidents.open["\(record.node.name)/silent"] : nil
            if let entry, entry.incident.inhibitedBy != Self.isolationKey { continue }
            census.count += 1
            if entry != nil {
                census.missing.append(record.node.name)
            } else if now.monotonic - last <= timing.missedOne {
                census.heard += 1
            }
        }
        return census.missing.count * 2 > census.count && !census.isHeard
    }

    mutating func beginIsolation(at now: ClockReading) -> [IncidentChange] {
        guard incidents.open[Self.isolationKey] == nil else { return [] }
        return setIsolation(.sev2, census(at: now).missing, at: now)
    }

    mutating func updateIsolation(at now: ClockReading) -> [IncidentChange] {
        let inhibited = incidents.open.values.map(\.incident).filter { $0.inhibitedBy == Self.isolationKey }
        let worst = inhibited.map(\.severity).max() ?? .sev2
        return setIsolation(
            max(worst, incidents.severity(Self.isolationKey) ?? .sev2), inhibited.compactMap(\.node).sorted(), at: now)
    }

    private mutating func setIsolation(_ severity: Severity, _ names: [String], at now: ClockReading)
        -> [IncidentChange]
    {
        let probed = names.compactMap { probeResult(of: $0, at: now) }
        let responding = probed.count { $0 }
        let title =
            responding > 0
            ? "Nodes respond, but their heartbeats do not arrive" : "The monitor is isolated, or all nodes are down"
        let reading =
            if probed.isEmpty {
                "Check the hub's network first."
            } else if responding > 0 {
                "Probed from the hub, \(responding) of \(probed.count) respond: check the hub's own port, name and certificate."
            } else {
                "Probed from the hub, none of \(probed.count) responds: check the hub's network first."
            }
        let detail = "\(names.count) of \(nodes.count) nodes fell silent together. \(reading) \(Self.list(names))"
        return incidents.set(
            severity,
            .init(key: Self.isolationKey, node: nil, region: nil, rule: "cut-off", title: title, detail: detail),
            inhibitedBy: nil, at: now.wall)
    }

    /// Joins the names, up to about fifty of them.
    private static func list(_ names: [String]) -> String {
        var text = ""
        for (index, name) in names.enumerated() {
            guard text.count + name.count < 600 else { return text + "and \(names.count - index) more." }
            text += name + (index + 1 < names.count ? ", " : ".")
        }
        return text
    }

    mutating func endIsolation(at now: ClockReading) -> [IncidentChange] {
        guard incidents.open[Self.isolationKey] != nil, !isStillIsolated(at: now) else { return [] }
        // A node that is not heard within a full window is silent for a reason of its own.
        for key in nodes.keys where nodes[key]?.isSilent == true {
            nodes[key]?.evaluatedFrom = now.monotonic
            nodes[key]?.silentSince = now.monotonic
        }
        return incidents.resolve(Self.isolationKey, at: now.wall)
    }

    /// Whether a node's silence began with the isolation. A node that was silent before, or was heard after it began,
    /// is silent for a reason of its own.
    func beganWithIsolation(_ name: String, at now: ClockReading) -> Bool {
        guard let cut = incidents.open[Self.isolationKey]?.incident, let last = nodes[name]?.lastBeat else {
            return false
        }
        return last <= now.monotonic - max(0, now.wall - cut.opened)
    }

    // MARK: Probes

    /// Overdue nodes, which the monitor should probe.
    package func overdue(at now: ClockReading) -> [String] {
        guard !isEvaluationPaused(at: now) else { return [] }
        return nodes.values.filter { record in
            guard let last = record.lastBeat, !isInMaintenance(record.node.name, at: now) else { return false }
            return now.monotonic - last > timing(of: record).missedOne
        }.map(\.node.name).sorted()
    }

    /// Records probe results by node name.
    package mutating func note(probeResults: [String: Bool], at now: ClockReading) {
        for (name, isResponding) in probeResults {
            nodes[name]?.probeResult = .init(isResponding: isResponding, at: now.monotonic)
        }
    }

    /// Returns the latest probe result; nil when the node was not probed recently.
    private func probeResult(of name: String, at now: ClockReading) -> Bool? {
        guard let probeResult = nodes[name]?.probeResult, now.monotonic - probeResult.at <= timing.sev2 else {
            return nil
        }
        return probeResult.isResponding
    }

    /// Describes the latest probe result as a sentence with a leading space.
    func probeResult(of record: NodeRecord, at now: ClockReading) -> String {
        switch probeResult(of: record.node.name, at: now) {
        case true?: " Probed from the hub, it responds: check its pushes."
        case false?: " Probed from the hub, it does not respond."
        case nil: ""
        }
    }
}
