import Auth
import Crypto
import Files
import SQLite
import Storage
import TestSupport
import Testing
import Vault
import VaultFormat

/// Operations on a full disk, and the space reserved for revocations.
@Suite struct FullDiskTests {
    let node: TestVault
    let person = Person()
    let owner: Principal

    init() async throws {
        node = try TestVault()
        owner = try await node.owner(person)
    }

    private static let diskFull = VaultError.readOnly(NodeHealth.Fault.diskFull.rawValue)

    private func log() throws -> Int64 { Int64(FileStatus.size("\(node.path)-wal") ?? 0) }

    /// Creates an entry of L1 values, for granting to agents.
    private func shared(_ count: Int) async throws -> EntryView {
        let fields = (0..<count).map {
            EntryEdit.Field(label: "\($0)", kind: .text, tier: .l1, content: .value("v"))
        }
        return try await node.entries.create(
            EntryEdit(title: "shared", type: .note, fields: fields), id: nil, as: owner)
    }

    /// Creates an entry of L2 values of `length` bytes.
    private func entry(_ count: Int, of length: Int) async throws -> EntryView {
        let id = EntryID.random()
        var writer = L2Writer(person, entry: id)
        // As many as one entry may have, and not padded, so that the length is exact.
        let fields = (0..<min(count, EntryLimits.l2 / (length + Box.overhead))).map { number in
            let place = FieldPlace(vault: owner.vault, entry: id, field: .random(), tier: .l2, version: 1)
            let value = [UInt8](repeating: 7, count: length)
            let box = Box.seal(value, key: writer.key.fieldKey(place.field), context: place.valueContext, keyID: 1)
            writer.key.fields[place.field] = 1
            return EntryEdit.Field(id: place.field, label: "\(number)", tier: .l2, content: .envelope(box))
        }
        return try await node.entries.create(
            EntryEdit(title: "large", type: .note, fields: fields, l2: writer.write), id: id, as: owner)
    }

    private func places(_ entry: EntryView) -> [FieldPlace] {
        entry.fields.map {
            FieldPlace(vault: owner.vault, entry: entry.id, field: $0.id, tier: .l2, version: 1)
        }
    }

    /// Measures the bytes that a commit requires to be free, and the bytes that it writes to the WAL.
    private func measure(_ steps: [Mutation]) async throws -> (room: Int64, written: Int64) {
        _ = try await node.store.database.truncateWAL(ignoringBackOff: true)
        var room: Int64 = 0
        while true {
            node.disk.free = room
            do {
                let event = AuditEvent(.entryPurge, by: .init(.owner))
                try await node.store.commit(steps, [try node.audit.seal(event, vault: owner.vault)])
                return (room, try log())
            } catch VaultError.readOnly {
                let written = try log()
                #expect(written == 0)
                room += 1 << 18
            }
        }
    }

    /// Sizes around the one from which a secret box has overflow pages.
    private static let sizes = [60, 1_000, 1_850, 1_950, 2_100, 7_900, 8_200, 16_300, 16_500, 60_000]

    private func expectRoomLeft(_ measured: (room: Int64, written: Int64)) {
        // Below 256 KiB no free space is required.
        #expect(measured.written < 1 << 19 || measured.room - measured.written > 6 << 20, "\(measured)")
    }

    @Test(arguments: sizes) func aDeletionLeavesSpace(_ size: Int) async throws {
        let entry = try await entry(100, of: size)
        try await expectRoomLeft(measure([.deleteEntry(entry.id)]))
    }

    @Test(arguments: sizes) func pruningHistoryLeavesSpace(_ size: Int) async throws {
        let entry = try await entry(100, of: size)
        let removals = entry.fields.map { EntryEdit.Field(id: $0.id, isRemoved: true) }
        _ = try await node.entries.update(entry.id, ifVersion: 1, EntryEdit(fields: removals), as: owner)
        try await expectRoomLeft(measure([.deleteValues(places(entry))]))
    }

