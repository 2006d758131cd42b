import Foundation
import Monitor
import Testing

/// The requests of each channel, compared with the service's documentation.
@Suite struct ChannelFormatTests {
    static let at: Int64 = 1_709_312_400
    static let incident = anIncident(
        7, .sev1, opened: 1_709_312_300, title: "tökyo \"is\" <!channel> @here silent\r\nBcc: x", detail: "no beat")
    static let group = Message(
        channel: "c", changes: (1...40).map { anIncident($0, node: "node\($0)").becomes(.opened, at: at) })

    /// The requests of a channel for a message.
    static func requests(
        _ kind: ChannelSettings.Kind, _ message: Message, _ answer: WebResponse = WebResponse(status: 200)
    ) async throws -> [WebRequest] {
        let network = ScriptedNetwork()
        network.probeResults { _, _ in answer }
        let sender = try sender(kind, network)
        try await sender.send(message, at * 1_000)
        return network.requests
    }

    static func sender(_ kind: ChannelSettings.Kind, _ network: ScriptedNetwork) throws -> ChannelSender {
        let files = [
            "/url": "https://chat.example/hooks/T0K3NT0K3N\n", "/topic": "https://ntfy.example/alerts-9f8e7d",
            "/token": "123456:AAbbCCddEE", "/key": "0123456789abcdef0123456789abcdef",
        ]
        let factory = ChannelFactory(
            send: network.send, post: network.post, readFile: { Array((files[$0] ?? "").utf8) })
        return try factory.senders(
            NotificationSettings(channels: [.init(name: "c", kind: kind)], dashboard: "https://m.example/"))[0]
    }

    static func json(_ text: String) throws -> NSDictionary? {
        try JSONSerialization.jsonObject(with: Data(text.utf8)) as? NSDictionary
    }

    private func message(_ kind: IncidentChange.Kind = .opened, _ incident: Incident = incident) -> Message {
        aMessage("c", kind, incident, at: Self.at)
    }

    @Test func aWebhookGetsAllDetails() async throws {
        let request = try await Self.requests(.webhook(.init(urlFile: "/url")), message())[0]
        let expected = """
            {"version": 1, "key": "\(message().key)", "channel": "c", "time": 1709312400, "severity": "sev1", "total": 1,
             "url": "https://m.example/incidents/7", "title": "SEV1 opened: tökyo \\"is\\" <!channel> @here silent  Bcc: x",
             "text": "SEV1 opened: tökyo \\"is\\" <!channel> @here silent  Bcc: x\\nno beat",
             "changes": [{"kind": "opened", "time": 1709312400, "incident": {"id": 7, "key": "tokyo/silent/7",
             "node": "tokyo", "region": "asia", "rule": "silent", "severity": "sev1", "detail": "no beat",
             "title": "tökyo \\"is\\" <!channel> @here silent\\r\\nBcc: x", "opened": 1709312300}}]}
            """
        #expect(try request.json == Self.json(expected))
        #expect(request.header("Idempotency-Key") == message().key)
        #expect(request.header("Content-Type") == "application/json")
        #expect(request.header("X-Clavitor-Signature") == nil)
    }

    struct Template: CustomTestStringConvertible {
        let testDescription: String
        let template: String
        var contentType: String?
        let expected: String
    }

