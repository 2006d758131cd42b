import Monitor

/// Creates incidents and changes for tests. Times are seconds; the monitor's are milliseconds.
func anIncident(
    _ id: Int64 = 1, _ severity: Severity = .sev2, region: String? = "asia", node: String? = "tokyo", opened: Int64 = 0,
    inhibitedBy: String? = nil, title: String? = nil, detail: String = "no heartbeat for 65 s"
) -> Incident {
    var incident = Incident(
        id: id, key: "\(node ?? "fleet")/silent/\(id)", node: node, region: region, rule: "silent", severity: severity,
        title: title ?? "\(node ?? "the fleet") is silent", detail: detail, opened: opened * 1_000)
    incident.inhibitedBy = inhibitedBy
    return incident
}

extension Incident {
    func becomes(_ kind: IncidentChange.Kind, at seconds: Int64, _ severity: Severity? = nil) -> IncidentChange {
        var incident = self
        if let severity { incident.severity = severity }
        if kind == .acknowledged { incident.acknowledged = .init(by: "night shift", at: seconds * 1_000) }
        if kind == .resolved { incident.resolved = seconds * 1_000 }
        return IncidentChange(kind, incident, at: seconds * 1_000)
    }

    func inhibited(by key: String?) -> Incident {
        var incident = self
        incident.inhibitedBy = key
        return incident
    }
}

extension ChannelNotification: CustomStringConvertible {
    /// Such as "pager escalated 1".
    public var description: String { "\(channel) \(change.kind.rawValue) \(change.incident.id)" }
}

/// One message about one incident.
func aMessage(
    _ channel: String = "hook", _ kind: IncidentChange.Kind = .opened, _ incident: Incident = anIncident(),
    at seconds: Int64 = 1_709_312_400
) -> Message {
    Message(channel: channel, changes: [incident.becomes(kind, at: seconds)])
}
