import Foundation
import Monitor
import TestSupport
import Testing

/// Mail to a real server, Python's aiosmtpd, over real TLS.
@Suite(.enabled(if: MailServer.python != nil), .timeLimit(.minutes(2))) struct MailServerTests {
    static let title = "tökyo is silent\r\nBcc: all@example.org 東京 " + String(repeating: "long ", count: 20)

    private func mail(to: String = "ops@example.org") -> (Message, Mail) {
        let incident = anIncident(7, .sev1, title: Self.title, detail: ".a dot\nünd mehr")
        let message = aMessage("mail", .opened, incident)
        let mail = Mail(message, from: "clavitor@example.org", to: to, dashboard: nil, at: message.at)
        return (message, mail)
    }

    private func account(
        _ server: MailServer, host: String = "localhost", _ security: ChannelSettings.Email.Security,
        password: String? = "pässword"
    ) -> MailAccount {
        let settings = ChannelSettings.Email(
            host: host, port: server.port, security: security, username: password == nil ? nil : "ann",
            passwordFile: password == nil ? nil : "/p", from: "clavitor@example.org", to: ["ops@example.org"])
        return MailAccount(settings, password: password.map { Secret($0) }, channel: "mail")
    }

    @Test(arguments: [
        ("implicit", "PLAIN", "localhost"), ("implicit", "LOGIN", "127.0.0.1"), ("starttls", "PLAIN", "localhost"),
        ("starttls", "LOGIN", "localhost"),
    ])
    func arrivesOverTLSWithAPassword(_ security: String, _ method: String, _ host: String) async throws {
        try await MailServer.with(security, method) { server in
            let sender = try MailSender(trustedPEM: server.certificate)
            let (message, mail) = mail()
            let kind = try #require(ChannelSettings.Email.Security(rawValue: security))
            try await sender.send(account(server, host: host, kind), mail)
            let received = try #require(try server.received.first)
            #expect(received["tls"] as? Bool == true)
            #expect(received["user"] as? String == "ann")
            #expect(received["to"] as? [String] == ["ops@example.org"])
            #expect(received["subject"] as? String == MessageText(message).title)
            #expect(received["bcc"] as? Bool == false)
            #expect(received["id"] as? String == "<\(message.key)@example.org>")
            let lines = (received["text"] as? String)?.split(whereSeparator: \.isNewline)
            #expect(lines == [Substring(MessageText(message).title), ".a dot ünd mehr"])
            #expect(received["defects"] as? Int == 0)
        }
    }

    @Test func plainSMTPIsForLoopbackOnly() async throws {
        try await MailServer.with("none", "PLAIN") { server in
            let sender = try MailSender(trustedPEM: server.certificate)
            try await sender.send(account(server, .none, password: nil), mail().1)
            #expect(try server.received.count == 1)
        }
        #expect(throws: NotificationSettingsError.self) {
            let email = ChannelSettings.Email(
                host: "mail.example.org", security: .none, from: "a@example.org", to: ["b@example.org"])
            return try NotificationSettings(channels: [.init(name: "mail", kind: .email(email))])
        }
    }

    @Test func aServerWithoutSTARTTLSGetsNothing() async throws {
        try await MailServer.with("none", "PLAIN") { server in
            let sender = try MailSender(trustedPEM: server.certificate)
            await #expect { try await sender.send(account(server, .starttls), mail().1) } throws: { error in
                "\(error)".contains("does not offer STARTTLS")
            }
            #expect(try server.received.isEmpty)
        }
    }

    @Test(arguments: ["implicit", "starttls"])
    func anUntrustedCertificateIsRejected(_ security: String) async throws {
        try await MailServer.with(security, "PLAIN") { server in
            let sender = try MailSender()
            let kind = try #require(ChannelSettings.Email.Security(rawValue: security))
            await #expect { try await sender.send(account(server, kind), mail().1) } throws: { error in
                (error as? DeliveryFailure)?.kind == .temporary && "\(error)".contains("its certificate is not trusted")
            }
            #expect(try server.received.isEmpty)
        }
    }

    @Test func aWrongPasswordIsRejectedAndNotQuoted() async throws {
        try await MailServer.with("implicit", "PLAIN") { server in
            let sender = try MailSender(trustedPEM: server.certificate)
            await #expect {
                try await sender.send(account(server, .implicit, password: "hunter2hunter2"), mail().1)
            } throws: { error in
                (error as? DeliveryFailure)?.kind == .rejected && "\(error)".contains("535")
                    && !"\(error)".contains("hunter2")
            }
        }
    }

    @Test func anUnknownRecipientIsNamed() async throws {
        try await MailServer.with("starttls", "PLAIN") { server in
            let sender = try MailSender(trustedPEM: server.certificate)
            await #expect {
                try await sender.send(account(server, .starttls), mail(to: "nobody@example.org").1)
            } throws: { error in
                (error as? DeliveryFailure)?.kind == .rejected
                    && "\(error)".hasSuffix("did not accept nobody@example.org: 550 no such user")
            }
            try await sender.send(account(server, .starttls), mail().1)
            #expect(try server.received.map { $0["to"] as? [String] } == [["ops@example.org"]])
        }
    }

    @Test func anUnreachableServerIsReported() async throws {
        let scratch = try Scratch()
        let server = MailServer(port: 1, certificate: [], folder: scratch)
        await #expect { try await MailSender().send(account(server, .implicit), mail().1) } throws: { error in
            "\(error)".hasPrefix("mail: localhost:1 cannot be reached: ")
        }
    }
}

