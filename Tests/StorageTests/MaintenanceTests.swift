import Auth
import SQLite
import Storage
import TestSupport
import Testing
import Vault
import VaultFormat

/// Maintenance of the file.
@Suite struct MaintenanceTests {
    let node: TestVault
    let owner: Principal

    init() async throws {
        node = try TestVault()
        owner = try await node.owner()
    }

    @Test func aSweepDeletesWhatHasExpired() async throws {
        let request = IdempotencyRecords.Request(key: "k", content: [])
        try await node.store.commit(
            [node.idempotency.record(of: [1], to: request, as: owner)], [])
        node.moments.advance(by: IdempotencyRecords.lifetime - 1)
        try await node.store.sweep(sessionIdle: 999_999, audit: node.audit)
        let kept = try node.count("SELECT count(*) FROM answer")
        node.moments.advance(by: 2)
        try await node.store.sweep(sessionIdle: 100, audit: node.audit)
        let left = try node.count(
            "SELECT (SELECT count(*) FROM answer) + (SELECT count(*) FROM credential WHERE kind = 'session')")
        #expect(kept == 1)
        #expect(left == 0)
    }

    @Test func aSweepTruncatesWhatAReaderPrevented() async throws {
        let entry = try await node.entries.create(.login(), id: nil, as: owner)
        let boxes = try node.file().all("SELECT box FROM value") { $0.blob(0) }
        let reader = try Connection(path: node.path, access: .readOnly)
        try reader.run("BEGIN")
        _ = try reader.first("SELECT count(*) FROM value") { $0.int(0) }
        try await node.entries.trash(entry.id, ifVersion: nil, as: owner)
        try await node.entries.purge(entry.id, as: owner)
        let underReader = try node.scratch.everything(beginning: TestVault.name)
        try reader.run("COMMIT")
        try await node.store.sweep(sessionIdle: 86_400, audit: node.audit)
        let after = try node.scratch.everything(beginning: TestVault.name)
        #expect(boxes.contains { underReader.holds($0) }, "or the test shows nothing")
        #expect(boxes.allSatisfy { !after.holds($0) })
    }

    /// Expired failure counts are deleted on a full disk too, in any number.
    @Test func expiredFailuresAreSwept() async throws {
        try await node.sabotage(
            """
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
            INSERT INTO abuse SELECT randomblob(16), 1000, 0, i FROM n;
            """)
        node.health.note(.diskFull)
        node.moments.advance(by: 2_000 - node.moments.now)
        try await node.store.sweep(sessionIdle: 86_400, audit: node.audit)
        // One row is from the registration.
        let left = try node.count("SELECT count(*) FROM abuse WHERE at = 0")
        #expect(left == 1_001)
    }

    @Test func aKeyHolderOfAnInterruptedChangeIsDeleted() async throws {
        let entry = try await node.entries.create(.login(), id: nil, as: owner)
        let orphan = HolderKey.generate()
        let row = HolderRow(
            id: orphan.id, vault: owner.vault, principal: owner.id,
            publicKey: try orphan.storedPublicKey(vault: owner.vault, of: owner.id, keys: node.keys))
        try await node.store.commit([.insertHolder(row)], [])
        try await node.store.deleteAbandonedHolders()
        let holders = try node.file().all("SELECT id FROM holder") { $0.blob(0) }
        let value = try await node.value(entry.field("password"), of: entry.id, as: owner)
        #expect(holders == [owner.holder.id.bytes])
        #expect(value == "hunter2")
    }

    @Test func afterARootKeyRotationNothingNeedsTheOldKey() async throws {
        let entry = try await node.entries.create(.login(tags: ["work"]), id: nil, as: owner)
        let robot = try await node.agent(
            grants: [.tag("work")], policy: AgentPolicy(verbs: [.read, .write, .deposit]), as: owner)
        let agent = try await node.principal(robot)
        // Sealed wraps of all kinds: by the owner to the agent, by the agent to the owner.
        _ = try await node.entries.update(entry.id, ifVersion: 1, .value("b", of: entry.field("username")), as: agent)
        _ = try await node.entries.update(entry.id, ifVersion: 2, .value("c", of: entry.field("password")), as: owner)
        let deposit = try await node.entries.deposit(.login("Left"), as: agent)
        let both = node.root.adding()
        let rotation = RootKeyRotation(node.store, root: both, audit: node.audit)
        let before = try await rotation.remaining()
        let renewed = try await rotation.run()
        let after = try await rotation.remaining()
        let again = try await rotation.run()
        let moved = try TestVault(opening: node.scratch, root: both.retiringOthers(), moments: node.moments)
        let newOwner = try await moved.principal(try await moved.login(Person()).token)
        let values = [
            try await moved.value(entry.field("username"), of: entry.id, as: newOwner),
            try await moved.value(entry.field("password"), of: entry.id, as: try await moved.principal(robot)),
        ]
        let accepted = try await moved.entries.accept(deposit, as: newOwner)
        let findings = try await moved.verification().findings
        #expect(before == renewed && before > 10)
        #expect(after == 0 && again == 0)
        #expect(values == ["b", "c"])
        #expect(accepted.title == "Left")
        #expect(findings == [])
        #expect(throws: RootBoxError.self) {
            try TestVault(opening: node.scratch, root: node.root, moments: node.moments)
        }
    }
}
