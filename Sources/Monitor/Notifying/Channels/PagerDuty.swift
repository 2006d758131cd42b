import FoundationEssentials

/// PagerDuty's Events API v2: one incident per thread, opened and closed by its deduplication key
/// (https://developer.pagerduty.com/docs/events-api-v2-overview).
struct PagerDuty: WebChannel {
    let name: String
    let url: Secret
    let host: String
    /// The integration key.
    let key: Secret
    let dashboard: String?
    static let usual = "https://events.pagerduty.com/v2/enqueue"
    let isThreaded = true

    func request(of message: Message, at: Int64) -> WebRequest? {
        guard let action = message.action else { return nil }
        let event = Event(
            key: key.exposed, action: action,
            // The incident id alone would be reused by a monitor whose database was lost.
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
    /// Returns nil for a resolution that leaves other incidents of the thread open, and for incidents that were opened
    /// and resolved before they were notified.
    fileprivate var action: PagerDuty.Action? {
        if changes.allSatisfy({ $0.kind == .openedAndResolved }) { return nil }
        if thread.isOver { return .resolve }
        if changes.contains(where: { $0.kind.isAlarm || $0.kind == .lowered }) {
            return .trigger
        }
        return thread.isAcknowledged && changes.contains { $0.kind == .acknowledged } ? .acknowledge : nil
    }
}
