import Foundation
import Monitor
import TestSupport
import Testing

/// No key, token, password or URL file gets into a log, an error, a row or a description.
@Suite(.timeLimit(.minutes(2))) struct SecrecyTests {
    /// Every configured secret contains one of these.
    static let canaries = (1...7).map { "CANARY\($0)x9f8e7d" }

    static let files = [
        "/hook": "https://hook.example/in/\(canaries[0])?sig=\(canaries[1])", "/sign": canaries[2],
        "/topic": "https://ntfy.example/\(canaries[3])", "/token": "123:\(canaries[4])", "/key": canaries[5],
        "/password": canaries[6],
    ]

    static let channels = [
        ChannelSettings(name: "hook", kind: .webhook(.init(urlFile: "/hook", keyFile: "/sign"))),
        ChannelSettings(name: "ntfy", kind: .ntfy(urlFile: "/topic", tokenFile: "/token")),
        ChannelSettings(name: "slack", kind: .chat(urlFile: "/hook", .slack)),
        ChannelSettings(name: "pager", kind: .pagerDuty(keyFile: "/key", url: nil)),
        ChannelSettings(name: "telegram", kind: .telegram(tokenFile: "/token", chat: "1", url: nil)),
        ChannelSettings(
            name: "mail",
            kind: .email(
                .init(
                    // No server listens there.
                    host: "127.0.0.1", port: 1, security: .implicit, username: "ann", passwordFile: "/password",
                    from: "a@example.org", to: ["b@example.org"]))),
    ]

    enum Trouble: CaseIterable {
        case theAnswerRepeatsEverything, theLibraryRepeatsTheURL
    }

    struct Chatty: Error, CustomStringConvertible { let description: String }

    @Test(arguments: Trouble.allCases)
    func noSecretIsQuoted(_ trouble: Trouble) async throws {
        let rig = try NotifyingRig(
            channels: Self.channels.map { ChannelSettings(name: $0.name, kind: $0.kind, grouping: NotifyingRig.atOnce) }
        )
        rig.network.probeResults { request, _ in
            let all =
                "\(request.url.exposed) \(request.headers.map(\.value)) \(String(decoding: request.body, as: UTF8.self))"
            // Each canary is early enough to be quoted.
            let first = request.url.exposed.split(separator: "/").suffix(2).joined(separator: " ") + " "
            switch trouble {
            case .theAnswerRepeatsEverything: return WebResponse(status: 400, body: Array((first + all).utf8))
            case .theLibraryRepeatsTheURL: throw Chatty(description: first + all)
            }
        }
        let mail = try MailSender()
        let factory = ChannelFactory(send: rig.network.send, post: mail.send) {
            Array((Self.files[$0] ?? "").utf8)
        }
        let senders = try factory.senders(rig.settings)
        let delivery = Delivery(
            outbox: rig.outbox, senders: senders, dependencies: .init(clock: rig.clock, now: { rig.now }),
            logger: rig.log.logger)
        try await rig.notifier.notify([IncidentChange(.opened, anIncident(), at: rig.now)])
        let task = Task { try await delivery.run() }
        let lines = Self.channels.flatMap(\.recipients)
        var errors: [String] = []
        for line in lines {
            errors += [try await rig.until(line) { $0.state.attempts == 1 }.state.lastError].compactMap(\.self)
        }
        task.cancel()
        try await task.value
        var said = rig.log.all + errors
        #expect(said.count == 12, "each channel complained, and was heard")
        var dumped = ""
        dump(senders, to: &dumped)
        for request in rig.network.requests {
            dump(request.url, to: &dumped)
            said.append("\(request.url) \(String(reflecting: request.url))")
        }
        said += [dumped, "\(senders)", "\(rig.settings)", "\(factory)"]
        for canary in Self.canaries {
            #expect(!said.contains { $0.contains(canary) }, "\(canary) in \(said.filter { $0.contains(canary) })")
        }
        // The canaries were sent, or the test would prove nothing. The signing key never is.
        let sent = rig.network.requests.map {
            "\($0.url.exposed) \($0.headers) \(String(decoding: $0.body, as: UTF8.self))"
        }
        for canary in [0, 1, 3, 4, 5] { #expect(sent.contains { $0.contains(Self.canaries[canary]) }) }
    }

    @Test(arguments: [
        ("/hook", "ftp://x.example/CANARY"), ("/hook", "http://x.example/CANARY"), ("/hook", "CANARY two words"),
        ("/hook", "https://CANARY@x.example/"), ("/hook", ""), ("/topic", "https://ntfy.example/CANARY/"),
        ("/token", "CANARY/../x"), ("/key", "CANARY\nsecond line"),
    ])
    func anInvalidSecretIsRejectedAndNotQuoted(_ file: String, _ text: String) throws {
        let rig = try NotifyingRig(channels: Array(Self.channels.dropLast()))
        let factory = ChannelFactory(send: rig.network.send, post: rig.network.post) {
            Array(($0 == file ? text : Self.files[$0] ?? "").utf8)
        }
        let error = #expect(throws: NotificationSettingsError.self) { try factory.senders(rig.settings) }
        #expect(error.map { "\($0)".contains(file) } == true)
        #expect(error.map { "\($0)".contains("CANARY") } == false)
    }

    @Test func aMissingFileIsNamed() throws {
        let rig = try NotifyingRig(channels: [
            ChannelSettings(name: "pager", kind: .pagerDuty(keyFile: "/nowhere/at/all", url: nil))
        ])
        let factory = ChannelFactory(send: rig.network.send, post: rig.network.post)
        let error = #expect(throws: NotificationSettingsError.self) { try factory.senders(rig.settings) }
        #expect(
            error?.description
                == "The secret of the channel pager cannot be read from /nowhere/at/all: the file does not exist.")
    }
}
