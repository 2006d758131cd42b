import Foundation
import TestSupport
import Testing

/// Commands about agents, as processes.
@Suite(.timeLimit(.minutes(5))) struct AgentCommandTests {
    private let scratch: Scratch
    private let node: ServedNode
    private let me: Program

    init() throws {
        scratch = try Scratch()
        node = try ServedNode(in: scratch)
        (me, _) = try node.registered(scratch)
        #expect(try me.run(["add", "Bank", "--field", "user=alice"]).status == 0)
    }

    private func end() {
        node.stop()
        scratch.remove()
    }

    /// Writes the token of a created or rotated agent to a file.
    private func token(_ command: String...) throws -> String {
        let made = try me.run(["agent"] + command)
        let token = try #require(made.output.firstMatch(of: /clv_agt_[0-9A-Za-z]+/), "\(made.errors)")
        return try scratch.write(String(token.0), to: UUID().uuidString)
    }

    private func bot(_ token: String, _ arguments: String...) throws -> Program.Result {
        try Program(name: "clavitor").run(
            arguments + ["--server", node.url, "--ca-file", node.certificate, "--token-file", token])
    }

    @Test func auditLinesKeepTheAgentsName() throws {
        defer { end() }
        let first = try token("create", "robot", "--grant", "Bank/user", "--verb", "read", "--verb", "write")
        #expect(try bot(first, "edit", "Bank", "--field", "user=bob").status == 0)
        let second = try token("rotate", "robot")
        #expect(try bot(second, "edit", "Bank", "--field", "user=carol").status == 0)
        #expect(try me.run(["agent", "revoke", "robot"]).status == 0)
        let history = try me.run(["history", "Bank"]).output.split(separator: "\n")
        #expect(history.count { $0.contains("robot") } == 2)
        #expect(history.count { $0.contains("you") } == 1)
        let json = try me.run(["history", "Bank", "--json"]).output
        #expect(json.matches(of: /"agentName" *: *"robot"/).count == 2)
        let audit = try me.run(["audit"]).output.split(separator: "\n")
        #expect(audit.count { $0.contains("robot") && $0.contains("changed") } == 2)
        #expect(audit.contains { $0.contains("you") && $0.contains("revoked an agent") && $0.contains("robot") })
        #expect(try me.run(["audit", "--json"]).output.contains(/"actorName" *: *"robot"/))
    }

    @Test func depositsKeepTheAgentsName() throws {
        defer { end() }
        let token = try token("create", "sender", "--verb", "deposit")
        #expect(try bot(token, "deposit", "Parcel", "--field", "code=1").status == 0)
        #expect(try me.run(["agent", "revoke", "sender"]).status == 0)
        #expect(try me.run(["deposits"]).output.contains("sender"))
        #expect(try me.run(["deposits", "--json"]).output.contains(/"depositorName" *: *"sender"/))
    }

    @Test func anInvalidTokenIsReportedAsSuch() throws {
        defer { end() }
        let token = try token("create", "robot", "--grant", "Bank/user")
        #expect(try me.run(["agent", "revoke", "robot"]).status == 0)
        let read = try bot(token, "get", "Bank/user")
        #expect(read.status == 3)
        #expect(read.errors.contains("token") && !read.errors.contains("clavitor login"))
    }

    @Test func expiryMustBeInTheFutureAndIsShown() throws {
        defer { end() }
        let past = try me.run(["agent", "create", "robot", "--grant", "Bank/user", "--expires", "2020-01-01"])
        #expect(past.status != 0 && past.errors.contains("must be in the future"))
        _ = try token("create", "brief", "--grant", "Bank/user", "--expires", "5s")
        try eventually("the agent is listed as expired", every: .milliseconds(100)) {
            let rows = try me.run(["agent", "ls"]).output.split(separator: "\n")
            return rows.contains { $0.contains("brief") && $0.contains("expired") }
        }
        #expect(try me.run(["agent", "show", "brief"]).output.contains("expired"))
    }

    /// Finding the entry does not count towards the rate.
    @Test func aRateCountsReads() throws {
        defer { end() }
        let token = try token("create", "robot", "--grant", "Bank/user", "--rate", "1")
        #expect(try bot(token, "get", "Bank/user").output == "alice")
        let second = try bot(token, "get", "Bank/user")
        #expect(second.status == 6 && second.output.isEmpty, "\(second.errors)")
    }

    @Test(arguments: ["0", "2", "99", "-1", "9223372036854775807"])
    func aVersionThatNeverWasIsNone(_ version: String) throws {
        defer { end() }
        let read = try me.run(["get", "Bank/user", "--version=\(version)"])
        #expect(read.status != 0 && read.output.isEmpty)
        #expect(try me.run(["get", "Bank/user", "--version", "1"]).output == "alice")
    }
}
