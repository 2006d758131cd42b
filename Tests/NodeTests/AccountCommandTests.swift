import Foundation
import TestSupport
import Testing

/// Commands that change credentials, as processes.
@Suite(.timeLimit(.minutes(15))) struct AccountCommandTests {
    private let scratch: Scratch
    private let node: ServedNode
    private let me: Program
    private let kit: String

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
            "password", "--password-file", scratch.file("wrong"), "--new-password-file", scratch.file("second"),
        ])
        #expect(refused.status != 0 && refused.errors.contains("password is wrong"), "\(refused.errors)")
        let changed = try me.run([
            "password", "--password-file", scratch.file("first"), "--new-password-file", scratch.file("second"),
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
        let out = try me.run(["sign-out-everywhere", "--password-file", scratch.file("first")])
        #expect(out.status == 0, "\(out.errors)")
        #expect(try bot().errors.contains("paused"))
        #expect(try me.run(["agent", "resume", "bot"]).status == 0)
        let kept = try me.run([
            "sign-out-everywhere", "--keep-agent", "bot", "--password-file", scratch.file("first"),
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
