import Foundation
import Monitor
import Testing

/// E-mail as text: headers, encodings, and the SMTP dialogue, without a network.
@Suite struct MailTextTests {
    private static let at: Int64 = 1_709_312_400

    private func mail(_ title: String, to: String = "ops@example.org") -> Mail {
        Mail(
            aMessage("mail", .opened, anIncident(7, .sev1, title: title), at: Self.at), from: "clavitor@example.org",
            to: to, dashboard: "https://m.example", at: Self.at * 1_000)
    }

    @Test func aMailHasThisFormat() {
        let key = aMessage("mail", .opened, anIncident(7, .sev1, title: "tokyo is silent"), at: Self.at).key
        let lines = mail("tokyo is silent").text
            .components(separatedBy: "\r\n")
        #expect(
            lines.prefix(11) == [
                "From: Clavitor <clavitor@example.org>", "To: ops@example.org",
                "Subject: SEV1 opened: tokyo is silent", "Date: Fri, 01 Mar 2024 17:00:00 +0000",
                "Message-ID: <\(key)@example.org>", "References: <incident.7.0@example.org>", "MIME-Version: 1.0",
                "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: base64",
                "Auto-Submitted: auto-generated", "Importance: high",
            ])
        let body = Data(base64Encoded: lines.drop { !$0.isEmpty }.joined()).map { String(decoding: $0, as: UTF8.self) }
        #expect(
            body == "SEV1 opened: tokyo is silent\r\n\r\nno heartbeat for 65 s\r\n\r\nhttps://m.example/incidents/7\r\n"
        )
    }

    @Test(arguments: [
        "x\r\nBcc: all@example.org", "x\nBcc: all@example.org", "x\r\n\r\nbody", "x\u{85}Bcc: a", "x\u{2028}Bcc: a",
        "x\u{0}y", "=?UTF-8?B?WA==?=", String(repeating: "tökyo 東京 👩‍🚒 ", count: 30), String(repeating: "a", count: 500),
    ])
    func titlesCannotAddHeadersOrLongLines(_ title: String) throws {
        let text = mail(title).text
        let head = try #require(text.components(separatedBy: "\r\n\r\n").first)
        let lines = text.components(separatedBy: "\r\n")
        #expect(lines.allSatisfy { $0.utf8.count <= 78 })
        #expect(text.utf8.allSatisfy { (0x20...0x7E).contains($0) || $0 == 13 || $0 == 10 })
        let names = head.components(separatedBy: "\r\n").filter { !$0.hasPrefix(" ") }.map { $0.prefix { $0 != ":" } }
        #expect(
            names == [
                "From", "To", "Subject", "Date", "Message-ID", "References", "MIME-Version", "Content-Type",
                "Content-Transfer-Encoding", "Auto-Submitted", "Importance",
            ])
    }

    @Test func dotsAreStuffed() {
        let stuffed = String(decoding: Mail.stuffed(".\r\n..a\r\nb.c\r\n."), as: UTF8.self)
        #expect(stuffed == "..\r\n...a\r\nb.c\r\n..\r\n.\r\n")
        #expect(String(decoding: Mail.stuffed("a\r\n"), as: UTF8.self) == "a\r\n.\r\n")
    }

    // MARK: Replies

    private static let hello =
        "250-mail.example.org at your service\r\n250-SIZE 35882577\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN\r\n"

    @Test func everyTruncationOfAReplyIsIncomplete() throws {
        let whole = Array(Self.hello.utf8)
        for count in whole.indices {
            var part = Array(whole.prefix(count))
            #expect(try SMTPReply.take(from: &part) == nil)
            #expect(part.count == count, "nothing is taken off")
        }
        var more = whole + Array("220 next".utf8)
        let reply = try #require(try SMTPReply.take(from: &more))
        #expect(reply.code == 250)
        #expect(reply.lines == ["mail.example.org at your service", "SIZE 35882577", "STARTTLS", "AUTH PLAIN LOGIN"])
        #expect(String(decoding: more, as: UTF8.self) == "220 next")
    }

    struct Bad: CustomTestStringConvertible {
        let testDescription: String
        let text: String
        let fault: SMTPReply.Fault
    }

    @Test(arguments: [
        Bad(testDescription: "HTTP", text: "HTTP/1.1 400 Bad Request\r\n", fault: .notAReply),
        Bad(testDescription: "an empty line", text: "\r\n", fault: .notAReply),
        Bad(testDescription: "a code below 200", text: "199 x\r\n", fault: .notAReply),
        Bad(testDescription: "four digits", text: "2500 x\r\n", fault: .notAReply),
        Bad(testDescription: "two codes in one reply", text: "250-a\r\n550 b\r\n", fault: .codesDiffer),
        Bad(testDescription: "no terminator", text: String(repeating: "250-a\r\n", count: 3_000), fault: .tooLong),
        Bad(testDescription: "no line end", text: String(repeating: "2", count: 20_000), fault: .tooLong),
    ])
    func malformedRepliesAreRejected(_ example: Bad) {
        var bytes = Array(example.text.utf8)
        #expect(throws: example.fault) { try SMTPReply.take(from: &bytes) }
    }

    // MARK: The dialogue

    private func dialogue(_ security: ChannelSettings.Email.Security, login: Bool = false) -> SMTPDialogue {
        let settings = ChannelSettings.Email(
            host: "mail.example.org", security: security, username: login ? "ann" : nil,
            passwordFile: login ? "/p" : nil, from: "clavitor@example.org", to: ["ops@example.org"])
        let account = MailAccount(settings, password: login ? Secret("pässword") : nil, channel: "mail")
        return SMTPDialogue(account: account, mail: mail("tokyo is silent"))
    }

    private func said(_ action: SMTPDialogue.Action) -> String {
        switch action {
        case .send(let bytes): String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .newlines)
        case .startTLS: "(TLS)"
        case .accepted: "(accepted)"
        case .failed(let failure): "(\(failure.kind)) \(failure)"
        }
    }

    struct Talk: CustomTestStringConvertible {
        let testDescription: String
        var security = ChannelSettings.Email.Security.implicit
        var login = false
        let replies: [SMTPReply]
        let end: String
    }

    private static func reply(_ code: Int, _ lines: String...) -> SMTPReply { SMTPReply(code: code, lines: lines) }
    private static let greeting = reply(220, "mail.example.org")

    @Test(arguments: [
        Talk(
            testDescription: "without STARTTLS nothing is sent unencrypted", security: .starttls, login: true,
            replies: [greeting, reply(250, "mail", "AUTH PLAIN")],
            end: "(temporary) mail: mail.example.org:587 does not offer STARTTLS, and nothing is sent unencrypted"),
        Talk(
            testDescription: "a server that hides STARTTLS in its name", security: .starttls,
            replies: [greeting, reply(250, "STARTTLS")],
            end: "(temporary) mail: mail.example.org:587 does not offer STARTTLS, and nothing is sent unencrypted"),
        Talk(
            testDescription: "STARTTLS is required", security: .starttls,
            replies: [greeting, reply(250, "mail", "starttls")], end: "STARTTLS"),
        Talk(
            testDescription: "and accepted", security: .starttls,
            replies: [greeting, reply(250, "mail", "STARTTLS"), reply(220, "go ahead")], end: "(TLS)"),
        Talk(
            testDescription: "PLAIN is preferred", login: true,
            replies: [greeting, reply(250, "mail", "AUTH LOGIN PLAIN")], end: "AUTH PLAIN AGFubgBww6Rzc3dvcmQ="),
        Talk(
            testDescription: "LOGIN is supported", login: true,
            replies: [
                greeting, reply(250, "mail", "AUTH LOGIN"), reply(334, "VXNlcm5hbWU6"), reply(334, "UGFzc3dvcmQ6"),
            ],
            end: "cMOkc3N3b3Jk"),
        Talk(
            testDescription: "no other character is escaped", login: true,
            replies: [greeting, reply(250, "mail", "AUTH CRAM-MD5")],
            end: "(rejected) mail: mail.example.org:465 offers neither AUTH PLAIN nor AUTH LOGIN"),
        Talk(
            testDescription: "a wrong password, repeated by the server", login: true,
            replies: [
                greeting, reply(250, "mail", "AUTH PLAIN"), reply(535, "5.7.8 pässword AGFubgBww6Rzc3dvcmQ= is wrong"),
            ], end: "(rejected) mail: mail.example.org:465 answered 535 5.7.8 … … is wrong"),
        Talk(
            testDescription: "busy", replies: [reply(421, "try later")],
            end: "(temporary) mail: mail.example.org:465 answered 421 try later"),
        Talk(
            testDescription: "the recipient is unknown",
            replies: [greeting, reply(250, "mail"), reply(250, "ok"), reply(550, "who?")],
            end: "(rejected) mail: mail.example.org:465 did not accept ops@example.org: 550 who?"),
        Talk(
            testDescription: "the recipient is greylisted",
            replies: [greeting, reply(250, "mail"), reply(250, "ok"), reply(451, "greylisted")],
            end: "(temporary) mail: mail.example.org:465 did not accept ops@example.org: 451 greylisted"),
        Talk(
            testDescription: "the text is rejected",
            replies: [
                greeting, reply(250, "mail"), reply(250, "ok"), reply(250, "ok"), reply(354, "go"), reply(554, "spam"),
            ], end: "(rejected) mail: mail.example.org:465 answered 554 spam"),
    ])
    func theDialogueFollowsTheReplies(_ talk: Talk) {
        var dialogue = dialogue(talk.security, login: talk.login)
        let actions = talk.replies.map { said(dialogue.received($0)) }
        #expect(actions.last == talk.end)
        #expect(actions.dropLast().allSatisfy { !$0.hasPrefix("(") })
    }
}
