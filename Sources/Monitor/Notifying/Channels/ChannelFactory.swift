import Crypto
import FoundationEssentials

/// Creates senders from settings. Reads the secrets once, and rejects at start-up what could not work later.
package struct ChannelFactory: Sendable {
    private let readFile: @Sendable (String) throws -> [UInt8]
    private let send: WebSend
    private let post: Post

    /// - Parameters:
    ///   - web: Sends for all channels except e-mail.
    ///   - mail: Sends e-mail.
    package init(web: WebSender, mail: MailSender) {
        self.init(send: web.send, post: mail.send)
    }

    package init(
        send: @escaping WebSend, post: @escaping Post,
        readFile: @escaping @Sendable (String) throws -> [UInt8] = { try Array(Data(contentsOf: URL(filePath: $0))) }
    ) {
        self.send = send
        self.post = post
        self.readFile = readFile
    }

    /// Creates one sender for each recipient of each channel.
    package func senders(_ settings: NotificationSettings) throws(NotificationSettingsError) -> [ChannelSender] {
        var senders: [ChannelSender] = []
        for channel in settings.channels { senders += try self.senders(channel, settings.dashboard) }
        return senders
    }

    private func senders(
        _ channel: ChannelSettings, _ dashboard: String?
    ) throws(NotificationSettingsError) -> [ChannelSender] {
        let (name, grouping) = (channel.name, channel.grouping)
        func one(_ web: some WebChannel) -> [ChannelSender] { [ChannelSender(web, grouping: grouping, send: send)] }
        switch channel.kind {
        case .webhook(let webhook):
            let (url, host) = try url(in: webhook.urlFile, name)
            let key = try webhook.keyFile.map { path throws(NotificationSettingsError) in try secret(in: path, name) }
            let type = webhook.contentType ?? "application/json"
            let template = webhook.template.map { WebhookTemplate($0, contentType: type) }
            return one(
                Webhook(
                    name: name, url: url, host: host, key: key.map { SymmetricKey(data: Array($0.exposed.utf8)) },
                    template: template, contentType: type, dashboard: dashboard))
        case .ntfy(let urlFile, let tokenFile):
            let (url, _) = try url(in: urlFile, name)
            let token = try tokenFile.map { path throws(NotificationSettingsError) in try secret(in: path, name) }
            guard let ntfy = Ntfy(name: name, url: url, token: token, dashboard: dashboard) else {
                throw .badSecret(path: urlFile, channel: name, reason: "it must be the URL of a topic")
            }
            return one(ntfy)
        case .chat(let urlFile, let style):
            let (url, host) = try url(in: urlFile, name)
            return one(Chat(name: name, url: url, host: host, style: style, dashboard: dashboard))
        case .pagerDuty(let keyFile, let url):
            let url = url ?? PagerDuty.usual
            return one(
                PagerDuty(
                    name: name, url: Secret(url), host: WebAddress(url)?.authority ?? "",
                    key: try secret(in: keyFile, name), dashboard: dashboard))
        case .telegram(let tokenFile, let chat, let url):
            let base = url ?? Telegram.usual
            let token = try secret(in: tokenFile, name)
            guard token.exposed.utf8.allSatisfy({ Self.isTokenByte($0) }) else {
                throw .badSecret(path: tokenFile, channel: name, reason: "it must be a bot token")
            }
            return one(
                Telegram(
                    name: name, base: base, host: WebAddress(base)?.authority ?? "", token: token, chat: chat,
                    dashboard: dashboard))
        case .email(let email):
            let password = try email.passwordFile.map { path throws(NotificationSettingsError) in
                try secret(in: path, name, ofASCII: false)
            }
            let account = MailAccount(email, password: password, channel: name)
            return email.to.map { ChannelSender(account, to: $0, grouping: grouping, dashboard: dashboard, post: post) }
        }
    }

    /// Whether a byte may occur in a bot token, which becomes part of a URL.
    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ":"):
            true
        default: false
        }
    }

    private func url(in path: String, _ channel: String) throws(NotificationSettingsError) -> (Secret, String) {
        let secret = try secret(in: path, channel)
        guard let address = WebAddress(secret.exposed), address.isConfidential else {
            throw .badSecret(
                path: path, channel: channel, reason: "it must be an https URL; http is allowed for this machine only")
        }
        return (secret, address.authority)
    }

    /// Reads a secret, which must be a single line so that it cannot end a header.
    private func secret(
        in path: String, _ channel: String, ofASCII isASCII: Bool = true
    ) throws(NotificationSettingsError) -> Secret {
        let text: String
        do {
            text = String(decoding: try readFile(path), as: UTF8.self).trimmed
        } catch {
            throw .unreadable(path: path, channel: channel, reason: Self.reason(error))
        }
        let isLine = isASCII ? text.isHeaderValue : text.utf8.allSatisfy { $0 >= 0x20 }
        guard !text.isEmpty, text.utf8.count <= 4_096, isLine else {
            let kind = isASCII ? "printable ASCII" : "text"
            throw .badSecret(path: path, channel: channel, reason: "it must be one line of \(kind)")
        }
        return Secret(text)
    }

    /// Describes a read error without text of the library.
    private static func reason(_ error: any Error) -> String {
        switch (error as? CocoaError)?.code {
        case .fileReadNoSuchFile, .fileNoSuchFile: "the file does not exist"
        case .fileReadNoPermission: "permission denied"
        default: "it cannot be read"
        }
    }
}
