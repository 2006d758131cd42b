import Auth
import SQLite
import Storage
import TestSupport
import Testing
import Vault
import VaultFormat

/// The daily verification opens every secret box that needs no principal.
@Suite(.timeLimit(.minutes(5))) struct RootBoxCheckTests {
    let node: TestVault
    let owner: Principal

    init() async throws {
        node = try TestVault()
        owner = try await node.owner()
        let entry = try await node.entries.create(.login(tags: ["work"]), id: nil, as: owner)
        let robot = try await node.agent(
            grants: [.tag("work")], policy: AgentPolicy(verbs: [.read, .write, .deposit]), as: owner)
        let agent = try await node.principal(robot)
        // Sealed wraps: by the agent to the owner, and by the owner to the agent.
        _ = try await node.entries.deposit(.login("Left"), as: agent)
        _ = try await node.entries.update(entry.id, ifVersion: 1, .value("b", of: entry.field("username")), as: owner)
    }

    /// A column with secret boxes under a root key.
    struct Column: CustomTestStringConvertible {
        let name: String
        let read: StaticString
        let write: StaticString
        var testDescription: String { name }
    }

    static let columns = [
        Column(name: "account.email", read: "SELECT email FROM account", write: "UPDATE account SET email = ?"),
        Column(
            name: "account.audit_key", read: "SELECT audit_key FROM account", write: "UPDATE account SET audit_key = ?"),
        Column(
            name: "holder.public_key", read: "SELECT public_key FROM holder ORDER BY id LIMIT 1",
            write: "UPDATE holder SET public_key = ? WHERE id = (SELECT id FROM holder ORDER BY id LIMIT 1)"),
        Column(name: "agent.policy", read: "SELECT policy FROM agent", write: "UPDATE agent SET policy = ?"),
        Column(
            name: "credential.box", read: "SELECT box FROM credential WHERE kind = 'password'",
            write: "UPDATE credential SET box = ? WHERE kind = 'password'"),
        Column(
            name: "credential.l2_key", read: "SELECT l2_key FROM credential WHERE kind = 'password'",
            write: "UPDATE credential SET l2_key = ? WHERE kind = 'password'"),
        Column(
            name: "wrap.box", read: "SELECT box FROM wrap WHERE is_sealed = 1 ORDER BY entry, field LIMIT 1",
            write: """
                UPDATE wrap SET box = ? WHERE (holder, entry, field, part, version) = (
                    SELECT holder, entry, field, part, version FROM wrap WHERE is_sealed = 1 ORDER BY entry, field LIMIT 1)
                """),
    ]

    @Test func nothingIsFoundInAnIntactFile() async throws {
        #expect(try await node.verification().findings == [])
    }

    @Test(arguments: columns) func aChangedSecretBoxIsReportedWithItsColumn(_ column: Column) async throws {
        let file = try node.file()
        let box = try #require(try file.first(column.read) { $0.blob(0) })
        var changes = [[UInt8](), Array(box.prefix(2)), Array(box.dropLast()), box + [0]]
        // Key id, salt, commitment, ciphertext, tag.
        for position in [0, 3, 10, 40, 70, box.count - 1] {
            var changed = box
            changed[position] ^= 1
            changes.append(changed)
        }
        for changed in changes {
            try file.run(column.write, .blob(changed))
            let findings = try await node.verification().findings
            #expect(findings.contains { $0.contains(column.name) }, "\(changed.count) bytes: \(findings)")
        }
        try file.run(column.write, .blob(box))
        #expect(try await node.verification().findings == [])
    }

    @Test func aSecretBoxOfAnotherRowIsReported() async throws {
        let file = try node.file()
        try file.run(
            """
            UPDATE credential SET box = (SELECT box FROM credential WHERE kind = 'session' LIMIT 1)
            WHERE kind = 'password'
            """)
        let findings = try await node.verification().findings
        #expect(findings.contains { $0.contains("credential.box") }, "\(findings)")
    }

    @Test func aMovedCreationOfASessionIsReported() async throws {
        try node.file().run("UPDATE credential SET created = created + 1000 WHERE kind = 'session'")
        let findings = try await node.verification().findings
        #expect(findings.contains { $0.contains("credential.box") }, "\(findings)")
    }
}
