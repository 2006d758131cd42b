import AsyncHTTPClient
import Encoding
import Foundation
import TestSupport
import Testing
import VaultFormat
import Wire

@testable import clavitor

/// Commands that change credentials, as processes.
@Suite(.timeLimit(.minutes(15))) struct AccountCommandTests {
    private let scratch: Scratch
    private let node: ServedNode
    private let me: Program
    private let kit: String
    /// What was printed with the kit.
    private let kitText: String

    init() throws {
        scratch = try Scratch()
        node = try ServedNode(in: scratch)
        me = node.person(scratch, "me")
        for (name, text) in [
            ("first", "tulip-anvil-orbit-mango"), ("second", "granite-parsley-comet-lamp"),
            ("wrong", "no-such-password-here"),
        ] {
            _ = try scratch.write(text, to: name)
        }
        let registered = try me.run([
            "register", "--server", node.url, "--ca-file", node.certificate, "--email", "alice@example.com",
            "--password-file", scratch.file("first"),
        ])
        kit = try Self.kit(registered)
        kitText = registered.output
        let added = try me.run([
            "add", "Bank", "--username", "alice", "--l2", "password=@\(scratch.file("first"))", "--password-file",
            scratch.file("first"),
        ])
        #expect(added.status == 0, "\(added.errors)")
        let agent = try me.run(["agent", "create", "bot", "--grant", "Bank/username", "--verb", "read"])
        let token = try #require(agent.output.firstMatch(of: /clv_agt_[0-9A-Za-z]+/), "\(agent.errors)")
        _ = try scratch.write(String(token.0), to: "token")
    }

    private static func kit(_ result: Program.Result) throws -> String {
        String(try #require(result.output.firstMatch(of: /clv_kit_[0-9A-Za-z]+/), "\(result.errors)").0)
    }

    /// The number that is printed on a kit.
    private static func number(_ text: String) throws -> String {
        String(try #require(text.firstMatch(of: /(?i)recovery kit ([A-Z2-7]{4}-[A-Z2-7]{4})/), "\(text)").1)
    }

    private func end() {
        node.stop()
        scratch.remove()
    }

    private var place: [String] { ["--server", node.url, "--ca-file", node.certificate] }

    private func bot() throws -> Program.Result {
        try Program(name: "clavitor", environment: ["XDG_STATE_HOME": scratch.file("state-bot")])
            .run(["get", "Bank/username", "--token-file", scratch.file("token")] + place)
    }

    private func login(_ password: String) throws -> Program.Result {
        try node.person(scratch, UUID().uuidString).run(
            ["login", "--email", "alice@example.com", "--password-file", scratch.file(password)] + place)
    }

    private func recover(_ kit: String, to password: String) throws -> Program.Result {
        let file = try scratch.write(kit, to: "kit-\(UUID().uuidString)")
        return try node.person(scratch, "recovering").run(
            [
                "recover", "--email", "alice@example.com", "--kit-file", file, "--new-password-file",
                scratch.file(password),
            ] + place)
    }

    /// Each sign-in ends the previous session of the machine, never the current one.
    @Test func concurrentSignInsLeaveTheMachineSignedIn() throws {
        defer { end() }
        for _ in 0..<3 {
            let logins = try (0..<4).map { _ in
                try me.start(["login", "--password-file", scratch.file("first")])
            }
            for login in logins { #expect(login.waitUntilExit() == 0, "\(login.errors)") }
            let list = try me.run(["ls"])
            #expect(list.status == 0, "\(list.errors)")
        }
    }

    /// The command waits for its password while another one signs in and ends its session.
    @Test func aCommandContinuesWithANewerSession() throws {
        defer { end() }
        let waiting = try me.start(["kit", "new", "--password-stdin"], input: nil)
        try waiting.write("tulip-anvil-orbit-mango")
        // It asks for the password after it has read its session.
        try waiting.wait { $0.hasReadInput }
        #expect(try me.run(["login", "--password-file", scratch.file("first")]).status == 0)
        try waiting.write("\n")
        #expect(waiting.waitUntilExit() == 0, "\(waiting.errors)")
        #expect(waiting.output.contains("clv_kit_"))
    }

    @Test func aPasswordChangeRequiresTheOldOneAndPrintsANewKit() throws {
        defer { end() }
        let refused = try me.run([
            "password", "--reason", "routine", "--new-kit", "--password-file", scratch.file("wrong"),
            "--new-password-file", scratch.file("second"),
        ])
        #expect(refused.status != 0 && refused.errors.contains("password is wrong"), "\(refused.errors)")
        let changed = try me.run([
            "password", "--reason", "routine", "--new-kit", "--password-file", scratch.file("first"),
            "--new-password-file", scratch.file("second"),
        ])
        #expect(changed.status == 0, "\(changed.errors)")
        let newKit = try Self.kit(changed)
        #expect(newKit != kit)
        #expect(changed.output.contains("Sessions ended: 1") && changed.output.contains("Active agents: 1"))
        #expect(try login("first").status != 0)
        #expect(try login("second").status == 0)
        #expect(
            try me.run(["get", "Bank/password", "--password-file", scratch.file("second")]).output
                == "tulip-anvil-orbit-mango")
        #expect(try bot().output == "alice")
        #expect(try recover(kit, to: "first").status != 0)
        #expect(try recover(newKit, to: "first").status == 0)
    }

    @Test func withoutATerminalItSaysWhichFlagsToGive() throws {
        defer { end() }
        let files = ["--password-file", scratch.file("first"), "--new-password-file", scratch.file("second")]
        let without = try me.run(["password"] + files)
        #expect(without.status == 2 && without.errors.contains("--reason routine"), "\(without.errors)")
        let routine = try me.run(["password", "--reason", "routine"] + files)
        #expect(routine.status == 2 && routine.errors.contains("--keep"), "\(routine.errors)")
        for (arguments, word) in [
            (["--reason", "compromise", "--keep", "ABCD-EFGH"], "keeps nothing"),
            (["--reason", "routine", "--keep", "ABCD-EFGH"], "no kit or passkey"),
            (["--reason", "routine", "--keep", try Self.number(kitText), "--keep", "none"], "none"),
            (["--reason", "routine", "--keep", try Self.number(kitText), "--new-kit"], "leave out"),
        ] {
            let result = try me.run(["password"] + arguments + files)
            #expect(result.status != 0 && result.errors.contains(word), "\(arguments): \(result.errors)")
        }
        #expect(try login("first").status == 0)
    }

    @Test func aKitThatIsKeptRecoversAfterAChange() throws {
        defer { end() }
        let number = try Self.number(kitText)
        let shown = try me.run(["kit"])
        #expect(try Self.number(shown.output) == number && shown.output.contains("never used"), "\(shown.output)")
        let changed = try me.run([
            "password", "--reason", "routine", "--keep", number.lowercased(), "--password-file", scratch.file("first"),
            "--new-password-file", scratch.file("second"),
        ])
        #expect(changed.status == 0 && changed.output.contains("Kept: recovery kit \(number)."), "\(changed.output)")
        #expect(!changed.output.contains("clv_kit_"))
        #expect(try recover(kit, to: "first").status == 0)
        #expect(try recover(kit, to: "second").status != 0)
    }

    @Test func afterACompromiseNothingIsKept() throws {
        defer { end() }
        let changed = try me.run([
            "password", "--reason", "compromise", "--password-file", scratch.file("first"), "--new-password-file",
            scratch.file("second"),
        ])
        #expect(changed.status == 0, "\(changed.errors)")
        let number = try Self.number(kitText)
        for text in ["Ended: recovery kit \(number).", "Paused agents: 1", "clavitor l2 rekey", "RECOVERY KIT"] {
            #expect(changed.output.contains(text), "\(text): \(changed.output)")
        }
        #expect(try bot().errors.contains("paused"))
        #expect(try recover(kit, to: "first").status != 0)
        #expect(try recover(try Self.kit(changed), to: "first").status == 0)
    }

    private struct Dialogue: Decodable {
        let status: Int32
        let text: String
    }

    private func answer(_ pairs: [[String]], _ arguments: [String]) throws -> Dialogue {
        let script = try Tool(
            ProcessInfo.processInfo.environment["CLAVITOR_PYTHON"] ?? "/usr/bin/python3",
            [
                Project.folder.appending(path: "Tests/Terminal/answers.py").path,
                String(decoding: try JSONEncoder().encode(pairs), as: UTF8.self), me.url.path,
            ] + arguments,
            in: scratch.path, environment: me.environment.merging(["PATH": "/usr/bin:/bin"]) { ours, _ in ours })
        try #require(script.status == 0, "\(script.errors)")
        return try JSONDecoder().decode(Dialogue.self, from: Data(script.output.utf8))
    }

    /// A kit that is younger than a week is kept only where the owner says so.
    @Test func onATerminalItAsksWhyAndWhatToKeep() throws {
        defer { end() }
        let files = ["--password-file", scratch.file("first"), "--new-password-file", scratch.file("second")]
        let aborted = try answer([["1 or 2: ", "x"]], ["password"] + files)
        #expect(aborted.status == 2 && aborted.text.contains("nothing was changed"), "\(aborted.text)")
        let number = try Self.number(kitText)
        let changed = try answer(
            [["1 or 2: ", "1"], ["Keep recovery kit \(number)", ""], ["new recovery kit? [Y/n]", ""]],
            ["password"] + files)
        #expect(changed.status == 0 && changed.text.contains("Ended: recovery kit \(number)"), "\(changed.text)")
        #expect(changed.text.contains("[y/N]") && changed.text.contains("clv_kit_"), "\(changed.text)")
        #expect(try recover(kit, to: "first").status != 0)
    }

    @Test func passkeysAreListedRenamedAndRemoved() async throws {
        defer { end() }
        let passkey = TestPasskey()
        try await enrol(passkey)
        let list = try me.run(["passkey", "ls"])
        #expect(list.output.contains("MacBook") && list.output.contains("never"), "\(list.output)")
        #expect(try me.run(["passkey", "rename", "MacBook", "Office"]).status == 0)
        let kept = try me.run([
            "password", "--reason", "routine", "--keep", "Office", "--password-file", scratch.file("first"),
            "--new-password-file", scratch.file("second"),
        ])
        #expect(kept.output.contains("Kept: passkey \"Office\".") && kept.output.contains("Ended: recovery kit"))
        #expect(kept.output.contains("There is no recovery kit"), "\(kept.output)")
        #expect(
            try me.run(["passkey", "rm", "Nobody", "--yes", "--password-file", scratch.file("second")]).status == 4)
        let removed = try me.run(["passkey", "rm", "Office", "--yes", "--password-file", scratch.file("second")])
        #expect(removed.status == 0, "\(removed.errors)")
        #expect(try me.run(["passkey"]).output.contains("No passkeys."))
        #expect(try me.run(["kit"]).output.contains("There is no recovery kit"))
    }

    /// Adds a passkey as a page does, with the session of the command line.
    private func enrol(_ passkey: TestPasskey) async throws {
        let live = LiveNode.Remote(url: node.url, certificate: node.certificate)
        let client = live.client()
        func post(_ path: String, token: String? = nil, _ body: some Encodable) async throws -> Data {
            Data(
                try await live.send(
                    client, "POST", path, token: token, body: Array(try JSONEncoder().encode(body))))
        }
        let hello = try JSONDecoder().decode(
            PreloginBody.self,
            from: try await post("/api/v1/accounts/prelogin", PreloginRequestBody(email: "alice@example.com")))
        let keys = try SignIn.Terms(hello).keys(of: Password("tulip-anvil-orbit-mango"))
        let session = try JSONDecoder().decode(
            SessionBody.self,
            from: try await post(
                "/api/v1/sessions", LoginBody(email: "alice@example.com", authKey: keys.authKey.base64URL)))
        let body = PasskeyEnrolmentBody(
            proof: ProofBody(kind: "password", secret: keys.authKey.base64URL), id: passkey.id.text,
            authKey: passkey.authKey.base64URL, l2: nil, publicKey: Base64URL.encode(passkey.assertionKey.spki),
            algorithm: "ES256",
            details: .init(
                name: passkey.name, credentialId: Base64URL.encode(passkey.credentialID), transports: ["internal"]))
        _ = try await post("/api/v1/account/passkeys", token: session.token, body)
        try await client.shutdown()
    }

    @Test func recoverySetsANewPasswordAndInvalidatesTheRest() throws {
        defer { end() }
        let recovered = try recover(kit, to: "second")
        #expect(recovered.status == 0, "\(recovered.errors)")
        let newKit = try Self.kit(recovered)
        #expect(recovered.output.contains("Paused agents: 1"), "\(recovered.output)")
        #expect(try login("first").status != 0)
        #expect(try me.run(["ls"]).status != 0, "the old session")
        #expect(try bot().errors.contains("paused"))
        #expect(try recover(kit, to: "first").status != 0)
        let person = node.person(scratch, "recovering")
        #expect(try person.run(["get", "Bank/username"]).output == "alice")
        #expect(
            try person.run(["get", "Bank/password", "--password-file", scratch.file("second")]).output
                == "tulip-anvil-orbit-mango")
        #expect(try person.run(["agent", "resume", "bot"]).status == 0)
        #expect(try bot().output == "alice")
        #expect(newKit != kit)
    }

    @Test func signingOutEverywherePausesUnnamedAgents() throws {
        defer { end() }
        let silent = try me.run(["sign-out-everywhere", "--password-file", scratch.file("first")])
        #expect(silent.status == 2 && silent.errors.contains("--keep"), "\(silent.errors)")
        let out = try me.run([
            "sign-out-everywhere", "--keep", Self.number(kitText), "--password-file", scratch.file("first"),
        ])
        #expect(out.status == 0, "\(out.errors)")
        #expect(try bot().errors.contains("paused"))
        #expect(try me.run(["agent", "resume", "bot"]).status == 0)
        let kept = try me.run([
            "sign-out-everywhere", "--new-kit", "--keep-agent", "bot", "--password-file", scratch.file("first"),
        ])
        #expect(kept.output.contains("Active agents: 1"), "\(kept.output)")
        #expect(try bot().output == "alice")
        #expect(try login("first").status == 0)
        #expect(try recover(kit, to: "second").status != 0)
    }

    @Test func changingKitOrL2KeyRequiresThePassword() throws {
        defer { end() }
        let without = try me.run(["kit", "remove", "--yes", "--password-file", scratch.file("wrong")])
        #expect(without.status != 0)
        let rekeyed = try me.run(["l2", "rekey", "--password-file", scratch.file("first")])
        #expect(rekeyed.status == 0, "\(rekeyed.errors)")
        #expect(
            try me.run(["get", "Bank/password", "--password-file", scratch.file("first")]).output
                == "tulip-anvil-orbit-mango")
        let newKit = try Self.kit(try me.run(["kit", "new", "--password-file", scratch.file("first")]))
        #expect(try recover(kit, to: "second").status != 0)
        let removed = try me.run(["kit", "remove", "--yes", "--password-file", scratch.file("first")])
        #expect(removed.status == 0, "\(removed.errors)")
        #expect(try recover(newKit, to: "second").status != 0)
    }

    @Test func statusShowsUsageAndQuotas() throws {
        defer { end() }
        let status = try me.run(["status"])
        for text in ["entries", "bytes", "operations-per-day", "trash-days", "5000"] {
            #expect(status.output.contains(text), "\(status.output)")
        }
        let json = try me.run(["status", "--json"])
        #expect(json.output.contains("\"quotas\""), "\(json.output)")
    }
}
