import Files
import Foundation
import TestSupport
import Testing

/// Commands that ask the node which serves their data directory, as processes.
@Suite(.timeLimit(.minutes(15))) struct ControlSocketTests {
    private let program = Program(name: "clavitor-node")
    private let scratch: Scratch
    private let identity: String
    private let recipient: String

    init() throws {
        scratch = try Scratch()
        identity = scratch.file("identity")
        _ = try Tool("/usr/bin/age-keygen", ["-o", identity])
        recipient = String(try #require(try scratch.text("identity").firstMatch(of: /age1[0-9a-z]+/)).0)
    }

    private func served() throws -> ServedNode {
        try ServedNode(
            in: scratch, arguments: ["--backup-to", scratch.file("backups"), "--backup-recipient", recipient])
    }

    /// Sends bytes to the socket, as `user`, and returns what comes back.
    private func send(_ text: String, to node: ServedNode, as user: UInt32? = nil) throws -> String {
        let script = """
            import os, socket, sys
            if sys.argv[3]: os.setuid(int(sys.argv[3]))
            peer = socket.socket(socket.AF_UNIX)
            peer.settimeout(60)
            peer.connect(sys.argv[1])
            try:
                peer.sendall(sys.argv[2].encode() * int(sys.argv[4]))
                peer.shutdown(socket.SHUT_WR)
            except OSError: pass
            try:
                while part := peer.recv(65536): sys.stdout.write(part.decode())
            except OSError: pass
            """
        let (part, times) = text.count > 1 ? (text, 1) : (text, 1 << 20)
        return try Tool(
            "/usr/bin/python3", ["-c", script, node.data + "/control", part, user.map(String.init) ?? "", "\(times)"]
        ).output
    }

    @Test func theNodeMakesTheBackupThatItsSettingsName() throws {
        defer { scratch.remove() }
        let node = try served()
        defer { node.stop() }
        let refused = try program.run([
            "backup", "--data", node.data, "--to", scratch.file("mine"), "--recipient", recipient,
        ])
        #expect(refused.status != 0 && refused.errors.contains("without other options"), "\(refused.errors)")
        #expect(!FileManager.default.fileExists(atPath: scratch.file("mine")))
        let backup = try program.run(["backup", "--data", node.data])
        #expect(backup.status == 0, "\(backup.errors)")
        let file = String(try #require(backup.output.split(separator: " ").first))
        let opened = try Tool("/usr/bin/age", ["-d", "-i", identity, "-o", scratch.file("plain.db"), file])
        #expect(opened.status == 0)
        #expect(try scratch.text("plain.db").hasPrefix("SQLite format 3"))
        node.stop()
        // Alone it needs to be told.
        let alone = try program.run(["backup", "--data", node.data])
        #expect(alone.status != 0 && alone.errors.contains("--to and --recipient"), "\(alone.errors)")
        let told = try program.run([
            "backup", "--data", node.data, "--to", scratch.file("mine"), "--recipient", recipient,
        ])
        #expect(told.status == 0, "\(told.errors)")
    }

    @Test func commandsAskTheNodeAndItsLogHasThem() throws {
        defer { scratch.remove() }
        let node = try served()
        defer { node.stop() }
        let invite = try program.run(["invite", "--data", node.data])
        #expect(invite.status == 0 && invite.output.hasPrefix("clv_inv_"), "\(invite.errors)")
        let key = try program.run(["root-key", "print", "--data", node.data])
        #expect(try key.output == scratch.text("data/root.key"))
        let exported = try program.run([
            "root-key", "export", "--data", node.data, "--to", scratch.file("key.age"), "--recipient", recipient,
        ])
        #expect(exported.status == 0, "\(exported.errors)")
        let verified = try program.run(["audit", "verify", "--data", node.data])
        #expect(
            verified.status == 0 && verified.output.contains("Audit chain OK"), "\(verified.output)\(verified.errors)")
        let log = try program.run(["audit", "export", "--data", node.data])
        for reason in ["printed", "to 1 recipients", "audit"] {
            #expect(log.output.contains("\"reason\":\"\(reason)\""), "\(log.output)")
        }
        // Nobody but the node has written.
        let words = try String(contentsOfFile: node.log, encoding: .utf8)
        #expect(!words.contains("another program wrote"))
        #expect(words.contains("asked by a command"))
        node.stop()
        #expect(!FileManager.default.fileExists(atPath: node.data + "/control"))
        let alone = try program.run(["audit", "verify", "--data", node.data])
        #expect(alone.status == 0, "\(alone.errors)")
    }

    /// A root key that only the service can read, such as a systemd credential.
    @Test func theNodeGivesARootKeyThatTheCommandCannotRead() throws {
        defer { scratch.remove() }
        let node = try served()
        defer { node.stop() }
        let text = try scratch.text("data/root.key")
        try FileManager.default.moveItem(atPath: scratch.file("data/root.key"), toPath: scratch.file("hidden.key"))
        let key = try program.run(["root-key", "print", "--data", node.data])
        #expect(key.output == text, "\(key.errors)")
        #expect(try program.run(["invite", "--data", node.data]).output.hasPrefix("clv_inv_"))
        #expect(try program.run(["audit", "verify", "--data", node.data]).status == 0)
    }

    @Test func anotherUserIsRefused() throws {
        defer { scratch.remove() }
        let node = try served()
        defer { node.stop() }
        let request = "{\"invite\":{\"expires\":1}}"
        #expect(try send(request, to: node).contains("clv_inv_"))
        // Not even where the modes would let him.
        for folder in [Directory.parent(of: scratch.path), scratch.path, node.data] {
            _ = try Tool("/bin/chmod", ["755", folder])
        }
        let mode = FileStatus.mode(node.data + "/control")
        #expect(mode.map { $0 & 0o777 } == 0o600)
        _ = try Tool("/bin/chmod", ["666", node.data + "/control"])
        let answer = try send(request, to: node, as: 65_534)
        #expect(answer.contains("its own user and root") && !answer.contains("clv_inv_"), "\(answer)")
    }

    @Test(arguments: ["", "nonsense", "{}", "{\"backup\":", "{\"rootKey\":{}}x", "a"])
    func nonsenseIsRefusedAndTheNodeGoesOn(_ text: String) throws {
        defer { scratch.remove() }
        let node = try served()
        defer { node.stop() }
        let answer = try send(text, to: node)
        #expect(answer.isEmpty || answer.contains("does not know this request"), "\(answer)")
        #expect(!answer.contains("clv_root"))
        #expect(try program.run(["invite", "--data", node.data]).status == 0)
    }

    /// What another program commits is noticed although nobody changes anything.
    @Test func aForeignCommitIsNoticed() throws {
        defer { scratch.remove() }
        let node = try served()
        defer { node.stop() }
        _ = try Tool(
            "/usr/bin/python3",
            [
                "-c",
                "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute(\"INSERT INTO abuse VALUES (x'00', 1, 1, 1)\"); c.commit()",
                node.data + "/clavitor.db",
            ])
        try node.process.wait { process in process.text.contains("another program wrote to the database") }
    }
}
