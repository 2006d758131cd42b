import FoundationEssentials

/// The client side of one SMTP session (RFC 5321, with STARTTLS of RFC 3207 and AUTH of RFC 4954). Pure: replies go in,
/// actions come out.
package struct SMTPDialogue: Sendable {
    package enum Action: Equatable, Sendable {
        case send([UInt8])
        /// All following data goes through TLS.
        case startTLS
        /// The server has accepted the mail.
        case accepted
        case failed(DeliveryFailure)
    }

    private enum State: Equatable {
        case greeting, hello, startTLS, secureHello
        case loginName, loginPassword, credentials
        case sender, recipient, data, text, over
    }

    private let account: MailAccount
    private let mail: Mail
    private var state = State.greeting

    package init(account: MailAccount, mail: Mail) {
        self.account = account
        self.mail = mail
    }

    package mutating func received(_ reply: SMTPReply) -> Action {
        switch state {
        case .greeting: expect(220, reply) { $0.hello(.hello) }
        case .hello:
            expect(250, reply) { $0.account.security == .starttls ? $0.upgrade(reply) : $0.authenticate(reply) }
        case .startTLS:
            expect(220, reply) { dialogue in
                dialogue.state = .secureHello
                return .startTLS
            }
        // Capabilities from before TLS are discarded, as RFC 3207 section 4.2 demands.
        case .secureHello: expect(250, reply) { $0.authenticate(reply) }
        case .loginName: expect(334, reply) { $0.login($0.account.username, then: .loginPassword) }
        case .loginPassword: expect(334, reply) { $0.login($0.account.password?.exposed, then: .credentials) }
        case .credentials: expect(235, reply) { $0.begin() }
        case .sender: expect(250, reply) { $0.say("RCPT TO:<\($0.mail.to)>", then: .recipient) }
        case .recipient: recipient(reply)
        case .data:
            expect(354, reply) { dialogue in
                dialogue.state = .text
                return .send(Mail.stuffed(dialogue.mail.text))
            }
        case .text:
            expect(250, reply) { dialogue in
                dialogue.state = .over
                return .accepted
            }
        case .over: fail(.temporary, "sent an unexpected reply")
        }
    }

    /// TLS is established: the session starts again.
    package mutating func secured() -> Action { hello(.secureHello) }

    // MARK: Steps

    private mutating func hello(_ next: State) -> Action { say("EHLO \(account.helloName)", then: next) }

    private mutating func upgrade(_ hello: SMTPReply) -> Action {
        guard hello.offers("STARTTLS") != nil else {
            return fail(.temporary, "does not offer STARTTLS, and nothing is sent unencrypted")
        }
        return say("STARTTLS", then: .startTLS)
    }

    private mutating func authenticate(_ hello: SMTPReply) -> Action {
        guard let username = account.username, let password = account.password else { return begin() }
        let methods = hello.offers("AUTH")?.split(separator: " ").map { $0.uppercased() } ?? []
        if methods.contains("PLAIN") {
            return say("AUTH PLAIN \(Self.base64("\0\(username)\0\(password.exposed)"))", then: .credentials)
        }
        if methods.contains("LOGIN") { return say("AUTH LOGIN", then: .loginName) }
        return fail(.rejected, "offers neither AUTH PLAIN nor AUTH LOGIN")
    }

    private mutating func login(_ word: String?, then next: State) -> Action {
        say(Self.base64(word ?? ""), then: next)
    }

    private mutating func begin() -> Action { say("MAIL FROM:<\(mail.from)>", then: .sender) }

    private mutating func recipient(_ reply: SMTPReply) -> Action {
        if (250...251).contains(reply.code) { return say("DATA", then: .data) }
        return fail(reply.code >= 500 ? .rejected : .temporary, "did not accept \(mail.to):", reply)
    }

    private mutating func say(_ line: String, then next: State) -> Action {
        state = next
        return .send(Array("\(line)\r\n".utf8))
    }

    private mutating func expect(_ code: Int, _ reply: SMTPReply, _ body: (inout SMTPDialogue) -> Action) -> Action {
        if reply.code == code { return body(&self) }
        return fail(reply.code >= 500 ? .rejected : .temporary, "answered", reply)
    }

    private mutating func fail(_ kind: DeliveryFailure.Kind, _ what: String, _ reply: SMTPReply? = nil) -> Action {
        let wasText = state == .text
        state = .over
        return .failed(account.failure(kind, what, reply, mayBeMailFault: wasText && kind == .rejected))
    }

    private static func base64(_ text: String) -> String { Data(text.utf8).base64EncodedString() }
}

extension SMTPReply {
    /// Parameters of an EHLO keyword; nil when the reply does not have the keyword.
    fileprivate func offers(_ keyword: String) -> String? {
        // The first line is the server's name.
        for line in lines.dropFirst() {
            let words = line.split(separator: " ", maxSplits: 1)
            if words.first?.uppercased() == keyword { return words.count > 1 ? String(words[1]) : "" }
        }
        return nil
    }
}
