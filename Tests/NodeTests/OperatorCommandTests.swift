import Foundation
import TestSupport
import Testing

/// The operator's commands of `clavitor-node`, as processes.
@Suite(.timeLimit(.minutes(15))) struct OperatorCommandTests {
    private let node = Program(name: "clavitor-node")

    private func run(_ program: String, _ arguments: [String]) throws -> String {
        let tool = try Tool(program, arguments)
        return tool.status == 0 ? tool.output : ""
    }

    private func served(_ scratch: Scratch) throws -> (ServedNode, Program, String) {
        let served = try ServedNode(in: scratch)
        let (me, password) = try served.registered(scratch)
        let added = try me.run(["add", "Bank", "--username", "alice"])
        #expect(added.status == 0, "\(added.errors)")
        return (served, me, password)
    }

    @Test func aBackupOpensWithStockAgeAndRestoresElsewhere() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let (served, me, password) = try served(scratch)
        defer { served.stop() }
        _ = try run("/usr/bin/age-keygen", ["-o", scratch.file("identity")])
        let recipient = try #require(try scratch.text("identity").firstMatch(of: /age1[0-9a-z]+/))
        served.stop()
        let backup = try node.run([
            "backup", "--data", served.data, "--to", scratch.file("backups"), "--recipient", String(recipient.0),
        ])
        #expect(backup.status == 0, "\(backup.errors)")
        // The node goes on, and its chain with the command's line in it.
        try served.restart()
        #expect(try me.run(["get", "Bank/username"]).output == "alice")
        let file = try #require(FileManager.default.contentsOfDirectory(atPath: scratch.file("backups")).first)
        let path = scratch.file("backups/\(file)")
        let plain = try run(
            "/usr/bin/age", ["-d", "-i", scratch.file("identity"), "-o", scratch.file("plain.db"), path])
        #expect(plain.isEmpty)
        #expect(try scratch.text("plain.db").hasPrefix("SQLite format 3"))

        // Without the root key nothing is restored; with it everything is.
        let elsewhere = scratch.file("elsewhere")
        let arguments = ["restore", "--data", elsewhere, "--from", path, "--identity", scratch.file("identity")]
        let refused = try node.run(arguments)
        #expect(refused.status != 0)
        #expect(!FileManager.default.fileExists(atPath: elsewhere + "/clavitor.db"))
        try FileManager.default.copyItem(atPath: served.data + "/root.key", toPath: elsewhere + "/root.key")
        let restored = try node.run(arguments)
        #expect(restored.status == 0, "\(restored.errors)")
        let again = try node.run(arguments)
        #expect(again.status != 0)
        served.stop()

        let verified = try node.run(["audit", "verify", "--data", elsewhere])
        #expect(verified.status == 0, "\(verified.output)")
        // Its number is the time of the restore.
        #expect(verified.output.contains(#/epoch 1\d{9} /#))
        // The old session is gone; the password still opens the vault.
        try FileManager.default.moveItem(atPath: served.data, toPath: scratch.file("old"))
        try FileManager.default.moveItem(atPath: elsewhere, toPath: served.data)
        try served.restart()
        let place = ["--server", served.url, "--ca-file", served.certificate]
        #expect(try me.run(["get", "Bank/username"] + place).status == 3)
        let login = try me.run(["login", "--email", "alice@example.com", "--password-file", password] + place)
        #expect(login.status == 0, "\(login.errors)")
        #expect(try me.run(["get", "Bank/username"]).output == "alice")
    }

    @Test func rotatingTheRootKeyKeepsEverythingAndEndsTheOldKey() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let (served, me, _) = try served(scratch)
        defer { served.stop() }
        let old = try scratch.text("data/root.key")
        let busy = try node.run(["root-key", "rotate", "--data", served.data])
        #expect(busy.status != 0)
        #expect(busy.errors.contains("Stop it first"))
        served.stop()
        let rotated = try node.run(["root-key", "rotate", "--data", served.data])
        #expect(rotated.status == 0, "\(rotated.errors)")
        let new = try scratch.text("data/root.key")
        #expect(new.hasPrefix("2 clv_root_"))
        #expect(new.split(separator: "\n").count == 1)
        try served.restart()
        #expect(
            try me.run(["get", "Bank/username", "--server", served.url, "--ca-file", served.certificate]).output
                == "alice")
        served.stop()
        // With the old key alone the database is shut.
        try FileManager.default.removeItem(atPath: served.data + "/root.key")
        try Data(old.utf8).write(to: URL(filePath: served.data + "/root.key"))
        let shut = try node.run(["audit", "verify", "--data", served.data])
        #expect(shut.status != 0)
        #expect(shut.errors.contains("root key 2"))
    }

    @Test func doctorReportsProblems() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let data = scratch.file("data")
        #expect(try node.run(["init", "--data", data, "--quiet"]).status == 0)
        let well = try node.run(["doctor", "--data", data])
        #expect(well.status == 0, "\(well.output)")
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: data + "/root.key")
        let ill = try node.run(["doctor", "--data", data])
        #expect(ill.status == 1)
        #expect(ill.output.contains("FAIL  root key is private"))
    }

    @Test func initPrintsTheRootKeyOnceAndNeverOverwrites() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let first = try node.run(["init", "--data", scratch.file("data")])
        #expect(first.output.contains("clv_root_"))
        let key = try scratch.text("data/root.key")
        let second = try node.run(["init", "--data", scratch.file("data")])
        #expect(second.status != 0)
        #expect(try scratch.text("data/root.key") == key)
    }
}
