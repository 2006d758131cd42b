import FoundationEssentials

/// PagerDuty's Events API v2: one event per change, because each incident is opened and closed there by a key of its own
/// (https://developer.pagerduty.com/docs/events-api-v2-overview).
struct PagerDuty: WebChannel {
    let name: String
    let url: Secret
    let host: String
    /// The integration's key.
    let key: Secret
    let dashboard: String?
    static let usual = "https://events.pagerduty.com/v2/enqueue"

    func pieces(of message: Message) -> Int { message.changes.count }

    func request(_ piece: Int, of message: Message, at: Int64) -> WebRequest {
        let change = message.changes[piece]
        let incident = change.incident
        let action = change.action
        let page = dashboard.map { "\($0)/incidents/\(incident.id)" }
        let event = Event(
            key: key.exposed, action: action,
            // The id alone would be used again by a monitor whose database was lost.
            incident: "clavitor/\(incident.id)/\(incident.opened)",
            payload: action == .trigger ? Event.Payload(change) : nil,
            client: action == .trigger ? "Clavitor" : nil, page: action == .trigger ? page : nil)
        return WebRequest(to: url, body: WebRequest.json(event), secrets: [key])
    }

    fileprivate enum Action: String, Encodable { case trigger, acknowledge, resolve }

    fileprivate struct Event: Encodable {
        let key: String
        let action: Action
        let incident: String
        let payload: Payload?
        let client: String?
        let page: String?

        private enum CodingKeys: String, CodingKey {
            case key = "routing_key"
            case action = "event_action"
            case incident = "dedup_key"
            case payload, client
            case page = "client_url"
        }

        struct Payload: Encodable {
            let summary: String
            let source: String
            let severity: String
            let timestamp: String
            let component: String?
            let group: String?
            let kind: String
            let details: [String: String]

            private enum CodingKeys: String, CodingKey {
                case summary, source, severity, timestamp, component, group
                case kind = "class"
                case details = "custom_details"
            }
        }
    }
}

extension PagerDuty.Event.Payload {
    init(_ change: IncidentChange) {
        let incident = change.incident
        summary = MessageText.line("\(change.heading): \(incident.title)", most: 1_024)
        source = incident.node ?? "fleet"
        severity =
            switch incident.severity {
            case .sev1: "critical"
            case .sev2: "error"
            case .warning: "warning"
            }
        timestamp = Date(timeIntervalSince1970: Double(change.at / 1_000)).formatted(.iso8601)
        component = incident.node
        group = incident.region
        kind = incident.rule
        details = ["detail": MessageText.line(incident.detail, most: 4_000), "key": incident.key]
    }
}

extension IncidentChange {
    fileprivate var action: PagerDuty.Action {
        switch kind {
        case .opened, .raised, .lowered, .hidden, .shown, .escalated, .reminded: .trigger
        case .acknowledged: .acknowledge
        case .resolved: .resolve
        }
    }
}
