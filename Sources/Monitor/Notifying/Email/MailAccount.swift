import FoundationEssentials

/// The server that takes our mail, and how it knows us.
package struct MailAccount: Sendable {
    let host: String
    let port: Int
    let security: ChannelSettings.Email.Security
    let username: String?
    let password: Secret?
    let from: String
    /// For errors.
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

    /// How we call ourselves. A name of the machine's own would tell the reader what it is called inside.
    var helloName: String { from.split(separator: "@").last.map(String.init) ?? "localhost" }

    /// The password, and the forms of it that go over the wire.
    var secrets: [Secret] {
        guard let password else { return [] }
        let forms = [password.exposed, "\0\(username ?? "")\0\(password.exposed)"]
        return [password] + forms.map { Secret(Data($0.utf8).base64EncodedString()) }
    }

    func failure(
        _ kind: DeliveryFailure.Kind, _ what: String, _ reply: SMTPReply? = nil, mayBeTheMail: Bool = false
    ) -> DeliveryFailure {
        let said = reply.map { " \($0.code) \($0.lines.joined(separator: " ").quotable(hiding: secrets))" } ?? ""
        return DeliveryFailure(
            kind, "\(channel): \(host):\(port) \(what.quotable(hiding: secrets))\(said)",
            mayBeTheMessage: mayBeTheMail)
    }
}

/// The one seam to mail servers.
package typealias Post = @Sendable (MailAccount, Mail) async throws(DeliveryFailure) -> Void

extension ChannelSender {
    /// Each recipient gets a mail of its own: one that a server keeps away for an hour holds nobody else up.
    init(_ account: MailAccount, to: String, grouping: Grouping, dashboard: String?, post: @escaping Post) {
        // Mail servers let strangers wait before they greet, and take their time over the text.
        self.init(
            channel: account.channel, line: "\(account.channel)/\(to)", grouping: grouping, patience: .seconds(30)
        ) { message, at throws(DeliveryFailure) in
            try await post(account, Mail(message, from: account.from, to: to, dashboard: dashboard, at: at))
        }
    }
}
