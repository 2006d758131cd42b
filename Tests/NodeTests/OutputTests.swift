import Foundation
import TestSupport
import Testing

/// The command line with unwritable output and with invalid files.
@Suite(.timeLimit(.minutes(5))) struct OutputTests {
    private static func full(_ me: Program, _ arguments: [String]) throws -> (status: Int32, errors: String) {
        let process = try me.start(arguments, output: "/dev/full")
        return (process.waitUntilExit(), process.errors)
    }

    @Test(arguments: [["generate"], ["generate", "--json"], ["--help"], ["--version"], ["generate", "--words", "6"]])
    func whatCannotBeWrittenIsNoSuccess(_ arguments: [String]) throws {
        let result = try Self.full(Program(name: "clavitor"), arguments)
        #expect(result.status == 1)
        #expect(result.errors.contains("No space left on device"))
    }

    /// If a token or kit cannot be printed, the error says how to create another.
    @Test func anUnprintedSecretCanBeCreatedAgain() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let node = try ServedNode(in: scratch)
        defer { node.stop() }
        let me = node.person(scratch, "me")
        let password = try scratch.write("tulip-anvil-orbit-mango", to: "password")
        let place = ["--server", node.url, "--ca-file", node.certificate]
        let registered = try Self.full(
            me, ["register", "--email", "alice@example.com", "--password-file", password] + place)
        #expect(registered.status == 1 && registered.errors.contains("clavitor kit new"))
        let login = try me.run(["login", "--email", "alice@example.com", "--password-file", password] + place)
        #expect(login.status == 0, "\(login.errors)")
        #expect(try me.run(["kit", "new", "--password-file", password]).output.contains("clv_kit_"))
        #expect(try me.run(["add", "Bank", "--field", "user=alice"]).status == 0)
        let made = try Self.full(me, ["agent", "create", "robot", "--grant", "Bank/user"])
        #expect(made.status == 1 && made.errors.contains("clavitor agent rotate"))
        let command = try #require(made.errors.split(separator: "clavitor agent rotate ").last)
        let id = String(command.prefix(22))
        #expect(try me.run(["agent", "rotate", id]).output.contains("clv_agt_"))
    }

    /// No part of the file is printed, because it may be a token.
    @Test(arguments: ["clv_agt_%", "%\n\n", "%\nx", "x%", "%\u{0}", ""])
    func aFileThatHoldsNoTokenIsRefusedAndNotShown(_ form: String) throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let secret = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghi"
        let file = try scratch.write(form.replacingOccurrences(of: "%", with: secret), to: "token")
        let result = try Program(name: "clavitor").run([
            "get", "Bank/key", "--server", "https://localhost:1", "--token-file", file,
        ])
        #expect(result.status == 2)
        #expect(!result.errors.contains("ABCDEFG") && result.errors.contains("does not contain a valid token"))
    }

    @Test func metadataIsNeverPrintedAsAValue() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let node = try ServedNode(in: scratch)
        defer { node.stop() }
        let (me, password) = try node.registered(scratch)
        let file = try scratch.write("hun\u{0}ter2", to: "nul")
        for option in ["--secret", "--l2"] {
            let added = try me.run(["add", "Bank", option, "key=@\(file)", "--password-file", password])
            #expect(added.status == 2)
            #expect(added.errors.contains("NUL") && !added.errors.contains("ter2"))
        }
        #expect(try me.run(["add", "Hooks/prod", "--field", "url=x"]).status == 0)
        #expect(try me.run(["get", "Hooks/prod/url"]).output == "x")
        let entry = try me.run(["get", "Hooks/prod"])
        #expect(entry.status == 2 && entry.output.isEmpty)
        #expect(try me.run(["get", "Hooks/prod", "--json"]).status == 0)
        // A field that becomes a seed gives codes from then on.
        let seed = try scratch.write("JBSWY3DPEHPK3PXP\n", to: "seed")
        #expect(try me.run(["edit", "Hooks/prod", "--totp", "url=@\(seed)"]).status == 0)
        #expect(try me.run(["totp", "Hooks/prod/url"]).output.count == 6)
    }

    /// With a token no state is stored, so no directory is needed.
    @Test func anAgentNeedsNoHomeDirectory() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let node = try ServedNode(in: scratch)
        defer { node.stop() }
        let (me, _) = try node.registered(scratch)
        #expect(try me.run(["add", "Bank", "--field", "user=alice"]).status == 0)
        let made = try me.run(["agent", "create", "robot", "--grant", "Bank/user"])
        let token = try #require(made.output.firstMatch(of: /clv_agt_[0-9A-Za-z]+/), "\(made.errors)")
        let file = try scratch.write("\(token.0)\n\n", to: "token")
        let bot = Program(name: "clavitor", environment: ["HOME": "", "XDG_STATE_HOME": ""])
        let read = try bot.run([
            "get", "Bank/user", "--server", node.url, "--ca-file", node.certificate, "--token-file", file,
        ])
        #expect(read.status == 0 && read.output == "alice", "\(read.errors)")
    }
}