    @Test(arguments: sizes) func smallerEnvelopesLeaveSpace(_ size: Int) async throws {
        let entry = try await entry(100, of: size)
        let small = Box.seal([1], key: SymmetricKey(size: .bits256), context: Context("value"), keyID: 2)
        try await expectRoomLeft(measure(places(entry).map { .replaceEnvelope($0, small) }))
    }

    /// Terms are ordered by their hashes: in a vault of many entries nearly each is on a page of its own.
    @Test func searchTermsAreCounted() async throws {
        let edit = EntryEdit(
            title: "large", type: .note, urls: (0..<64).map { "https://a.b.c.d.e.f.g\($0).example.org" },
            tags: (0..<64).map { "tag \($0)" })
        let entry = try await node.entries.create(edit, id: nil, as: owner)
        let other = try await node.entries.create(.login(), id: nil, as: owner)
        try await node.sabotage(
            """
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150000)
            INSERT INTO term SELECT e.vault, randomblob(length(t.term)), e.id FROM n, entry e,
                (SELECT term FROM term LIMIT 1) t WHERE hex(e.id) = '\(hex(other.id.bytes))'
            """)
        let measured = try await measure([.deleteEntry(entry.id)])
        #expect(measured.written > 1 << 20)
        expectRoomLeft(measured)
    }

