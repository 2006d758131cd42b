import Auth
import SQLite
import Storage
import TestSupport
import Testing
import Vault
import VaultFormat

/// Planted values in the file are reported as damage, cause no crash and do not prevent revocations.
@Suite(.timeLimit(.minutes(15))) struct PlantedValueTests {
    /// Performs every operation of a node on its file.
    private static func use(
        _ node: TestVault, _ person: Person, _ owner: Principal, _ entry: EntryView, _ robot: TestAgent
    ) async {
        let field = entry.field("password")
        let uses: [() async throws -> Void] = [
            { _ = try await node.login(person) },
            { _ = try await node.accounts.sessions(as: owner) },
            { _ = try await node.accounts.profile(as: owner) },
            { _ = try await node.entries.list(limit: 100, as: owner) },
            { _ = try await node.entries.versions(of: entry.id, as: owner) },
            { _ = try await node.value(field, of: entry.id, as: owner) },
            { _ = try await node.value(field, of: entry.id, as: try await node.principal(robot)) },
            { _ = try await node.entries.update(entry.id, ifVersion: 1, .value("x", of: field), as: owner) },
            {
                let agent = try await node.principal(robot)
                _ = try await node.entries.update(entry.id, ifVersion: 2, .value("y", of: field), as: agent)
                _ = try await node.entries.deposit(.login(), as: agent)
            },
            { _ = try await node.agents.list(limit: 100, as: owner) },
            {
                _ = try await node.agents.update(
                    robot.id, name: "other", grants: nil, policy: { $0 = AgentPolicy(maxUses: 9) }, isPaused: nil,
                    as: owner)
            },
            { _ = try await node.trail.lines(before: nil, limit: 100, as: owner) },
            { _ = try await node.trail.disclosures(of: robot.id, as: owner) },
            { _ = try node.store.abuseRow([UInt8](repeating: 1, count: 16)) },
            { _ = try await node.store.lastAuditLine() },
            { _ = try await node.store.history(of: owner.vault, beyond: 1, before: node.moments.now, limit: 10) },
            { _ = try await node.verification() },
            { _ = try await node.changePassword(person, to: person, as: owner) },
            { try await node.store.sweep(sessionIdle: 100, audit: node.audit) },
            { _ = try TestVault(opening: node.scratch, root: node.root, moments: node.moments) },
        ]
        for use in uses { _ = await thrown { try await use() } }
    }

    private static func made() async throws -> (TestVault, Person, Principal, EntryView, TestAgent) {
        let node = try TestVault()
        let person = Person()
        let owner = try await node.owner(person)
        let entry = try await node.entries.create(.login(tags: ["t"]), id: nil, as: owner)
        let card = EntryID.random()
        var writer = L2Writer(person, entry: card)
        let hidden = writer.field(.random())
        _ = try await node.entries.create(
            EntryEdit(title: "Card", fields: [hidden], l2: writer.write), id: card, as: owner)
        let robot = try await node.agent(
            grants: [.tag("t")], policy: AgentPolicy(verbs: [.read, .write, .deposit], maxUses: 100), as: owner)
        _ = try await node.entries.deposit(.login(), as: try await node.principal(robot))
        _ = await thrown { try await node.login(Person("bob@example.org")) }
        return (node, person, owner, entry, robot)
    }

    private static let tables = [
        "abuse", "account", "agent", "answer", "audit", "audit_head", "audit_verified", "credential", "entry", "holder",
        "item", "l2_entry", "last_use", "node", "recorded", "schema_seal", "spent_invite", "term", "usage", "value",
        "vault_state",
        "wrap",
    ]

    @Test func everyTableIsCovered() async throws {
        let node = try TestVault()
        let tables = try node.file().all(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name"
        ) { $0.text(0) }
        #expect(tables == Self.tables)
    }

    /// Plants extreme values in every column of every table.
    @Test(arguments: tables) func plantedValuesCrashNothing(_ table: String) async throws {
        let (first, _, _, _, _) = try await Self.made()
        let columns = try first.file().all("SELECT name, type FROM pragma_table_info(?)", .text(table)) { row in
            (name: row.text(0), type: row.text(1))
        }
        #expect(!columns.isEmpty)
        for column in columns {
            let values =
                column.type == "INTEGER"
                ? ["9223372036854775807", "-9223372036854775808", "-1", "0"]
                : column.type == "TEXT" ? ["''", "char(0, 55296)"] : ["x''", "x'00'", "zeroblob(100000)"]
            for value in values {
                let (node, person, owner, entry, robot) = try await Self.made()
                // Skips values that a constraint refuses.
                try? node.file().script("UPDATE OR IGNORE \(table) SET \(column.name) = \(value)")
                await Self.use(node, person, owner, entry, robot)
            }
        }
    }

    struct Planted: CustomTestStringConvertible {
        let testDescription: String
        let sql: String
    }

    private static let planted = [
        Planted(
            testDescription: "the least that could be stored", sql: "UPDATE usage SET bytes = -9223372036854775808"),
        Planted(
            testDescription: "more than could be stored",
            sql:
                "UPDATE usage SET bytes = 9223372036854775807, entries = 9223372036854775807, fields = 9223372036854775807"
        ),
    ]

    @Test(arguments: planted) func plantedValuesDoNotPreventRevocations(_ example: Planted) async throws {
        let (node, person, owner, entry, robot) = try await Self.made()
        try node.file().script(example.sql)
        let session = try await node.login(person)
        let now = try await node.principal(session.token)
        try await node.accounts.end(session.id, as: now)
        try await node.entries.trash(entry.id, ifVersion: nil, as: owner)
        try await node.agents.revoke(robot.id, as: owner)
        _ = try await node.changePassword(person, to: person, as: owner)
        let ended = await thrown { try await node.principal(session.token) }
        #expect(ended as? AuthError == .badToken)
    }
}
