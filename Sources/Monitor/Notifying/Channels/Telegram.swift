import FoundationEssentials

/// A Telegram bot's `sendMessage` (https://core.telegram.org/bots/api#sendmessage). The token is part of the URL.
struct Telegram: WebChannel {
    let name: String
    let host: String
    let chat: String
    let dashboard: String?
    private let token: Secret
    private let url: Secret
    static let usual = "https://api.telegram.org"
    private static let longest = 4_096

    init(name: String, base: String, host: String, token: Secret, chat: String, dashboard: String?) {
        self.name = name
        self.host = host
        self.chat = chat
        self.dashboard = dashboard
        self.token = token
        url = Secret((base.hasSuffix("/") ? String(base.dropLast()) : base) + "/bot\(token.exposed)/sendMessage")
    }

    func request(of message: Message, at: Int64) -> WebRequest? {
        let link = message.link(from: dashboard).map { "\n\($0)" } ?? ""
        let text = MessageText(message).text.withoutMentions
        let body = Body(
            chat: chat, text: text.cut(toUTF16: max(Self.longest - link.utf16.count, 1)) + link,
            isSilent: !message.isAlarm || message.severity == .warning)
        return WebRequest(to: url, body: WebRequest.json(body), secrets: [token])
    }

    /// `{"ok":false,"error_code":429,"parameters":{"retry_after":7}}`
    func retryAfter(in response: WebResponse) -> Double? {
        struct ErrorBody: Decodable {
            struct Parameters: Decodable {
                let seconds: Double?
                private enum CodingKeys: String, CodingKey { case seconds = "retry_after" }
            }
            let parameters: Parameters?
        }
        let errorBody = try? JSONDecoder().decode(ErrorBody.self, from: Data(response.body))
        return errorBody?.parameters?.seconds
    }

    private struct Body: Encodable {
        let chat: String
        let text: String
        let isSilent: Bool
        let preview = Preview()

        private enum CodingKeys: String, CodingKey {
            case text
            case chat = "chat_id"
            case isSilent = "disable_notification"
            case preview = "link_preview_options"
        }

        struct Preview: Encodable {
            let isDisabled = true
            private enum CodingKeys: String, CodingKey { case isDisabled = "is_disabled" }
        }
    }
}
