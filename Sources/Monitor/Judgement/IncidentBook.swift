/// The open incidents, and what hides which.
///
/// Everything that opens, rises, falls or ends goes through here, so that nothing is told twice and nothing that follows
/// from something else is told at all.
package struct IncidentBook: Equatable, Sendable {
    package private(set) var open: [String: Entry] = [:]
    private var nextID: Int64
    /// How many are open of each node that has any: most have none, which is asked at every beat.
    private var counts: [String: Int]
    /// When each key was last opened, for those that flap. Wall milliseconds.
    private var openings: [String: [Int64]] = [:]

    package struct Entry: Equatable, Sendable {
        package var incident: Incident
        /// Whether somebody was told. One that was hidden from its beginning was not.
        package var isTold: Bool
    }

    /// What an incident is about, before it has a number.
    struct Finding {
        var key: String
        var node: String?
        var region: String?
        var rule: String
        var title: String
        var detail: String
    }

    /// `openings`: Of the last half hour, open or over.
    package init(open: [Entry] = [], openings: [(key: String, at: Int64)] = [], nextID: Int64 = 1) {
        self.open = Dictionary(open.map { ($0.incident.key, $0) }) { first, _ in first }
        counts = Dictionary(self.open.values.compactMap(\.incident.node).map { ($0, 1) }, uniquingKeysWith: +)
        self.openings = Dictionary(grouping: openings, by: \.key).mapValues { $0.map(\.at) }
        self.nextID = max(nextID, (open.map(\.incident.id).max() ?? 0) + 1)
    }

    func hasOpen(of node: String) -> Bool { counts[node] != nil }

    package func severity(_ key: String) -> Severity? { open[key]?.incident.severity }

    /// Opens it, or changes the severity of the open one.
    ///
    /// `hiddenBy`: The key of what it follows from.
    mutating func set(_ severity: Severity, _ finding: Finding, hiddenBy: String?, at now: Int64) -> [IncidentChange] {
        guard var entry = open[finding.key] else {
            var incident = Incident(
                id: nextID, key: finding.key, node: finding.node, region: finding.region, rule: finding.rule,
                severity: severity, title: finding.title, detail: finding.detail, opened: now)
            nextID += 1
            incident.hiddenBy = hiddenBy
            open[finding.key] = Entry(incident: incident, isTold: hiddenBy == nil)
            if let node = finding.node { counts[node, default: 0] += 1 }
            noteOpening(finding.key, now)
            return [IncidentChange(.opened, incident, at: now)]
        }
        let before = entry.incident.severity
        entry.incident.detail = finding.detail
        entry.incident.severity = severity
        // Who took on the milder thing did not take on this.
        if severity > before { entry.incident.acknowledged = nil }
        open[finding.key] = entry
        guard severity != before else { return [] }
        return [IncidentChange(severity > before ? .raised : .lowered, entry.incident, at: now)]
    }

    /// `ending`: Why it is over, where that is not because all is well.
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

    /// Hides it behind `cause`, or shows it again. One that nobody was told of is told of now.
    mutating func hide(_ key: String, behind cause: String?, at now: Int64) -> [IncidentChange] {
        guard var entry = open[key], entry.incident.hiddenBy != cause else { return [] }
        entry.incident.hiddenBy = cause
        let kind: IncidentChange.Kind = cause != nil ? .hidden : entry.isTold ? .shown : .opened
        entry.isTold = entry.isTold || cause == nil
        open[key] = entry
        return [IncidentChange(kind, entry.incident, at: now)]
    }

    func incident(_ id: Int64) -> Incident? { open.values.first { $0.incident.id == id }?.incident }

    // MARK: Flapping

    /// What opened so often in half an hour is one thing that flaps rather than several.
    private static let flaps = 4
    static let flapSpan: Int64 = 1_800_000

    private mutating func noteOpening(_ key: String, _ now: Int64) {
        openings[key] = (openings[key] ?? []).filter { $0 > now - Self.flapSpan } + [now]
    }

    func isFlapping(_ key: String, at now: Int64) -> Bool {
        (openings[key] ?? []).count { $0 > now - Self.flapSpan } >= Self.flaps
    }

    mutating func forgetOpenings(before now: Int64) {
        openings = openings.compactMapValues { times in
            let recent = times.filter { $0 > now - Self.flapSpan }
            return recent.isEmpty ? nil : recent
        }
    }
}
