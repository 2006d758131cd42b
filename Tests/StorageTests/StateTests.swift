import Auth
import NodeCore
import SQLite
import Storage
import TestSupport
import Testing
import Vault
import VaultFormat

/// The state of a node's vaults: how it starts, what it notices, what an operator accepts.
@Suite struct StateTests {
    let node: TestVault
    let ada = Person("ada@example.org")
    let bob = Person("bob@example.org")
    let owner: Principal

    init() async throws {
        node = try TestVault()
        owner = try await node.owner(ada)
        _ = try await node.entries.create(.login(), id: nil, as: owner)
        try await node.register(bob)
    }

    private func reopened(_ options: TestVault.Options = .init()) throws -> TestVault {
        try TestVault(opening: node.scratch, root: node.root, moments: node.moments, options)
    }

    // MARK: Commits

    @Test func aChangeWithoutALineIsRefused() async throws {
        let session = try #require(try await node.accounts.sessions(as: owner).first)
        let error = await thrown { try await node.store.commit([.deleteCredential(session.id)], []) }
        #expect(error != nil)
        #expect(try await node.accounts.sessions(as: owner).map(\.id) == [session.id])
    }

    @Test func aFailedCommitLeavesTheState() async throws {
        for _ in 0..<3 {
            let error = await thrown { try await node.register(ada) }
            #expect(error as? AuthError == .emailTaken)
        }
        _ = try await node.entries.create(.login(), id: nil, as: owner)
        #expect(try await node.verification().findings == [])
        #expect(try await reopened().verification().findings == [])
    }

    @Test func noVaultHasTheIDOfTheNodesOwnRecords() async throws {
        var eve = Person("eve@example.org")
        eve.vault = .node
        await #expect(throws: AuthError.invalid("vault", "must be 16 random bytes")) { try await node.register(eve) }
    }

    @Test func eachChangeIsInTheChainOnce() async throws {
        let changes = try node.file().all(
            "SELECT change FROM audit WHERE vault = ? AND change > 0 ORDER BY sequence", .blob(ada.vault.bytes)
        ) { $0.int(0) }
        #expect(changes == Array(1...changes.count) && changes.count > 2)
        let stored = try node.count("SELECT max(change) FROM vault_state")
        #expect(stored == changes.count)
    }

