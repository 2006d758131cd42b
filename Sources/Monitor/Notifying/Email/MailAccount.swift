import FoundationEssentials

/// The mail server and its credentials.
package struct MailAccount: Sendable {
    let host: String
    let port: Int
    let security: ChannelSettings.Email.Security
    let username: String?
    let password: Secret?
    let from: String
    /// Name for errors.
    let channel: String

    package init(_ settings: ChannelSettings.Email, password: Secret?, channel: String) {
        host = settings.host
        port = settings.port
        security = settings.security
        username = settings.username
        self.password = password
        from = settings.from
        self.channel = channel
    }

    /// Name for EHLO. The machine's own name would reveal internal naming to the reader.
    var helloName: String { from.split(separator: "@").last.map(String.init) ?? "localhost" }

    /// The password, and its encoded forms on the wire.
    var secrets: [Secret] {
        guard let password else { return [] }
        let forms = [password.exposed, "\0\(username ?? "")\0\(password.exposed)"]
        return [password] + forms.map { Secret(Data($0.utf8).base64EncodedString()) }
    }

    func failure(
        _ kind: DeliveryFailure.Kind, _ what: String, _ reply: SMTPReply? = nil, mayBeMailFault: Bool = false
    ) -> DeliveryFailure {
        let said = reply.map { " \($0.code) \($0.lines.joined(separator: " ").redacted(of: secrets))" } ?? ""
        return DeliveryFailure(
            kind, "\(channel): \(host):\(port) \(what.redacted(of: secrets))\(said)",
            mayBeMessageFault: mayBeMailFault)
    }
}

/// The network interface to mail servers.
package typealias Post = @Sendable (MailAccount, Mail) async throws(DeliveryFailure) -> Void

extension ChannelSender {
    /// Each recipient gets a separate mail: greylisting of one delays no other.
    init(_ account: MailAccount, to: String, grouping: Grouping, dashboard: String?, post: @escaping Post) {
        // Mail servers delay the greeting to unknown clients, and take their time over the text.
        self.init(
            channel: account.channel, recipient: "\(account.channel)/\(to)", grouping: grouping, timeout: .seconds(30)
        ) { message, at throws(DeliveryFailure) in
            try await post(account, Mail(message, from: account.from, to: to, dashboard: dashboard, at: at))
        }
    }
}
