/// The open incidents, and what inhibits which.
///
/// Every opening, change of severity and resolution goes through this type, so that nothing is notified twice and
/// inhibited incidents are not notified at all.
package struct IncidentRegistry: Equatable, Sendable {
    package private(set) var open: [String: Entry] = [:]
    private var nextID: Int64
    /// Open incidents per node. Most nodes have none, which every heartbeat checks.
    private var counts: [String: Int]
    /// Recent openings of each key, to detect flapping. Wall milliseconds.
    private var openings: [String: [Int64]] = [:]

    package struct Entry: Equatable, Sendable {
        package var incident: Incident
        /// Whether the incident was notified. One that was inhibited from its beginning was not.
        package var isNotified: Bool
    }

    /// A detected condition before it becomes an incident with an id.
    struct Finding {
        var key: String
        var node: String?
        var region: String?
        var rule: String
        var title: String
        var detail: String
    }

    /// `openings`: Those of the last half hour, open or resolved.
    package init(open: [Entry] = [], openings: [(key: String, at: Int64)] = [], nextID: Int64 = 1) {
        self.open = Dictionary(open.map { ($0.incident.key, $0) }) { first, _ in first }
        counts = Dictionary(self.open.values.compactMap(\.incident.node).map { ($0, 1) }, uniquingKeysWith: +)
        self.openings = Dictionary(grouping: openings, by: \.key).mapValues { $0.map(\.at) }
        self.nextID = max(nextID, (open.map(\.incident.id).max() ?? 0) + 1)
    }

    func hasOpen(of node: String) -> Bool { counts[node] != nil }

    package func severity(_ key: String) -> Severity? { open[key]?.incident.severity }

    /// Opens an incident, or changes the severity of the open one.
    ///
    /// `inhibitedBy`: Key of the inhibiting incident, silence or maintenance window.
    mutating func set(_ severity: Severity, _ finding: Finding, inhibitedBy: String?, at now: Int64) -> [IncidentChange]
    {
        guard var entry = open[finding.key] else {
            var incident = Incident(
                id: nextID, key: finding.key, node: finding.node, region: finding.region, rule: finding.rule,
                severity: severity, title: finding.title, detail: finding.detail, opened: now)
            nextID += 1
            incident.inhibitedBy = inhibitedBy
            open[finding.key] = Entry(incident: incident, isNotified: inhibitedBy == nil)
            if let node = finding.node { counts[node, default: 0] += 1 }
            recordOpening(finding.key, now)
            return [IncidentChange(.opened, incident, at: now)]
        }
        let before = entry.incident.severity
        entry.incident.detail = finding.detail
        entry.incident.severity = severity
        // An acknowledgement of the lower severity does not cover the higher one.
        if severity > before { entry.incident.acknowledged = nil }
        open[finding.key] = entry
        guard severity != before else { return [] }
        return [IncidentChange(severity > before ? .raised : .lowered, entry.incident, at: now)]
    }

    /// Resolves an incident. `ending`: The reason, when the condition did not clear by itself.
    mutating func resolve(_ key: String, because ending: String? = nil, at now: Int64) -> [IncidentChange] {
        guard var entry = open.removeValue(forKey: key) else { return [] }
        entry.incident.resolved = now
        entry.incident.ending = ending
        if let node = entry.incident.node {
            counts[node, default: 0] -= 1
            if counts[node] == 0 { counts[node] = nil }
        }
        return [IncidentChange(.resolved, entry.incident, at: now)]
    }

    mutating func acknowledge(_ id: Int64, by: String, note: String?, at now: Int64) -> [IncidentChange] {
        guard let key = incident(id)?.key, var entry = open[key] else { return [] }
        entry.incident.acknowledged = .init(by: by, at: now, note: note)
        open[key] = entry
        return [IncidentChange(.acknowledged, entry.incident, at: now)]
    }

    /// Inhibits an incident by `cause`, or ends its inhibition. An incident that was never notified counts as opened
    /// now.
    mutating func inhibit(_ key: String, by cause: String?, at now: Int64) -> [IncidentChange] {
        guard var entry = open[key], entry.incident.inhibitedBy != cause else { return [] }
        entry.incident.inhibitedBy = cause
        let kind: IncidentChange.Kind = cause != nil ? .inhibited : entry.isNotified ? .uninhibited : .opened
        entry.isNotified = entry.isNotified || cause == nil
        open[key] = entry
        return [IncidentChange(kind, entry.incident, at: now)]
    }

    func incident(_ id: Int64) -> Incident? { open.values.first { $0.incident.id == id }?.incident }

    // MARK: Flapping

    /// Openings within half an hour from which a key counts as flapping.
    private static let flapThreshold = 4
    static let flapWindow: Int64 = 1_800_000

    private mutating func recordOpening(_ key: String, _ now: Int64) {
        openings[key] = (openings[key] ?? []).filter { $0 > now - Self.flapWindow } + [now]
    }

    func isFlapping(_ key: String, at now: Int64) -> Bool {
        (openings[key] ?? []).count { $0 > now - Self.flapWindow } >= Self.flapThreshold
    }

    mutating func removeOpenings(before now: Int64) {
        openings = openings.compactMapValues { times in
            let recent = times.filter { $0 > now - Self.flapWindow }
            return recent.isEmpty ? nil : recent
        }
    }
}
