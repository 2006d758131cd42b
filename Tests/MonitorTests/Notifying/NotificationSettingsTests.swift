import Fleet
import Monitor
import TOMLKit
import Testing

/// The tables of the configuration file, as TOML.
@Suite struct NotificationSettingsTests {
    private func decode(_ text: String) throws -> NotificationSettings {
        try TOMLDecoder().decode(NotificationSettings.self, from: text)
    }

    /// A type that the inventory does not know cannot be configured in a fleet.
    @Test func everyTypeIsKnownToTheFleetAndToTheTestOfSecrets() {
        let types = Set(ChannelSettings.ChannelType.allCases)
        #expect(Set(types.map(\.rawValue)) == Set(Inventory.Channel.needed.keys))
        #expect(Set(SecrecyTests.channels.map(\.type)) == types)
    }

    @Test func readsEveryKey() throws {
        let settings = try decode(
            """
            dashboard = "https://monitor.example/"

            [[channel]]
            name = "hook"
            type = "webhook"
            url-file = "/s/url"
            key-file = "/s/key"
            template = "{title}"
            content-type = "text/plain"
            [[channel]]
            name = "push"
            type = "ntfy"
            url-file = "/s/topic"
            token-file = "/s/token"
            [[channel]]
            name = "team"
            type = "chat"
            style = "discord"
            url-file = "/s/chat"
            [[channel]]
            name = "pager"
            type = "pagerduty"
            key-file = "/s/pd"
            url = "https://events.eu.pagerduty.com/v2/enqueue"
            [[channel]]
            name = "bot"
            type = "telegram"
            token-file = "/s/bot"
            chat-id = "-1001"
            [[channel]]
            name = "mail"
            type = "email"
            host = "mail.example.org"
            tls = "implicit"
            username = "ann"
            password-file = "/s/pw"
            from = "clavitor@example.org"
            to = ["a@example.org", "b@example.org"]

            [[route]]
            channel = "team"
            severities = ["warning", "sev2", "sev1"]
            regions = ["asia"]
            [[route]]
            channel = "pager"
            severities = ["sev1"]
            after = 600
            repeat = 1800
            """)
        let expected = try NotificationSettings(
            channels: [
                .init(
                    name: "hook",
                    kind: .webhook(
                        .init(urlFile: "/s/url", keyFile: "/s/key", template: "{title}", contentType: "text/plain"))),
                .init(name: "push", kind: .ntfy(urlFile: "/s/topic", tokenFile: "/s/token")),
                .init(name: "team", kind: .chat(urlFile: "/s/chat", .discord)),
                .init(
                    name: "pager",
                    kind: .pagerDuty(keyFile: "/s/pd", url: "https://events.eu.pagerduty.com/v2/enqueue")),
                .init(name: "bot", kind: .telegram(tokenFile: "/s/bot", chat: "-1001", url: nil)),
                .init(
                    name: "mail",
                    kind: .email(
                        .init(
                            host: "mail.example.org", port: 465, security: .implicit, username: "ann",
                            passwordFile: "/s/pw", from: "clavitor@example.org", to: ["a@example.org", "b@example.org"]
                        ))),
            ],
            routes: [
                Route(channel: "team", severities: [.warning, .sev2, .sev1], regions: ["asia"]),
                Route(channel: "pager", severities: [.sev1], after: 600, resend: 1_800),
            ], dashboard: "https://monitor.example")
        #expect(settings == expected)
    }

    @Test func withoutRoutesEveryChannelGetsSEV2AndSEV1AtOnce() throws {
        let settings = try decode(
            """
            [[channel]]
            name = "a"
            type = "chat"
            url-file = "/s"
            """)
        #expect(settings.routes == [Route(channel: "a", severities: [.sev2, .sev1])])
        #expect(try decode("").channels.isEmpty)
    }

    struct Bad: CustomTestStringConvertible {
        let testDescription: String
        let text: String
        let error: NotificationSettingsError
    }

    private static let chat = "[[channel]]\nname = \"a\"\ntype = \"chat\"\nurl-file = \"/s\"\n"
    private static let mail = """
        [[channel]]
        name = "m"
        type = "email"
        from = "a@example.org"

        """

    @Test(arguments: [
        Bad(
            testDescription: "a misspelt key of a channel", text: chat + "sytle = \"slack\"",
            error: .unknownKeys(["sytle"], in: "the chat channel a")),
        Bad(
            testDescription: "a key of another type", text: chat + "token-file = \"/t\"",
            error: .unknownKeys(["token-file"], in: "the chat channel a")),
        Bad(
            testDescription: "a misspelt key of a route", text: chat + "[[route]]\nchannel = \"a\"\nseverites = []",
            error: .unknownKeys(["severites"], in: "a route")),
        Bad(
            testDescription: "a misspelt table", text: "[[chanel]]\n",
            error: .unknownKeys(["chanel"], in: "the notification settings")),
        Bad(
            testDescription: "an unknown type", text: "[[channel]]\nname = \"a\"\ntype = \"fax\"",
            error: .unknownType("fax", channel: "a")),
        Bad(
            testDescription: "no URL", text: "[[channel]]\nname = \"a\"\ntype = \"ntfy\"",
            error: .missing(key: "url-file", channel: "a")),
        Bad(testDescription: "one name twice", text: chat + chat, error: .sameName("a")),
        Bad(
            testDescription: "a name for a file system",
            text: "[[channel]]\nname = \"a b\"\ntype = \"chat\"\nurl-file = \"/s\"",
            error: .badValue("a channel's name", "it must have 1 to 64 letters, digits, - and _")),
        Bad(
            testDescription: "a route to an unknown channel",
            text: chat + "[[route]]\nchannel = \"b\"\nseverities = [\"sev1\"]",
            error: .noSuchChannel("b")),
        Bad(
            testDescription: "an unknown severity", text: chat + "[[route]]\nchannel = \"a\"\nseverities = [\"sev3\"]",
            error: .badValue("severities", "\"sev3\" must be warning, sev2 or sev1")),
        Bad(
            testDescription: "a route without severities", text: chat + "[[route]]\nchannel = \"a\"\nseverities = []",
            error: .badValue("the route to a", "it must have at least one severity")),
        Bad(
            testDescription: "repeat is too short",
            text: chat + "[[route]]\nchannel = \"a\"\nseverities = [\"sev1\"]\nresend = 1",
            error: .badValue("the route to a", "repeat must be 0, or from 10 to 604800 seconds")),
        Bad(
            testDescription: "unencrypted mail over the network",
            text: mail + "host = \"mail.example.org\"\ntls = \"none\"\nto = [\"b@example.org\"]",
            error: .badValue("tls of m", "none is allowed for a server on this machine only; use starttls or implicit")),
        Bad(
            testDescription: "an address that would end the command",
            text: mail + "host = \"mail.example.org\"\nto = [\"b@example.org>\\r\\nDATA\"]",
            error: .badValue("from or to of m", "\"b@example.org>\r\nDATA\" must be a plain ASCII address")),
        Bad(
            testDescription: "a user without a password",
            text: mail + "host = \"mail.example.org\"\nto = [\"b@example.org\"]\nusername = \"ann\"",
            error: .badValue("username of m", "it must be set together with password-file")),
    ])
    func invalidSettingsAreRejected(_ example: Bad) {
        #expect(throws: example.error) { try decode(example.text) }
    }
}