    @Test(arguments: [
        Template(
            testDescription: "JSON is escaped", template: #"{"t":"{title}","n":"{node}","x":{}}"#,
            expected: #"{"t":"SEV1 opened: tökyo \"is\" <!channel> @here silent  Bcc: x","n":"tokyo","x":{}}"#),
        Template(
            testDescription: "a form is percent-encoded", template: "k={kind}&d={detail}&u={url}",
            contentType: "application/x-www-form-urlencoded",
            expected: "k=opened&d=no%20beat&u=https%3A%2F%2Fm.example%2Fincidents%2F7"),
        Template(
            testDescription: "text is not escaped", template: "{severity} {region} {time} {unknown} {",
            contentType: "text/plain; charset=utf-8", expected: "sev1 asia 2024-03-01T17:00:00Z {unknown} {"),
    ])
    func aTemplateIsExpanded(_ example: Template) async throws {
        let kind = ChannelSettings.Kind.webhook(
            .init(urlFile: "/url", template: example.template, contentType: example.contentType))
        let request = try await Self.requests(kind, message())[0]
        #expect(String(decoding: request.body, as: UTF8.self) == example.expected)
    }

    @Test func placeholderValuesAreNotExpandedAgain() async throws {
        var odd = Self.incident
        odd.title = "{detail} {title}"
        let kind = ChannelSettings.Kind.webhook(.init(urlFile: "/url", template: "{title}", contentType: "text/plain"))
        let request = try await Self.requests(kind, message(.opened, odd))[0]
        #expect(String(decoding: request.body, as: UTF8.self) == "SEV1 opened: {detail} {title}")
    }

    @Test func ntfyIsPublishedAsJSONToTheRoot() async throws {
        let request = try await Self.requests(.ntfy(urlFile: "/topic", tokenFile: "/token"), message())[0]
        #expect(request.url.exposed == "https://ntfy.example/")
        #expect(request.header("Authorization") == "Bearer 123456:AAbbCCddEE")
        let expected = """
            {"topic": "alerts-9f8e7d", "title": "SEV1 opened: tökyo \\"is\\" <!channel> @here silent  Bcc: x",
             "message": "no beat", "priority": 5, "tags": ["rotating_light"], "click": "https://m.example/incidents/7"}
            """
        #expect(try request.json == Self.json(expected))
        let end = try await Self.requests(.ntfy(urlFile: "/topic", tokenFile: nil), message(.resolved))[0]
        #expect(end.json?["priority"] as? Int == 3)
        #expect(end.json?["tags"] as? [String] == ["white_check_mark"])
    }

    @Test func slackIsEscapedAndMentionsNoOne() async throws {
        let request = try await Self.requests(.chat(urlFile: "/url", .slack), message())[0]
        let title = "SEV1 opened: tökyo \\\"is\\\" &lt;!channel&gt; @\u{200B}here silent  Bcc: x"
        let expected = """
            {"text": "\(title)",
             "attachments": [{"color": "#c62828", "fallback": "\(title)",
              "text": "no beat\\nhttps://m.example/incidents/7"}]}
            """
        #expect(try request.json == Self.json(expected))
    }

    @Test func discordIsTruncatedAndMentionsNoOne() async throws {
        let request = try await Self.requests(.chat(urlFile: "/url", .discord), message())[0]
        #expect(request.json?["allowed_mentions"] as? NSDictionary == ["parse": [String]()])
        #expect((request.json?["content"] as? String)?.contains("@\u{200B}here") == true)
        var long = Self.group.changes
        for index in long.indices {
            long[index].incident.region = "region \(index)"
            long[index].incident.detail = String(repeating: "👩‍🚒", count: 300)
        }
        let group = try await Self.requests(.chat(urlFile: "/url", .discord), Message(channel: "c", changes: long))[0]
        let content = try #require(group.json?["content"] as? String)
        #expect((1_900...2_000).contains(content.utf16.count))
        #expect(content.hasSuffix("…\nhttps://m.example/incidents"))
    }

    @Test func nodeTextCannotDisguiseALink() async throws {
        var odd = Self.incident
        odd.title = "[sign in](https://evil.example)"
        odd.detail = "# *now*"
        let slack = try await Self.requests(.chat(urlFile: "/url", .slack), message(.opened, odd))[0]
        #expect(slack.json?["text"] as? String == "SEV1 opened: (sign in)(https://evil.example)")
        let discord = try await Self.requests(.chat(urlFile: "/url", .discord), message(.opened, odd))[0]
        let content = try #require(discord.json?["content"] as? String)
        #expect(content.contains(#"\[sign in\]\(https://evil.example\)"#))
        #expect(content.contains(##"\# \*now\*"##))
    }

    @Test func pagerDutyGetsAnEventForAnIncident() async throws {
        let kind = ChannelSettings.Kind.pagerDuty(keyFile: "/key", url: nil)
        let request = try await Self.requests(kind, message())[0]
        #expect(request.url.exposed == "https://events.pagerduty.com/v2/enqueue")
        let expected = """
            {"routing_key": "0123456789abcdef0123456789abcdef", "event_action": "trigger",
             "dedup_key": "clavitor/7/1709312300000", "client": "Clavitor", "client_url": "https://m.example/incidents/7",
             "payload": {"summary": "SEV1 opened: tökyo \\"is\\" <!channel> @here silent  Bcc: x", "source": "tokyo",
             "severity": "critical", "timestamp": "2024-03-01T17:00:00Z", "component": "tokyo", "group": "asia",
             "class": "silent", "custom_details": {"detail": "no beat", "key": "tokyo/silent/7"}}}
            """
        #expect(try request.json == Self.json(expected))
        let end = try await Self.requests(kind, message(.resolved))[0]
        let short = """
            {"routing_key": "0123456789abcdef0123456789abcdef", "event_action": "resolve",
             "dedup_key": "clavitor/7/1709312300000"}
            """
        #expect(try end.json == Self.json(short))
        let known = try await Self.requests(kind, message(.acknowledged))[0]
        #expect(known.json?["event_action"] as? String == "acknowledge")
    }

    @Test func pagerDutyGetsOneEventForGroupedIncidents() async throws {
        let kind = ChannelSettings.Kind.pagerDuty(keyFile: "/key", url: nil)
        let request = try await Self.requests(kind, Self.group)[0]
        #expect(request.json?["dedup_key"] as? String == "clavitor/1/0")
        let payload = try #require(request.json?["payload"] as? NSDictionary)
        #expect(payload["summary"] as? String == "SEV2 opened: 40 nodes in asia (silent)")
        #expect(payload["source"] as? String == "fleet")
        let detail = (payload["custom_details"] as? NSDictionary)?["detail"] as? String ?? ""
        for node in 1...40 { #expect(detail.contains("node\(node)")) }
        // Some incidents resolve and the thread stays open: there is no event for that.
        var update = ThreadUpdate(thread: "1/0")
        update.changes = [Self.incident.becomes(.resolved, at: Self.at)]
        #expect(try await Self.requests(kind, Message(channel: "c", [update])).isEmpty)
        update.isOver = true
        let end = try await Self.requests(kind, Message(channel: "c", [update]))[0]
        #expect(end.json?["event_action"] as? String == "resolve")
        #expect(end.json?["dedup_key"] as? String == "clavitor/1/0")
        // An incident that resolved before its notification pages no one.
        #expect(try await Self.requests(kind, message(.openedAndResolved)).isEmpty)
    }

    @Test(arguments: [(Severity.sev1, "critical"), (.sev2, "error"), (.warning, "warning")])
    func pagerDutySeveritiesAreMapped(_ severity: Severity, _ word: String) async throws {
        let request = try await Self.requests(
            .pagerDuty(keyFile: "/key", url: nil), message(.opened, anIncident(1, severity)))[0]
        #expect((request.json?["payload"] as? NSDictionary)?["severity"] as? String == word)
    }

    @Test func telegramHasItsTokenInTheURLAndALimit() async throws {
        let kind = ChannelSettings.Kind.telegram(tokenFile: "/token", chat: "-100123", url: nil)
        let request = try await Self.requests(kind, message())[0]
        #expect(request.url.exposed == "https://api.telegram.org/bot123456:AAbbCCddEE/sendMessage")
        let expected = """
            {"chat_id": "-100123", "disable_notification": false, "link_preview_options": {"is_disabled": true},
             "text": "SEV1 opened: tökyo \\"is\\" <!channel> @\u{200B}here silent  Bcc: x\\nno beat\\nhttps://m.example/incidents/7"}
            """
        #expect(try request.json == Self.json(expected))
        var long = Self.group.changes
        for index in long.indices {
            long[index].incident.region = "region \(index)"
            long[index].incident.detail = String(repeating: "é", count: 300)
        }
        let group = try await Self.requests(kind, Message(channel: "c", changes: long))[0]
        let text = try #require(group.json?["text"] as? String)
        #expect((4_000...4_096).contains(text.utf16.count))
        let quiet = try await Self.requests(kind, message(.resolved))[0]
        #expect(quiet.json?["disable_notification"] as? Bool == true)
    }

    @Test func telegramSendsRetryAfterInItsBody() async throws {
        let body = #"{"ok":false,"error_code":429,"description":"Too Many Requests","parameters":{"retry_after":37}}"#
        await #expect {
            _ = try await Self.requests(
                .telegram(tokenFile: "/token", chat: "1", url: nil), message(),
                WebResponse(status: 429, body: Array(body.utf8)))
        } throws: { error in
            (error as? DeliveryFailure)?.retryAfter == 37
        }
    }

    @Test func aGroupNamesAllItsNodes() async throws {
        let request = try await Self.requests(.chat(urlFile: "/url", .slack), Self.group)[0]
        #expect(request.json?["text"] as? String == "SEV2 opened: 40 nodes in asia (silent)")
        let attachment = (request.json?["attachments"] as? [NSDictionary])?.first?["text"] as? String ?? ""
        let names = (1...40).map { "node\($0)" }.joined(separator: ", ")
        #expect(attachment == "SEV2 opened: silent, asia: \(names)\nhttps://m.example/incidents")
    }

    @Test func excessChangesAreCounted() {
        let regions = (1...30).map { anIncident($0, region: "r\($0)", node: "n\($0)").becomes(.opened, at: Self.at) }
        let lines = MessageText(Message(channel: "c", changes: regions)).lines
        #expect(lines.count == 21)
        #expect(lines.last == "and 10 more")
        let many = (1...900).map { anIncident($0, node: "node-\($0)").becomes(.opened, at: Self.at) }
        let message = Message(channel: "c", changes: many)
        let text = MessageText(message)
        #expect(text.title == "900 notices: 500 SEV2 opened, 400 more")
        #expect(text.lines.count == 2)
        #expect(text.lines[0].count < 2_500)
        let named = text.lines[0].split(separator: ", ").count { $0.contains("node-") }
        #expect(text.lines[0].hasSuffix("and \(500 - named) more"))
        #expect(text.lines[1] == "and 400 more")
    }
}
