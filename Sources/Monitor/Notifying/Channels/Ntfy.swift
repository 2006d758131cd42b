/// ntfy, published as JSON to the server's root (https://docs.ntfy.sh/publish/#publish-as-json).
///
/// Headers are not used: they carry ASCII only, and a title could inject another header.
struct Ntfy: WebChannel {
    let name: String
    let host: String
    let token: Secret?
    let dashboard: String?
    private let root: Secret
    private let topic: String
    /// The service turns longer messages into attachments.
    private static let longest = 4_096

    /// Returns nil when the last path component of the URL is not a topic.
    init?(name: String, url: Secret, token: Secret?, dashboard: String?) {
        guard let address = WebAddress(url.exposed), let slash = url.exposed.lastIndex(of: "/"),
            address.path.contains("/"), !address.path.contains("?")
        else { return nil }
        topic = String(url.exposed[url.exposed.index(after: slash)...])
        guard !topic.isEmpty else { return nil }
        root = Secret(String(url.exposed[...slash]))
        host = address.authority
        self.name = name
        self.token = token
        self.dashboard = dashboard
    }

    func request(of message: Message, at: Int64) -> WebRequest? {
        let text = MessageText(message)
        let body = Body(
            topic: topic, title: text.title.cut(toUTF8: 250),
            message: text.lines.joined(separator: "\n").cut(toUTF8: Self.longest),
            tags: [message.isAllClear ? "white_check_mark" : message.severity == .sev1 ? "rotating_light" : "warning"],
            priority: message.isAlarm ? message.severity.priority : 3, click: message.link(from: dashboard))
        let headers = token.map { [WebRequest.Header(name: "Authorization", value: "Bearer \($0.exposed)")] } ?? []
        return WebRequest(
            to: root, headers: headers, body: WebRequest.json(body), secrets: [token, Secret(topic)].compactMap(\.self))
    }

    private struct Body: Encodable {
        let topic: String
        let title: String
        let message: String
        let tags: [String]
        let priority: Int
        let click: String?
    }
}

extension Severity {
    /// 5 overrides a phone's silent mode, 4 rings, 3 is displayed.
    fileprivate var priority: Int {
        switch self {
        case .sev1: 5
        case .sev2: 4
        case .warning: 3
        }
    }
}
