import Foundation
import Testing

/// What the command line does where it cannot write, and with files that hold something else than they should.
@Suite(.timeLimit(.minutes(5))) struct OutputTests {
    private static func full(_ me: Program, _ arguments: [String]) throws -> (status: Int32, errors: String) {
        let errors = Pipe()
        let process = try me.start(
            arguments, output: try FileHandle(forWritingTo: URL(filePath: "/dev/full")), errors: errors)
        let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, text)
    }

    @Test(arguments: [["generate"], ["generate", "--json"], ["--help"], ["--version"], ["generate", "--words", "6"]])
    func whatCannotBeWrittenIsNoSuccess(_ arguments: [String]) throws {
        let result = try Self.full(Program(name: "clavitor"), arguments)
        #expect(result.status == 1)
        #expect(result.errors.contains("No space left on device"))
    }

    /// A token, a kit: what is shown once can be had again, and the error says how.
    @Test func whatIsShownOnceCanBeHadAgain() throws {
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

    /// No part of it is printed: it may be a token after all.
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
        #expect(!result.errors.contains("ABCDEFG") && result.errors.contains("holds no token"))
    }
}
