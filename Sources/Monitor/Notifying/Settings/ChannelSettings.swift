/// One `[[channel]]` table: a name and the settings of its type. Secrets are paths to files.
package struct ChannelSettings: Equatable, Sendable {
    package var name: String
    package var kind: Kind
    package var grouping = Grouping.standard

    package enum Kind: Equatable, Sendable {
        case webhook(Webhook)
        /// The file contains the topic's URL.
        case ntfy(urlFile: String, tokenFile: String?)
        case chat(urlFile: String, ChatStyle)
        /// `url`: Replaces the address of the US region.
        case pagerDuty(keyFile: String, url: String?)
        case telegram(tokenFile: String, chat: String, url: String?)
        case email(Email)
    }

    /// The value of the key `type`.
    package enum ChannelType: String, CaseIterable, Sendable {
        case webhook, ntfy, chat, pagerduty, telegram, email
    }

    package var type: ChannelType {
        switch kind {
        case .webhook: .webhook
        case .ntfy: .ntfy
        case .chat: .chat
        case .pagerDuty: .pagerduty
        case .telegram: .telegram
        case .email: .email
        }
    }

    package struct Webhook: Equatable, Sendable {
        package var urlFile: String
        package var keyFile: String?
        package var template: String?
        package var contentType: String?

        package init(urlFile: String, keyFile: String? = nil, template: String? = nil, contentType: String? = nil) {
            self.urlFile = urlFile
            self.keyFile = keyFile
            self.template = template
            self.contentType = contentType
        }
    }

    package enum ChatStyle: String, Sendable { case slack, discord }

    package struct Email: Equatable, Sendable {
        package enum Security: String, Sendable {
            case implicit, starttls
            /// No encryption, for servers on this machine only.
            case none
        }

        package var host: String
        package var port: Int
        package var security: Security
        package var username: String?
        package var passwordFile: String?
        package var from: String
        package var to: [String]

        package init(
            host: String, port: Int? = nil, security: Security = .starttls, username: String? = nil,
            passwordFile: String? = nil, from: String, to: [String]
        ) {
            let usual =
                switch security {
                case .implicit: 465
                case .starttls: 587
                case .none: 25
                }
            self.host = host
            self.port = port ?? usual
            self.security = security
            self.username = username
            self.passwordFile = passwordFile
            self.from = from
            self.to = to
        }
    }

    package init(name: String, kind: Kind, grouping: Grouping = .standard) {
        self.name = name
        self.kind = kind
        self.grouping = grouping
    }

    /// Independent recipients: an e-mail channel has one for each address.
    package var recipients: [String] {
        if case .email(let email) = kind { email.to.map { "\(name)/\($0)" } } else { [name] }
    }

    func validate() throws(NotificationSettingsError) {
        let isName = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
        guard isName, (1...64).contains(name.utf8.count) else {
            throw .badValue("a channel's name", "it must have 1 to 64 letters, digits, - and _")
        }
        guard (0...600_000).contains(grouping.wait) else {
            throw .badValue("group-wait of \(name)", "it must be from 0 to 600 seconds")
        }
        guard (0...3_600_000).contains(grouping.interval) else {
            throw .badValue("group-interval of \(name)", "it must be from 0 to 3600 seconds")
        }
        switch kind {
        case .webhook(let webhook):
            guard (webhook.template?.utf8.count ?? 0) <= 65_536 else {
                throw .badValue("template of \(name)", "it must have at most 64 KiB")
            }
            guard webhook.contentType.map(\.isHeaderValue) ?? true else {
                throw .badValue("content-type of \(name)", "it must be printable ASCII")
            }
        case .ntfy, .chat: break
        case .pagerDuty(_, let url): try validate(url)
        case .telegram(_, let chat, let url):
            guard !chat.isEmpty else { throw .badValue("chat-id of \(name)", "it must not be empty") }
            try validate(url)
        case .email(let email): try email.validate(name)
        }
    }

    private func validate(_ url: String?) throws(NotificationSettingsError) {
        guard let url else { return }
        guard let address = WebAddress(url), address.isConfidential else {
            throw .badValue("url of \(name)", "it must be an https URL; http is allowed for this machine only")
        }
    }
}

extension ChannelSettings.Email {
    fileprivate func validate(_ channel: String) throws(NotificationSettingsError) {
        guard !host.isEmpty, host.isHeaderValue, (1...65_535).contains(port) else {
            throw .badValue("host or port of \(channel)", "it must be a host name, and a port from 1 to 65535")
        }
        guard security != .none || WebAddress.isLoopback(host) else {
            throw .badValue(
                "tls of \(channel)", "none is allowed for a server on this machine only; use starttls or implicit")
        }
        guard (username == nil) == (passwordFile == nil) else {
            throw .badValue("username of \(channel)", "it must be set together with password-file")
        }
        guard !to.isEmpty, to.count <= 50 else { throw .badValue("to of \(channel)", "it must have 1 to 50 addresses") }
        guard Set(to).count == to.count else {
            throw .badValue("to of \(channel)", "it must not contain an address twice")
        }
        for address in [from] + to where !address.isMailAddress {
            throw .badValue("from or to of \(channel)", "\"\(address)\" must be a plain ASCII address")
        }
    }
}

extension String {
    /// Whether it is printable ASCII, which cannot end a header line.
    var isHeaderValue: Bool { utf8.allSatisfy { (0x20...0x7E).contains($0) } }

    fileprivate var isMailAddress: Bool {
        let parts = split(separator: "@", omittingEmptySubsequences: false)
        return parts.count == 2 && parts.allSatisfy { !$0.isEmpty } && utf8.count <= 254 && isHeaderValue
            && !contains { " <>(),;:\\\"[]".contains($0) }
    }
}
