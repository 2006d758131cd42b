/// Incoming webhooks of Slack, of compatible services (Mattermost, Rocket.Chat), and of Discord.
struct Chat: WebChannel {
    let name: String
    let url: Secret
    let host: String
    let style: ChannelSettings.ChatStyle
    let dashboard: String?

    func request(of message: Message, at: Int64) -> WebRequest? {
        let body =
            switch style {
            case .slack: WebRequest.json(slack(message))
            case .discord: WebRequest.json(discord(message))
            }
        return WebRequest(to: url, body: body)
    }

    // MARK: Slack (https://api.slack.com/reference/surfaces/formatting)

    private struct SlackBody: Encodable {
        let text: String
        let attachments: [Attachment]

        struct Attachment: Encodable {
            let color: String
            let fallback: String
            let text: String
        }
    }

    private func slack(_ message: Message) -> SlackBody {
        let text = MessageText(message)
        let title = Self.slackEscaped(text.title.withoutMentions)
        let lines = Self.slackEscaped(text.lines.joined(separator: "\n").withoutMentions)
        let link = message.link(from: dashboard).map { "\n\($0)" } ?? ""
        return SlackBody(
            text: title, attachments: [.init(color: message.color, fallback: title, text: (lines + link).trimmed)])
    }

    /// Escapes `<`, so that text can neither mention users nor disguise links; Slack-compatible services that read
    /// Markdown also make links of brackets.
    private static func slackEscaped(_ text: String) -> String {
        text.map { character in
            switch character {
            case "&": "&amp;"
            case "<": "&lt;"
            case ">": "&gt;"
            case "[": "("
            case "]": ")"
            default: String(character)
            }
        }.joined()
    }

    // MARK: Discord (https://discord.com/developers/docs/resources/webhook#execute-webhook)

    private struct DiscordBody: Encodable {
        let content: String
        let mentions = Mentions()

        private enum CodingKeys: String, CodingKey {
            case content
            case mentions = "allowed_mentions"
        }

        /// Allows no mentions, whatever the text contains.
        struct Mentions: Encodable { let parse: [String] = [] }
    }

    private static let longestDiscord = 2_000

    /// Escapes Markdown: text from a node must not become a link or a heading (Discord's Markdown 101).
    private static func discordEscaped(_ text: String) -> String {
        text.map { "\\`*_~|[]()<>#".contains($0) ? "\\\($0)" : String($0) }.joined()
    }

    private func discord(_ message: Message) -> DiscordBody {
        let text = Self.discordEscaped(MessageText(message).text.withoutMentions)
        let link = message.link(from: dashboard).map { "\n\($0)" } ?? ""
        return DiscordBody(content: text.cut(toUTF16: max(Self.longestDiscord - link.utf16.count, 1)) + link)
    }
}

extension Message {
    fileprivate var color: String {
        if isAllClear { return "#2e9d4f" }
        return switch severity {
        case .sev1: "#c62828"
        case .sev2: "#ef6c00"
        case .warning: "#f9a825"
        }
    }
}
