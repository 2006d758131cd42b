import Auth
import SQLite
import TestSupport
import Testing
import Vault
import VaultFormat

@testable import Storage

/// What another program does to the file while the node runs.
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

    /// Each would undo a revocation as it is written, or hide it.
    @Test(arguments: [
        "CREATE TRIGGER planted BEFORE DELETE ON holder BEGIN SELECT RAISE(IGNORE); END",
        "CREATE TRIGGER planted AFTER INSERT ON audit BEGIN DELETE FROM audit WHERE sequence = NEW.sequence; END",
        "CREATE TABLE kept AS SELECT * FROM credential",
        "ALTER TABLE agent ADD COLUMN planted INTEGER",
        "DROP TRIGGER usage_entry_insert",
        // What is named like SQLite's own is looked at as well.
        "ANALYZE entry",
        "UPDATE audit_head SET sequence = sequence - 1",
        "DELETE FROM audit_head",
    ])
    func closesTheNode(_ sql: String) async throws {
        let agent = try await node.principal(robot)
        try node.file().script(sql)
        let revoked = await thrown { try await node.roster.revoke(robot.id, as: owner) }
        let read = await thrown { try await node.value(entry.field("password"), of: entry.id, as: agent) }
        let listed = await thrown { try await node.principal(robot) }
        #expect(revoked as? VaultError == .readOnly("foreign-write"))
        #expect(node.health.mode == .closed(.foreignWrite))
        // What could not be taken away is not given out either.
        #expect(read as? VaultError == .readOnly("foreign-write"))
        #expect(listed as? VaultError == .readOnly("foreign-write"))
    }

    /// A row where the next one would go keeps the line of a revocation from being written: then nobody reads either.
    @Test func aBrokenRuleClosesTheNode() async throws {
        try node.file().script(
            "INSERT INTO audit SELECT sequence + 1, time, vault, body, hash FROM audit ORDER BY sequence DESC LIMIT 1")
        let revoked = await thrown { try await node.roster.revoke(robot.id, as: owner) }
        let listed = await thrown { try await node.principal(robot) }
        #expect(revoked as? VaultError == .readOnly("foreign-write"))
        #expect(listed as? VaultError == .readOnly("foreign-write"))
    }

    @Test func aProgramThatLeavesTheSchemaAndTheLogIsNoHarm() async throws {
        try node.file().script("UPDATE entry SET updated = updated; DELETE FROM answer")
        try await node.roster.revoke(robot.id, as: owner)
        #expect(node.health.mode == .normal)
    }

    /// A fleet rolls back: the older program meets what a newer one added to the schema, with that one's code.
    @Test(arguments: [true, false]) func aNewerProgramsSchemaIsKnownByItsCode(isSealed: Bool) async throws {
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
            // The code is that schema's alone.
            try node.file().script("CREATE VIEW planted AS SELECT * FROM agent")
            #expect(throws: VaultError.self) {
                try TestVault(opening: node.scratch, root: node.root, moments: node.moments)
            }
        }
    }

    /// A node that served once leaves the code, for the next program.
    @Test func aCommitSealsTheSchema() async throws {
        let rows = try node.count("SELECT count(*) FROM schema_seal")
        #expect(rows == 1)
    }
}
