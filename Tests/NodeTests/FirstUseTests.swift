import Foundation
import TestSupport
import Testing

/// The first use by a new user: the programs as processes, with real TLS and a real password.
@Suite(.timeLimit(.minutes(15))) struct FirstUseTests {
    @Test func aNewUserStoresReadsSharesAndAuditsASecret() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let node = try ServedNode(in: scratch)
        defer { node.stop() }
        let me = node.person(scratch, "me")
        let password = try scratch.write("tulip-anvil-orbit-mango", to: "password")
        let key = try scratch.write("sk-live-51H8canary", to: "key")

        let registered = try me.run([
            "register", "--server", node.url, "--ca-file", node.certificate, "--email", "alice@example.com",
            "--password-file", password,
        ])
        #expect(registered.status == 0, "\(registered.errors)")
        #expect(registered.output.contains("clv_kit_"))

        let added = try me.run([
            "add", "Bank", "--username", "alice", "--secret", "API key=@\(key)", "--l2", "password=@\(password)",
            "--password-file", password,
        ])
        #expect(added.status == 0, "\(added.errors)")

        #expect(try me.run(["get", "Bank/username"]).output == "alice")
        #expect(try me.run(["get", "Bank/API key"]).output == "sk-live-51H8canary")
        #expect(try me.run(["get", "Bank/password", "--password-file", password]).output == "tulip-anvil-orbit-mango")

        let made = try me.run(["agent", "create", "deploy-bot", "--grant", "Bank/API key", "--verb", "read"])
        let token = try #require(made.output.firstMatch(of: /clv_agt_[0-9A-Za-z]+/), "\(made.errors)")
        let file = try scratch.write(String(token.0), to: "token")
        let bot = Program(
            name: "clavitor",
            environment: ["XDG_STATE_HOME": scratch.file("state-bot"), "CLAVITOR_TOKEN_FILE": file])
        let place = ["--server", node.url, "--ca-file", node.certificate]
        #expect(try bot.run(["get", "Bank/API key"] + place).output == "sk-live-51H8canary")
        #expect(try bot.run(["get", "Bank/username"] + place).status == 4)
        #expect(try bot.run(["get", "Bank/password"] + place).status == 4)

        let audit = try me.run(["audit"])
        let read = audit.output.split(separator: "\n").first {
            $0.contains("deploy-bot") && $0.contains("read a value")
        }
        #expect(read?.contains("Bank/API key") == true, "\(audit.output)")

        node.stop()
        let verified = try Program(name: "clavitor-node").run(["audit", "verify", "--data", node.data])
        #expect(verified.status == 0, "\(verified.output)")
    }

    @Test func theNodeNeverSeesL2Secrets() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let node = try ServedNode(in: scratch)
        defer { node.stop() }
        let me = node.person(scratch, "me")
        let password = try scratch.write("canary-password-q7Zx", to: "password")
        let l2 = try scratch.write("canary-l2-W3pT", to: "l2")
        let l1 = try scratch.write("canary-l1-K9vR", to: "l1")
        let registered = try me.run([
            "register", "--server", node.url, "--ca-file", node.certificate, "--email", "canary-mail@example.com",
            "--password-file", password,
        ])
        #expect(registered.status == 0, "\(registered.errors)")
        let added = try me.run([
            "add", "canary-title", "--secret", "canary-label=@\(l1)", "--l2", "other=@\(l2)", "--url",
            "https://canary-host.example", "--tag", "canary-tag", "--note", "canary-note", "--password-file", password,
        ])
        #expect(added.status == 0, "\(added.errors)")
        let read = try me.run(["get", "canary-title/canary-label"])
        #expect(read.output == "canary-l1-K9vR")
        let session = try String(contentsOf: scratch.url("state-me/clavitor/sessions.json"), encoding: .utf8)
        let token = try #require(session.firstMatch(of: /clv_ses_[0-9A-Za-z]+/))

        let everything = [
            "canary-password-q7Zx", "canary-l2-W3pT", "canary-l1-K9vR", "canary-title", "canary-label", "canary-host",
            "canary-tag", "canary-note", "canary-mail", String(token.0),
        ]
        var files = ["clavitor.db", "clavitor.db-wal"].map { "\(node.data)/\($0)" } + [node.log]
        files += ["environ", "cmdline"].map { "/proc/\(node.process.id)/\($0)" }
        for file in files {
            let bytes = try Data(contentsOf: URL(filePath: file))
            for canary in everything {
                #expect(bytes.range(of: Data(canary.utf8)) == nil, "\(canary) in \(file)")
            }
        }
        // In memory, as a core file would show it, there may be what the node opened; never what it cannot know.
        let memory = try ProcessMemory(of: node.process.id)
        #expect(memory.count > 1 << 20)
        for canary in ["canary-password-q7Zx", "canary-l2-W3pT"] {
            #expect(!memory.contains(canary), "\(canary) in memory")
        }
    }
}
