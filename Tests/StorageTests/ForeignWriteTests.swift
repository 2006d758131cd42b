import Auth
import SQLite
import Storage
import TestSupport
import Testing
import Vault
import VaultFormat

/// Writes by another program while the node runs.
@Suite struct ForeignWriteTests {
    let node: TestVault
    let owner: Principal
    let entry: EntryView
    let robot: TestAgent

    init() async throws {
        node = try TestVault()
        owner = try await node.owner()
        entry = try await node.entries.create(.login(), id: nil, as: owner)
        robot = try await node.agent(grants: [.entry(entry.id)], as: owner)
    }

    /// Each would undo or hide a revocation.
    @Test(arguments: [
        "CREATE TRIGGER planted BEFORE DELETE ON holder BEGIN SELECT RAISE(IGNORE); END",
        "CREATE TRIGGER planted AFTER INSERT ON audit BEGIN DELETE FROM audit WHERE sequence = NEW.sequence; END",
        "CREATE TABLE kept AS SELECT * FROM credential",
        "ALTER TABLE agent ADD COLUMN planted INTEGER",
        "DROP TRIGGER usage_entry_insert",
        // Objects named like SQLite's own are checked too.
        "ANALYZE entry",
        "UPDATE audit_head SET sequence = sequence - 1",
        "DELETE FROM audit_head",
    ])
    func aForeignSchemaChangeClosesTheNode(_ sql: String) async throws {
        let agent = try await node.principal(robot)
        try node.file().script(sql)
        let revoked = await thrown { try await node.agents.revoke(robot.id, as: owner) }
        let read = await thrown { try await node.value(entry.field("password"), of: entry.id, as: agent) }
        let listed = await thrown { try await node.principal(robot) }
        #expect(revoked as? VaultError == .readOnly("foreign-write"))
        #expect(node.health.mode == .closed(.foreignWrite))
        // When nothing can be revoked, nothing is read either.
        #expect(read as? VaultError == .readOnly("foreign-write"))
        #expect(listed as? VaultError == .readOnly("foreign-write"))
    }

    /// A row with the next sequence number prevents a revocation's audit line; reads are refused then too.
    @Test func aViolatedConstraintClosesTheNode() async throws {
        try node.file().script(
            "INSERT INTO audit SELECT sequence + 1, time, vault, change, digest, body, hash FROM audit ORDER BY sequence DESC LIMIT 1"
        )
        let revoked = await thrown { try await node.agents.revoke(robot.id, as: owner) }
        let listed = await thrown { try await node.principal(robot) }
        #expect(revoked as? VaultError == .readOnly("foreign-write"))
        #expect(listed as? VaultError == .readOnly("foreign-write"))
    }

    @Test func aProgramThatKeepsSchemaAndLogIsHarmless() async throws {
        try node.file().script("UPDATE entry SET updated = updated; DELETE FROM answer")
        try await node.agents.revoke(robot.id, as: owner)
        #expect(node.health.mode == .normal)
    }

    /// After a rollback the older program opens a newer schema with its authentication code.
    @Test(arguments: [true, false]) func aNewerProgramsSchemaIsAcceptedWithItsCode(isSealed: Bool) async throws {
        let newer = """
            CREATE TABLE passkey (id BLOB PRIMARY KEY) STRICT;
            ALTER TABLE agent ADD COLUMN colour INTEGER;
            PRAGMA user_version = 99;
            """
        try node.file().script(newer)
        if isSealed { try Schema.seal(node.file(), key: node.keys.auditHeadKey) }
        let opened = await thrown {
            let again = try TestVault(opening: node.scratch, root: node.root, moments: node.moments)
            _ = try await again.value(entry.field("password"), of: entry.id, as: try await again.principal(robot))
        }
        #expect((opened == nil) == isSealed)
        if isSealed {
            // The code is valid for that schema only.
            try node.file().script("CREATE VIEW planted AS SELECT * FROM agent")
            #expect(throws: VaultError.self) {
                try TestVault(opening: node.scratch, root: node.root, moments: node.moments)
            }
        }
    }

    /// A node that has served stores the code for the next program.
    @Test func aCommitSealsTheSchema() async throws {
        let rows = try node.count("SELECT count(*) FROM schema_seal")
        #expect(rows == 1)
    }
}