    /// Readers' snapshots are older and newer than memory all the time.
    @Test func readersDuringChangesFindNoDamage() async throws {
        let entry = try await node.entries.create(.login(tags: ["t"]), id: nil, as: owner)
        let robot = try await node.agent(grants: [.tag("t")], as: owner)
        try await withThrowingTaskGroup { group in
            group.addTask { [node, owner] in
                for version in 1..<60 {
                    _ = try await node.entries.update(
                        entry.id, ifVersion: version, EntryEdit(title: "\(version)"), as: owner)
                    let agent = try await node.agent("other", grants: [.tag("t")], as: owner)
                    try await node.agents.revoke(agent.id, as: owner)
                }
            }
            for _ in 0..<4 {
                group.addTask { [node, owner] in
                    for _ in 0..<120 {
                        _ = try await node.principal(robot)
                        _ = try await node.entries.list(limit: 100, as: owner)
                        _ = try await node.agents.list(limit: 100, as: owner)
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(node.damaged.all == [])
    }

    /// Records of vaults that were not used for long are read again.
    @Test func littleMemorySuffices() async throws {
        var options = TestVault.Options()
        options.mostRecords = 3
        let node = try reopened(options)
        for _ in 0..<3 {
            for person in [ada, bob] {
                let principal = try await node.principal(try await node.login(person).token)
                _ = try await node.entries.create(.login(), id: nil, as: principal)
                _ = try await node.entries.list(limit: 100, as: principal)
            }
        }
        #expect(try await node.verification().findings == [])
    }

    // MARK: Start

    @Test(arguments: [
        "UPDATE vault_state SET change = change + 1 WHERE vault = x'%'",
        "UPDATE vault_state SET digest = zeroblob(32) WHERE vault = x'%'",
        "DELETE FROM vault_state WHERE vault = x'%'",
    ])
    func aVaultWithAnotherStateIsRefusedAndTheOthersAreServed(_ sql: String) async throws {
        try node.file().script(sql.replacing("%", with: ada.vault.bytes.hex))
        let again = try reopened()
        let error = await thrown { try await again.login(ada) }
        #expect(error as? VaultError == .vaultDamaged)
        let principal = try await again.principal(try await again.login(bob).token)
        _ = try await again.entries.create(.login(), id: nil, as: principal)
        #expect(try await again.verification().findings.contains { $0.contains(ada.vault.text) })
        // The damage lasts.
        let later = await thrown { try await reopened().login(ada) }
        #expect(later as? VaultError == .vaultDamaged)
    }

    @Test(arguments: [
        "UPDATE recorded SET key = 'holder' WHERE name = 'item'", "DELETE FROM recorded WHERE name = 'item'",
        "INSERT INTO recorded VALUES ('term', 'entry')", "UPDATE node SET created = created + 1",
        "INSERT INTO spent_invite VALUES (x'00', 1)",
        "UPDATE vault_state SET digest = zeroblob(32) WHERE vault = zeroblob(16)",
    ])
    func theNodesOwnRecordsAreVerifiedFirst(_ sql: String) async throws {
        try node.file().script(sql)
        let error = await thrown { try reopened() }
        #expect(isDamage(error))
    }

    @Test func aPlantedVaultIsNotServed() async throws {
        let other = try TestVault()
        try await other.register(Person("eve@example.org"))
        let path = other.path
        try node.file().script(
            """
            ATTACH '\(path)' AS other;
            INSERT INTO account SELECT * FROM other.account; INSERT INTO holder SELECT * FROM other.holder;
            INSERT INTO credential SELECT * FROM other.credential; INSERT INTO vault_state SELECT * FROM other.vault_state
                WHERE vault <> zeroblob(16);
            """)
        for isStopped in [false, true] {
            let attacked = isStopped ? try reopened() : node
            let error = await thrown { try await attacked.login(Person("eve@example.org")) }
            #expect(error != nil)
            _ = try await attacked.login(bob)
        }
    }

    // MARK: Older files

    /// A deleted account, put back with everything that belonged to it.
    @Test(arguments: [false, true]) func aDeletedAccountStaysDeleted(_ isStopped: Bool) async throws {
        try node.file().script("VACUUM INTO '\(node.scratch.file("old.db"))'")
        try await node.accounts.delete(as: owner)
        let file = try node.file()
        try file.script("ATTACH '\(node.scratch.file("old.db"))' AS old")
        for table in ["account", "holder", "credential", "item", "entry", "value", "wrap", "term"] {
            try file.script("INSERT OR REPLACE INTO \(table) SELECT * FROM old.\(table)")
        }
        let attacked = isStopped ? try reopened() : node
        let error = await thrown { try await attacked.login(ada) }
        #expect(error as? VaultError == .vaultDamaged)
        _ = try await attacked.login(bob)
    }

    /// All of an older file, while the node runs.
    @Test func anOlderHeadClosesTheNode() async throws {
        try node.file().script("VACUUM INTO '\(node.scratch.file("old.db"))'")
        let session = try await node.login(ada)
        try await node.accounts.end(nil, as: try await node.principal(session.token))
        let file = try node.file()
        try file.script("PRAGMA foreign_keys = OFF; ATTACH '\(node.scratch.file("old.db"))' AS old")
        for table in ["credential", "last_use", "vault_state", "audit", "audit_head"] {
            try file.script("DELETE FROM main.\(table); INSERT INTO \(table) SELECT * FROM old.\(table)")
        }
        let error = await thrown { try await node.entries.create(.login(), id: nil, as: owner) }
        #expect(error as? VaultError == .readOnly("foreign-write"))
    }

    // MARK: Witness

    @Test func theHashAtALineIsRecomputed() async throws {
        let lines = try node.file().all("SELECT sequence, hash FROM audit ORDER BY sequence") {
            ($0.integer(0), $0.blob(1))
        }
        for (line, hash) in lines { #expect(try await node.store.recomputedHash(at: line) == hash) }
        #expect(try await node.store.recomputedHash(at: 0) == AuditChain.start.hash)
        #expect(try await node.store.recomputedHash(at: Int64(lines.count) + 1) == nil)
        #expect(try await node.store.recomputedHash(at: -1) == nil)
    }

    /// The column has the hash that the monitor saw, the lines are others.
    @Test(arguments: [
        "UPDATE audit SET hash = x'%' WHERE sequence = 2", "UPDATE audit SET time = time + 1 WHERE sequence = 3",
        "UPDATE audit SET digest = zeroblob(32) WHERE sequence = 3", "DELETE FROM audit WHERE sequence = 3",
    ])
    func aHashInTheFileProvesNothing(_ sql: String) async throws {
        try node.file().script(sql.replacing("%", with: String(repeating: "5a", count: 32)))
        #expect(try await node.store.recomputedHash(at: 2) == nil)
        // What was reported is in memory.
        let proofs = AuditProofs(store: node.store)
        proofs.report(node.store.journal.head.chain)
        #expect(await proofs.hash(at: node.store.journal.head.chain.sequence) == node.store.journal.head.chain.hash)
        #expect(await proofs.hash(at: 2) == nil)
    }

    // MARK: Accepting

    @Test func anAcceptedVaultIsServedWithoutItsSessionsAndAgents() async throws {
        let robot = try await node.agent(grants: [.tag("t")], as: owner)
        let session = try await node.login(ada)
        try node.file().script("UPDATE entry SET updated = updated + 1 WHERE vault = x'\(ada.vault.bytes.hex)'")
        let again = try reopened()
        #expect(try await again.store.damagedVaults().keys.map(\.text) == [ada.vault.text])
        #expect(try await again.store.acceptRecords(of: ada.vault, audit: again.audit, reason: "test"))
        let later = try reopened()
        #expect(try await later.store.damagedVaults().isEmpty)
        let errors = [
            await thrown { try await later.principal(session.token) },
            await thrown { try await later.principal(robot) },
        ]
        #expect(errors[0] as? AuthError == .badToken)
        #expect(errors[1] as? AuthError == .tokenRefused("suspended"))
        let principal = try await later.principal(try await later.login(ada).token)
        _ = try await later.entries.create(.login(), id: nil, as: principal)
        #expect(try await later.verification().findings == [])
        let lines = try await later.trail.lines(before: nil, limit: 100, as: principal).items
        #expect(lines.contains { $0.event.action == .auditAccept })
    }

    /// Otherwise each start would verify the whole log.
    @Test(arguments: [
        "UPDATE vault_state SET digest = zeroblob(32) WHERE vault = x'%'", "DELETE FROM vault_state WHERE vault = x'%'",
        "INSERT INTO vault_state VALUES (randomblob(16), 1, randomblob(32))",
    ])
    func anAcceptedStateIsVerifiedAtTheNextStart(_ sql: String) async throws {
        try node.file().script(sql.replacing("%", with: ada.vault.bytes.hex))
        let again = try reopened()
        let damaged = try await again.store.damagedVaults()
        #expect(damaged.count == 1)
        for (vault, finding) in damaged {
            let isThere = try await again.store.acceptRecords(of: vault, audit: again.audit, reason: finding)
            #expect(isThere == (vault == ada.vault))
        }
        let later = try reopened()
        #expect(later.damaged.all == [])
        _ = try await later.login(ada)
        #expect(try await later.verification().findings == [])
    }

    @Test func aVaultWithoutItsAccountIsNotAccepted() async throws {
        try node.file().script("PRAGMA foreign_keys = OFF; DELETE FROM account WHERE vault = x'\(ada.vault.bytes.hex)'")
        let again = try reopened()
        let error = await thrown {
            try await again.store.acceptRecords(of: ada.vault, audit: again.audit, reason: "test")
        }
        #expect(isDamage(error))
        _ = try await again.login(bob)
    }
}
