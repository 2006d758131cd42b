import Foundation
import TestSupport
import Testing

/// Commands that change and find entries, as processes.
@Suite(.timeLimit(.minutes(5))) struct EditCommandTests {
    private let scratch: Scratch
    private let node: ServedNode
    private let me: Program

    init() throws {
        scratch = try Scratch()
        node = try ServedNode(in: scratch)
        (me, _) = try node.registered(scratch)
        #expect(
            try me.run([
                "add", "Bank", "--field", "user=alice", "--field", "pin=1234", "--tag", "money", "--tag", "home",
                "--url",
                "https://www.bank.example.org/login",
            ]).status == 0)
    }

    private func end() {
        node.stop()
        scratch.remove()
    }

    private func shown() throws -> String { try me.run(["get", "Bank"]).output }

    @Test func singleTagsAndURLsAreAddedAndRemoved() throws {
        defer { end() }
        #expect(
            try me.run(["edit", "Bank", "--add-tag", "work", "--add-tag", "Home", "--remove-tag", "MONEY"]).status == 0)
        #expect(try shown().contains(/tags +home, work\n/))
        #expect(
            try me.run([
                "edit", "Bank", "--add-url", "https://b.example", "--remove-url", "https://www.bank.example.org/login",
            ]).status == 0)
        #expect(try shown().contains(/url +https:\/\/b.example\n/) && !shown().contains("www.bank"))
        let missing = try me.run(["edit", "Bank", "--remove-tag", "none"])
        #expect(missing.status == 4 && missing.errors.contains("no tag \"none\""))
        #expect(try me.run(["edit", "Bank", "--tag", "a", "--add-tag", "b"]).status == 2)
    }

    @Test func aRenamedFieldKeepsItsValue() throws {
        defer { end() }
        #expect(try me.run(["edit", "Bank", "--rename", "user=login name"]).status == 0)
        #expect(try me.run(["get", "Bank/login name"]).output == "alice")
        #expect(try me.run(["get", "Bank/user"]).status == 4)
        #expect(try me.run(["edit", "Bank", "--rename", "pin=PIN", "--field", "pin=5678"]).status == 0)
        #expect(try me.run(["get", "Bank/PIN"]).output == "5678")
        for text in ["user", "=x", "user=", "nothing=x"] {
            #expect(try me.run(["edit", "Bank", "--rename", text]).status != 0)
        }
    }

    @Test func aNoteComesFromAFileOrStandardInput() throws {
        defer { end() }
        let file = try scratch.write("first line\nsecond line\n", to: "note")
        #expect(try me.run(["edit", "Bank", "--note-from", file]).status == 0)
        #expect(try shown().contains("second line"))
        #expect(try me.run(["edit", "Bank", "--note-from", "-"], input: "from a pipe\n").status == 0)
        #expect(try shown().contains("from a pipe"))
        #expect(try me.run(["add", "Mail", "--note-from", "-"], input: "of a new one").status == 0)
        #expect(try me.run(["get", "Mail"]).output.contains("of a new one"))
        #expect(try me.run(["edit", "Bank", "--note-from", file, "--note", "x"]).status == 2)
        #expect(try me.run(["edit", "Bank", "--note-from", "/nonexistent"]).status == 2)
    }

    @Test func aDomainFindsItsHosts() throws {
        defer { end() }
        for (host, isFound) in [
            ("bank.example.org", true), ("example.org", true), ("www.bank.example.org", true), ("org", false),
        ] {
            #expect(try me.run(["ls", "--host", host]).output.contains("Bank") == isFound, "\(host)")
        }
    }

    @Test func auditLinesAreFiltered() throws {
        defer { end() }
        #expect(try me.run(["add", "Mail", "--field", "user=bob"]).status == 0)
        let made = try me.run(["agent", "create", "robot", "--grant", "Bank/user"])
        let token = try #require(made.output.firstMatch(of: /clv_agt_[0-9A-Za-z]+/), "\(made.errors)")
        let file = try scratch.write(String(token.0), to: "token")
        let read = try Program(name: "clavitor").run([
            "get", "Bank/user", "--server", node.url, "--ca-file", node.certificate, "--token-file", file,
        ])
        #expect(read.output == "alice")
        func actions(_ filter: String...) throws -> [String] {
            let lines = try me.run(["audit", "--json"] + filter)
            #expect(lines.status == 0, "\(lines.errors)")
            return lines.output.matches(of: /"action" *: *"([^"]*)"/).map { String($0.1) }
        }
        #expect(try actions("--agent", "Robot") == ["value.read", "agent.create"])
        #expect(try actions("--entry", "bank") == ["value.read", "entry.create"])
        #expect(try actions("--action", "entry") == ["entry.create", "entry.create"])
        #expect(try actions("--action", "entry.create", "--entry", "Mail") == ["entry.create"])
        #expect(try actions("--since", "1h").count == actions().count && actions("--since", "2099-01-01").isEmpty)
        #expect(try actions("--action", "entry", "--limit", "1").count == 1)
        #expect(try me.run(["audit", "--since", "yesterday"]).status == 2)
    }

    @Test func anAccountIsChosenByEmail() throws {
        defer { end() }
        let password = try scratch.write("tulip-anvil-orbit-mango", to: "password-2")
        #expect(
            try me.run([
                "register", "--email", "second@example.com", "--password-file", password, "--server", node.url,
                "--ca-file",
                node.certificate,
            ]).status == 0)
        #expect(try !me.run(["ls"]).output.contains("Bank"))
        let list = try me.run(["status", "--json"]).output
        #expect(list.contains("second@example.com"))
        let first = try #require(
            try String(contentsOf: URL(filePath: scratch.file("state-me/clavitor/sessions.json")), encoding: .utf8)
                .matches(of: /"email" : "([^"]*)"/).map { String($0.1) }.first { $0 != "second@example.com" })
        #expect(try me.run(["ls", "--account", first]).output.contains("Bank"))
        let unknown = try me.run(["ls", "--account", "nobody@example.com"])
        #expect(unknown.status == 3 && unknown.errors.contains(first))
    }

    @Test(arguments: [
        (["lgoin"], "clavitor login"), (["agent", "crate"], "clavitor agent create"), (["gt", "Bank"], "clavitor get"),
        (["agents"], "clavitor agent"), (["sessions", "lst"], "clavitor sessions ls"),
        (["trash", "ls"], "clavitor ls --trash"), (["show", "Bank"], "clavitor get"),
        (["--json", "list"], "clavitor ls"),
    ])
    func aMistypedCommandIsAnsweredWithTheNearest(_ arguments: [String], _ meant: String) throws {
        defer { end() }
        let result = try me.run(arguments)
        #expect(result.status == 2 && result.errors.contains("Did you mean: \(meant)\n"), "\(result.errors)")
    }

    @Test func aDistantNameIsNotSuggested() throws {
        defer { end() }
        #expect(try !me.run(["xyzzy"]).errors.contains("Did you mean"))
    }

    /// Neither many entries nor many variables of `run` need more requests.
    @Test func manyValuesAreReadInOneRequest() throws {
        defer { end() }
        var environment: [String] = []
        for number in 0..<12 {
            #expect(try me.run(["add", "Entry \(number)", "--field", "value=\(number)"]).status == 0)
            environment += ["--env", "V\(number)=Entry \(number)/value"]
        }
        let result = try me.run(["run"] + environment + ["--no-mask", "--", "/usr/bin/env"])
        #expect(result.status == 0, "\(result.errors)")
        for number in 0..<12 { #expect(result.output.contains("V\(number)=\(number)\n")) }
        #expect(try me.run(["audit", "--action", "value.read", "--json"]).output.matches(of: /"action"/).count == 12)
        #expect(try me.run(["run", "--env", "A=Entry 1/value", "--env", "B=Nowhere/x", "--", "/bin/true"]).status == 4)
        #expect(try me.run(["get", "Bank", "--reveal"]).output.contains("1234"))
    }
}
