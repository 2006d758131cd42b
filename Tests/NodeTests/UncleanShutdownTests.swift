import Foundation
import NodeCore
import RootKeySources
import SQLite
import TestSupport
import Testing

@testable import clavitor_node

/// State that survives a kill: failed attempts, damage, the unverified end of the log.
@Suite(.timeLimit(.minutes(15))) struct UncleanShutdownTests {
    private static func served(_ scratch: Scratch) throws -> (ServedNode, Program, [String]) {
        let node = try ServedNode(in: scratch)
        let (me, password) = try node.registered(scratch)
        let wrong = try scratch.write("not-the-password-at-all", to: "wrong")
        return (node, me, [password, wrong])
    }

    @Test func failedAttemptsSurviveAKill() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let (node, _, passwords) = try Self.served(scratch)
        defer { node.stop() }
        // A machine that was never here: a device that was would be spared.
        let stranger = node.person(scratch, "stranger")
        let place = ["--server", node.url, "--ca-file", node.certificate, "--email", "alice@example.com"]
        func login(_ password: String) throws -> Program.Result {
            try stranger.run(["login", "--password-file", password] + place)
        }
        for _ in 0..<10 { #expect(try login(passwords[1]).errors.contains("wrong")) }
        #expect(try login(passwords[0]).errors.contains("Too many attempts"))
        node.kill()
        try node.restart()
        #expect(try login(passwords[0]).errors.contains("Too many attempts"))
        // Known here, the owner signs in all the same.
        #expect(try node.person(scratch, "me").run(["login", "--password-file", passwords[0]] + place).status == 0)
    }

    struct Change: CustomTestStringConvertible {
        var testDescription: String
        var sql: String
    }

    /// The log was changed after an unclean shutdown: the node serves no value before it is detected.
    @Test(arguments: [
        Change(testDescription: "a body", sql: "UPDATE audit SET body = x'00' WHERE sequence = 3"),
        Change(testDescription: "a row that is none", sql: "UPDATE audit SET vault = x'00' WHERE sequence = 3"),
        Change(testDescription: "a hash that is none", sql: "UPDATE audit SET hash = x'' WHERE sequence = 3"),
        Change(testDescription: "all lines taken out", sql: "DELETE FROM audit"),
        Change(testDescription: "a time", sql: "UPDATE audit SET time = time + 1 WHERE sequence = 2"),
        Change(testDescription: "a line taken out", sql: "DELETE FROM audit WHERE sequence = 3"),
        Change(
            testDescription: "the last lines cut off",
            sql: "DELETE FROM audit WHERE sequence > (SELECT max(sequence) - 2 FROM audit)"),
        Change(
            testDescription: "a line added",
            sql:
                "INSERT INTO audit SELECT sequence + 1, time, vault, change, digest, body, hash FROM audit ORDER BY sequence DESC LIMIT 1"
        ),
    ])
    func afterAKillAChangedLogIsFoundBeforeAnythingIsServed(_ change: Change) throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let (node, me, passwords) = try Self.served(scratch)
        defer { node.stop() }
        #expect(try me.run(["add", "Bank", "--username", "alice"]).status == 0)
        node.kill()
        try Connection(path: "\(node.data)/clavitor.db", access: .readWrite).script(change.sql)
        do {
            try node.restart()
        } catch is RunningTool.Ended {
            // Where the log takes no line any more, nothing is served at all.
            #expect(FileManager.default.fileExists(atPath: "\(node.data)/damaged"))
            return
        }
        let write = try me.run(["add", "Other", "--username", "alice"])
        #expect(write.errors.contains("read-only"), "\(write.errors)")
        #expect(FileManager.default.fileExists(atPath: "\(node.data)/damaged"))
        // Another restart, an orderly one, changes nothing about it.
        node.stop()
        try node.restart()
        #expect(try me.run(["add", "Other", "--username", "alice"]).errors.contains("read-only"))
        node.stop()
        let accepted = try Program(name: "clavitor-node").run(["audit", "accept", "--data", node.data])
        #expect(accepted.status != 0, "\(accepted.output)")
        #expect(accepted.output.contains("FOUND"))
        _ = passwords
    }

    /// An old clean-shutdown line at the end of the log.
    @Test(arguments: [
        Change(
            testDescription: "copied over the last",
            sql: """
                UPDATE audit SET (time, vault, change, digest, body, hash) = (SELECT time, vault, change, digest, body, hash FROM audit WHERE sequence = %)
                WHERE sequence = (SELECT max(sequence) FROM audit)
                """),
        Change(
            testDescription: "its body copied over the last",
            sql: """
                UPDATE audit SET (vault, body) = (SELECT vault, body FROM audit WHERE sequence = %)
                WHERE sequence = (SELECT max(sequence) FROM audit)
                """),
        Change(testDescription: "with what followed cut off", sql: "DELETE FROM audit WHERE sequence > %"),
    ])
    func anOldEndingHidesNoKill(_ change: Change) throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let (node, me, _) = try Self.served(scratch)
        defer { node.stop() }
        node.stop()
        let database = "\(node.data)/clavitor.db"
        let end = try Connection(path: database, access: .readOnly).first("SELECT max(sequence) FROM audit") {
            $0.int(0)
        }
        try node.restart()
        #expect(try me.run(["add", "Bank", "--username", "alice"]).status == 0)
        node.kill()
        try Connection(path: database, access: .readWrite).script(
            change.sql.replacingOccurrences(of: "%", with: "\(end ?? 0)"))
        if (try? node.restart()) != nil {
            #expect(try me.run(["add", "Other", "--username", "alice"]).errors.contains("read-only"))
        }
        #expect(FileManager.default.fileExists(atPath: "\(node.data)/damaged"))
    }

    /// A trigger that would undo a change is found before any write.
    @Test(arguments: [
        "CREATE TRIGGER planted BEFORE DELETE ON holder BEGIN SELECT RAISE(IGNORE); END",
        "CREATE VIEW planted AS SELECT * FROM agent",
        "CREATE INDEX planted ON agent (state)",
        "ALTER TABLE agent ADD COLUMN planted INTEGER",
        "DROP TRIGGER (SELECT name)",
    ])
    func aSchemaThatIsNotTheProgramsIsRefused(_ sql: String) throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let (node, _, _) = try Self.served(scratch)
        defer { node.stop() }
        node.stop()
        let file = try Connection(path: "\(node.data)/clavitor.db", access: .readWrite)
        var name = "planted"
        if sql.hasPrefix("DROP") {
            name = try file.first("SELECT name FROM sqlite_schema WHERE type = 'trigger'") { $0.text(0) } ?? ""
            try file.script("DROP TRIGGER \(name)")
        } else {
            try file.script(sql)
        }
        let failure = #expect(throws: RunningTool.Ended.self) { try node.restart() }
        #expect(failure?.text.contains(name == "planted" && sql.hasPrefix("ALTER") ? "table agent" : name) == true)
        let verified = try Program(name: "clavitor-node").run(["audit", "verify", "--data", node.data])
        #expect(verified.status != 0)
    }

    @Test func anUncleanShutdownWithAnIntactLogIsNoDamage() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let (node, me, _) = try Self.served(scratch)
        defer { node.stop() }
        node.kill()
        try node.restart()
        #expect(try me.run(["add", "Bank", "--username", "alice"]).status == 0)
        node.kill()
        try node.restart()
        #expect(try me.run(["get", "Bank/username"]).output == "alice")
    }

    /// Only an operator's acceptance of an intact database clears the mark.
    @Test func damagePersistsUntilAccepted() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let (node, me, _) = try Self.served(scratch)
        defer { node.stop() }
        node.stop()
        _ = FileManager.default.createFile(atPath: "\(node.data)/damaged", contents: Data("a test".utf8))
        try node.restart()
        #expect(try me.run(["add", "Bank", "--username", "alice"]).errors.contains("read-only"))
        let running = try Program(name: "clavitor-node").run(["audit", "accept", "--data", node.data])
        #expect(running.status != 0 && running.errors.contains("Another clavitor-node"))
        node.stop()
        let accepted = try Program(name: "clavitor-node").run(["audit", "accept", "--data", node.data])
        #expect(accepted.status == 0, "\(accepted.errors)")
        let again = try Program(name: "clavitor-node").run(["audit", "accept", "--data", node.data])
        #expect(again.output.contains("Nothing to accept"))
        try node.restart()
        #expect(try me.run(["add", "Bank", "--username", "alice"]).status == 0)
        node.stop()
        let export = try Program(name: "clavitor-node").run(["audit", "export", "--data", node.data])
        #expect(export.output.contains("audit.accept"))
    }
}
