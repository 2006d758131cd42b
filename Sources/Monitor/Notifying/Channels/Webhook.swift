import Crypto
import Encoding
import FoundationEssentials

/// A generic webhook: JSON by POST, or the operator's template, signed when there is a key.
struct Webhook: WebChannel {
    let name: String
    let url: Secret
    let host: String
    let key: SymmetricKey?
    let template: WebhookTemplate?
    let contentType: String
    let dashboard: String?

    func request(of message: Message, at: Int64) -> WebRequest? {
        let body =
            if let template {
                Array(template.filled(with: message, dashboard: dashboard).utf8)
            } else {
                WebRequest.json(WebhookBody(message, dashboard: dashboard))
            }
        var headers = [WebRequest.Header(name: "Idempotency-Key", value: message.key)]
        if let key {
            let signature = Self.signature(of: body, key: key, at: at / 1_000)
            headers.append(.init(name: "X-Clavitor-Signature", value: signature))
        }
        return WebRequest(to: url, contentType: contentType, headers: headers, body: body)
    }

    /// Signs the body and the time, so that a receiver can reject replays.
    static func signature(of body: [UInt8], key: SymmetricKey, at seconds: Int64) -> String {
        let code = HMAC<SHA256>.authenticationCode(for: Array("\(seconds).".utf8) + body, using: key)
        return "t=\(seconds),v1=\(Hexadecimal.encode(code))"
    }
}

/// The default body of a webhook. Times are Unix seconds.
private struct WebhookBody: Encodable {
    let version = 1
    let key: String
    let channel: String
    let time: Int64
    let title: String
    let text: String
    let severity: Severity
    let total: Int
    let url: String?
    let changes: [Change]

    struct Change: Encodable {
        let kind: IncidentChange.Kind
        let time: Int64
        let incident: Body
    }

    struct Body: Encodable {
        let id: Int64
        let key: String
        let node: String?
        let region: String?
        let rule: String
        let severity: Severity
        let title: String
        let detail: String
        let opened: Int64
        let resolved: Int64?
        let acknowledgedBy: String?
    }

    init(_ message: Message, dashboard: String?) {
        let text = MessageText(message)
        key = message.key
        channel = message.channel
        time = message.at / 1_000
        title = text.title
        self.text = text.text
        severity = message.severity
        total = message.total
        url = message.link(from: dashboard)
        changes = message.changes.map { change in
            let incident = change.incident
            return Change(
                kind: change.kind, time: change.at / 1_000,
                incident: Body(
                    id: incident.id, key: incident.key, node: incident.node, region: incident.region,
                    rule: incident.rule, severity: incident.severity, title: incident.title, detail: incident.detail,
                    opened: incident.opened / 1_000, resolved: incident.resolved.map { $0 / 1_000 },
                    acknowledgedBy: incident.acknowledged?.by))
        }
    }
}
