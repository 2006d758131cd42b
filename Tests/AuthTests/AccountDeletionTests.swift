import Auth
import SQLite
import Storage
import TestSupport
import Testing
import Vault
import VaultFormat

@Suite struct AccountDeletionTests {
    let node: TestVault
    let ada = Person("ada@example.org", kit: Token(.recoveryKit))
    let owner: Principal
    let bob: Principal

    init() async throws {
        node = try TestVault()
        owner = try await node.owner(ada)
        bob = try await node.owner(Person("bob@example.org"))
        // Something in every table.
        let id = EntryID.random()
        var writer = L2Writer(ada, entry: id)
        var edit = EntryEdit.login(urls: ["https://example.com"], tags: ["work"])
        edit.fields.append(writer.field(.random()))
        edit.l2 = writer.write
        let entry = try await node.entries.create(edit, id: id, as: owner)
        let robot = try await node.agent(
            grants: [.tag("work")], policy: AgentPolicy(verbs: [.read, .deposit]), as: owner)
        _ = try await node.value(entry.field("password"), of: entry.id, as: try await node.principal(robot))
        _ = try await node.accounts.beginSecondFactor(as: owner)
        let session = try await node.login(ada)
        node.moments.advance(by: 100)
        _ = try await node.principal(session.token)
        let request = IdempotencyRecords.Request(key: "k", content: [1])
        try await node.store.commit([node.idempotency.record(of: [1], to: request, as: owner)], [])
        _ = try await node.entries.create(.login("Bob's"), id: nil, as: bob)
    }

    /// Rows of each table in which the vault, or one of its holders, entries or credentials, is named.
    private func rowsOfTheVault(_ names: [[UInt8]]) throws -> [String: Int] {
        let file = try node.file()
        let tables = try file.all("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'") {
            $0.text(0)
        }
        var found: [String: Int] = [:]
        for table in tables where table != "audit" {
            // Through a view, since statements are not made of strings here.
            try file.script("CREATE TEMP TABLE looked AS SELECT * FROM \"\(table)\"")
            let columns = try file.all("SELECT count(*) FROM pragma_table_info('looked')") { $0.int(0) }.first ?? 0
            let count = try file.all("SELECT * FROM looked") { row in
                (0..<columns).contains { column in names.contains(row.blob(column)) }
            }.count { $0 }
            try file.script("DROP TABLE looked")
            found[table] = count
        }
        return found
    }

    private func names() throws -> [[UInt8]] {
        let vault = Value.blob(ada.vault.bytes)
        let file = try node.file()
        return [ada.vault.bytes]
            + (try file.all("SELECT id FROM holder WHERE vault = ?", vault) { $0.blob(0) })
            + (try file.all("SELECT id FROM entry WHERE vault = ?", vault) { $0.blob(0) })
            + (try file.all("SELECT id FROM credential WHERE vault = ?", vault) { $0.blob(0) })
    }

    @Test func noRowOfTheVaultRemainsInAnyTable() async throws {
        let names = try names()
        let before = try rowsOfTheVault(names)
        let empty = before.filter { $0.value == 0 }.keys.sorted()
        #expect(
            empty == ["abuse", "audit_head", "audit_verified", "node", "recorded", "schema_seal", "spent_invite"],
            "or the test does not look everywhere")
        try await node.accounts.delete(as: owner)
        let after = try rowsOfTheVault(names)
        #expect(after.values.allSatisfy { $0 == 0 }, "\(after)")
    }

    @Test func theFilesBytesContainNothingOfTheVault() async throws {
        let boxes = try node.file().all("SELECT box FROM value WHERE vault = ?", .blob(ada.vault.bytes)) { $0.blob(0) }
        let before = try node.scratch.everything(beginning: TestVault.name)
        #expect(boxes.allSatisfy { before.holds($0) })
        try await node.accounts.delete(as: owner)
        let after = try node.scratch.everything(beginning: TestVault.name)
        #expect(boxes.allSatisfy { !after.holds($0) })
    }

    @Test func itsAuditBodiesAreUnreadableAndTheChainStillVerifies() async throws {
        try await node.accounts.delete(as: owner)
        var chain = AuditChain.start
        var shredded = 0
        let lines = try await node.store.auditLines(
            of: ada.vault, before: nil, limit: PageLimit(rows: 1_000)
        ).items
        for line in lines where try node.audit.open(line.line.line) == nil { shredded += 1 }
        try await node.store.forEachAuditLine { line in
            chain.append(line.line)
            #expect(chain.hash == line.hash)
        }
        #expect(lines.count > 3)
        #expect(shredded == lines.count)
        #expect(chain == node.store.journal.head.chain)
    }

    @Test func aRestartContinuesTheLog() async throws {
        try await node.accounts.delete(as: owner)
        let restarted = try TestVault(opening: node.scratch, root: node.root, moments: node.moments)
        #expect(restarted.store.journal.head == node.store.journal.head)
    }

    @Test func allItsCredentialsAreRejected() async throws {
        try await node.accounts.delete(as: owner)
        let errors = [
            await thrown { try await node.login(ada) }, await thrown { try await node.recover(ada, kit: ada.kit!) },
        ]
        let listed = await thrown { try await node.entries.list(limit: 10, as: owner) }
        #expect(errors.allSatisfy { $0 as? AuthError == .badCredentials })
        #expect(listed as? VaultError == .principalGone)
    }

    @Test func otherAccountsAreUnaffected() async throws {
        try await node.accounts.delete(as: owner)
        let titles = try await node.entries.list(limit: 10, as: bob).entries.map(\.title)
        let error = await thrown { try await node.login(Person("bob@example.org")) }
        #expect(titles == ["Bob's"])
        #expect(error == nil)
    }

    @Test func theAddressMayRegisterAgain() async throws {
        try await node.accounts.delete(as: owner)
        let again = try await node.owner(Person("ada@example.org"))
        let listed = try await node.entries.list(limit: 10, as: again).entries
        #expect(listed.isEmpty)
    }
}