    private func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }.joined()
    }

    /// Moving to the trash deletes every agent's wraps.
    @Test func agentsWrapsAreCounted() async throws {
        let entry = try await shared(60)
        for number in 0..<24 { _ = try await node.agent("\(number)", grants: [.entry(entry.id)], as: owner) }
        let measured = try await measure([
            .updateEntry(
                EntryRow(
                    id: entry.id, vault: owner.vault, version: 1, state: .trashed, created: entry.created,
                    updated: entry.updated, deleted: node.moments.now)),
            .dropAgentWraps(entry.id, nil, owner: owner.holder.id, vault: owner.vault),
        ])
        #expect(measured.written > 1 << 18)
        expectRoomLeft(measured)
    }

    /// On a full disk a revoked agent's wraps are deleted in parts, with the WAL truncated between them.
    @Test func wrapsAreDeletedInPartsAfterARevocation() async throws {
        let entry = try await shared(100)
        let agent = try await node.agent(grants: [.entry(entry.id)], as: owner)
        let left = { [node] in
            try node.count("SELECT count(*) FROM wrap WHERE holder NOT IN (SELECT owner FROM account)")
        }
        node.health.note(.diskFull)
        _ = await node.store.limitWAL(true)
        node.disk.free = 1 << 20
        let reader = try node.file()
        try reader.run("BEGIN")
        _ = try reader.first("SELECT count(*) FROM wrap") { $0.int(0) }
        // A reader prevents the truncation: the rest is left.
        try await node.agents.revoke(agent.id, as: owner)
        let held = try log()
        try reader.run("COMMIT")
        #expect(held < 1 << 19)
        #expect(try left() > 0)
        try await node.store.deleteAbandonedHolders()
        #expect(try left() == 0)
    }

    /// While space is low a closed account is erased in parts, in every mode.
    @Test(arguments: [NodeHealth.Fault.diskFull, .damaged]) func aClosedAccountIsErasedInParts(
        _ fault: NodeHealth.Fault
    ) async throws {
        for number in 0..<12 {
            let request = IdempotencyRecords.Request(key: "k\(number)", content: [])
            let answer = [UInt8](repeating: 7, count: 300_000)
            try await node.store.commit(
                [node.idempotency.record(of: answer, to: request, as: owner)], [])
        }
        node.health.note(fault)
        let vault = owner.vault
        let event = AuditEvent(.accountDelete, by: .init(.owner))
        try await node.store.commit([.closeAccount(vault)], [try node.audit.seal(event, vault: vault)])
        // Without space for one part nothing is deleted, and the account stays closed.
        node.disk.free = 800 << 10
        await node.store.erase(vault)
        #expect(try node.count("SELECT count(*) FROM answer") == 12)
        #expect(try node.count("SELECT count(*) FROM account") == 1)
        _ = try await node.store.database.truncateWAL(ignoringBackOff: true)
        let reader = try node.file()
        try reader.run("BEGIN")
        _ = try reader.first("SELECT count(*) FROM answer") { $0.int(0) }
        node.disk.free = 4 << 20
        await node.store.erase(vault)
        let held = try log()
        try reader.run("COMMIT")
        // A reader prevents the truncation: one part is deleted, and the rest is left.
        #expect(held < 1 << 20)
        #expect(try node.count("SELECT count(*) FROM answer") == 11)
        // It is retried after a few seconds.
        await node.store.erase(vault)
        #expect(try node.count("SELECT count(*) FROM account") == 0)
    }

    /// A sweep without expired sessions continues with the failure counts.
    @Test func aSweepRunsOnAFullDisk() async throws {
        for _ in 0..<3 {
            await #expect(throws: (any Error).self) { try await node.login(Person(password: "wrong")) }
        }
        #expect(try node.count("SELECT count(*) FROM abuse") > 0)
        node.health.note(.diskFull)
        node.disk.free = 1 << 20
        node.moments.advance(by: 30 * 86_400)
        try await node.store.sweep(sessionIdle: 86_400, audit: node.audit)
        #expect(try node.count("SELECT count(*) FROM abuse") == 0)
        #expect(try node.count("SELECT count(*) FROM credential WHERE kind = 'session'") == 0)
    }

    /// A successful revocation allows the vault's reads again, although the disk is still full.
    @Test func aSuccessfulRevocationUnblocksReads() async throws {
        var agents: [TestAgent] = []
        for number in 0..<8 { agents.append(try await node.agent("\(number)", grants: [.tag("t")], as: owner)) }
        _ = try await node.entries.create(.login(tags: ["t"]), id: nil, as: owner)
        let reader = try await node.principal(agents[7])
        node.health.note(.diskFull)
        node.disk.free = 3 << 20
        for agent in agents.prefix(5) { try await node.agents.revoke(agent.id, as: owner) }
        node.disk.free = 400 << 10
        await #expect(throws: Self.diskFull) { try await node.agents.revoke(agents[5].id, as: owner) }
        node.disk.free = 9 << 20
        await #expect(throws: Self.diskFull) { try await node.entries.list(limit: 5, as: owner) }
        await #expect(throws: Self.diskFull) { try await node.entries.list(limit: 5, as: reader) }
        try await node.agents.revoke(agents[5].id, as: owner)
        let listed = try await node.entries.list(limit: 5, as: reader).entries
        #expect(listed.count == 1)
    }

    /// Below the sign-in limit an owner without a session can revoke nothing, so titles are refused too.
    @Test func titlesAreRefusedWhereSignInsAre() async throws {
        let entry = try await node.entries.create(.login(tags: ["t"]), id: nil, as: owner)
        let agent = try await node.principal(try await node.agent(grants: [.tag("t")], as: owner))
        node.health.note(.diskFull)
        for principal in [owner, agent] {
            node.disk.free = 2 << 20
            _ = try await node.entries.list(limit: 5, as: principal)
            _ = try await node.entries.view(entry.id, as: principal)
            node.disk.free = (2 << 20) - 1
            await #expect(throws: Self.diskFull) { try await node.entries.list(limit: 5, as: principal) }
            await #expect(throws: Self.diskFull) {
                try await node.entries.search(.init(text: "Bank"), limit: 5, as: principal)
            }
            await #expect(throws: Self.diskFull) { try await node.entries.view(entry.id, as: principal) }
        }
        let signIn = await thrown { try await node.login(person) }
        #expect(signIn != nil)
    }
}