/// aiosmtpd in a process of its own.
struct MailServer: Sendable {
    let port: Int
    /// PEM.
    let certificate: [UInt8]
    let folder: Scratch

    static var python: String? { ProcessInfo.processInfo.environment["CLAVITOR_PYTHON"] }

    /// What arrived, as Python's mail parser sees it.
    var received: [NSDictionary] {
        get throws {
            try folder.text("mails").split(separator: "\n").compactMap {
                try JSONSerialization.jsonObject(with: Data($0.utf8)) as? NSDictionary
            }
        }
    }

    static func with(_ security: String, _ method: String, _ body: (MailServer) async throws -> Void) async throws {
        let folder = try Scratch()
        let files = try await folder.makeCertificate()
        let script = try folder.write(Self.script, to: "server.py")
        try folder.write("", to: "mails")
        try folder.write("", to: "port")
        let process = try RunningTool(
            python ?? "",
            [script, security, method, files.certificate, files.key, folder.file("mails"), folder.file("port")])
        defer { process.kill() }
        try await process.wait { _ in Int(try folder.text("port")) != nil }
        let port = try #require(Int(try folder.text("port")))
        let certificate = Array(try folder.text("certificate.pem").utf8)
        try await body(MailServer(port: port, certificate: certificate, folder: folder))
    }

    private static let script = """
        import asyncio, email, email.policy, json, os, ssl, sys
        from aiosmtpd.smtp import SMTP, AuthResult

        security, method, certificate, key, mails, port = sys.argv[1:]
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate, key)

        class Handler:
            async def handle_RCPT(self, server, session, envelope, address, options):
                if address.startswith("nobody@"):
                    return "550 no such user"
                envelope.rcpt_tos.append(address)
                return "250 OK"

            async def handle_DATA(self, server, session, envelope):
                mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
                user = session.auth_data.login.decode() if session.authenticated else None
                with open(mails, "a") as file:
                    file.write(json.dumps({
                        "tls": session.ssl is not None or security == "implicit", "user": user,
                        "to": envelope.rcpt_tos, "subject": mail["Subject"], "bcc": "Bcc" in mail,
                        "id": mail["Message-ID"], "text": mail.get_content(), "defects": len(mail.defects),
                    }) + "\\n")
                return "250 taken"

        def authenticate(server, session, envelope, mechanism, data):
            right = data.login == b"ann" and data.password == "p\\u00e4ssword".encode()
            return AuthResult(success=right, handled=False, auth_data=data)

        def conversation():
            other = "LOGIN" if method == "PLAIN" else "PLAIN"
            return SMTP(
                Handler(), tls_context=context if security == "starttls" else None,
                require_starttls=security == "starttls", auth_required=security != "none", authenticator=authenticate,
                auth_require_tls=security == "starttls", auth_exclude_mechanism=[other])

        async def main():
            loop = asyncio.get_running_loop()
            server = await loop.create_server(
                conversation, "127.0.0.1", 0, ssl=context if security == "implicit" else None)
            with open(port + ".new", "w") as file:
                file.write(str(server.sockets[0].getsockname()[1]))
            os.rename(port + ".new", port)
            await server.serve_forever()

        asyncio.run(main())
        """
}
