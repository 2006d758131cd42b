import FoundationEssentials

/// PagerDuty's Events API v2: one incident there for each thread, opened and closed by a key of its own
/// (https://developer.pagerduty.com/docs/events-api-v2-overview).
struct PagerDuty: WebChannel {
    let name: String
    let url: Secret
    let host: String
    /// The integration's key.
    let key: Secret
    let dashboard: String?
    static let usual = "https://events.pagerduty.com/v2/enqueue"
    let isThreaded = true

    func request(of message: Message, at: Int64) -> WebRequest? {
        guard let action = message.action else { return nil }
        let event = Event(
            key: key.exposed, action: action,
            // An incident's id alone would be used again by a monitor whose database was lost.
            incident: "clavitor/\(message.thread.name)",
            payload: action == .trigger ? Event.Payload(message) : nil,
            client: action == .trigger ? "Clavitor" : nil,
            page: action == .trigger ? message.link(from: dashboard) : nil)
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
            let kind: String?
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
    init(_ message: Message) {
        let text = MessageText(message)
        let incidents = message.changes.map(\.incident)
        let nodes = Set(incidents.map(\.node))
        summary = text.title.cut(toUTF16: 1_024)
        source = nodes.count == 1 ? incidents.first?.node ?? "fleet" : "fleet"
        severity =
            switch message.severity {
            case .sev1: "critical"
            case .sev2: "error"
            case .warning: "warning"
            }
        timestamp = Date(timeIntervalSince1970: Double(message.at / 1_000)).formatted(.iso8601)
        component = nodes.count == 1 ? incidents.first?.node : nil
        group = incidents.first?.region
        kind = incidents.first?.rule
        details = [
            "detail": text.lines.joined(separator: "\n").cut(toUTF16: 4_000),
            "key": incidents.map(\.key).joined(separator: ", ").cut(toUTF16: 4_000),
        ]
    }
}

extension Message {
    /// Nil for an end that leaves others of the thread open, and for what ended before it could be told.
    fileprivate var action: PagerDuty.Action? {
        if changes.allSatisfy({ $0.kind == .passed }) { return nil }
        if thread.isOver { return .resolve }
        if changes.contains(where: { $0.kind.isAlarm || $0.kind == .lowered }) {
            return .trigger
        }
        return thread.isAcknowledged && changes.contains { $0.kind == .acknowledged } ? .acknowledge : nil
    }
}
