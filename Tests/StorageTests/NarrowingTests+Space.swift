import Files
import IPNetworks
import SQLite
import Storage
import Synchronization
import TestSupport
import Testing
import Vault
import VaultFormat

/// Narrowing in full vaults and on full disks.
extension NarrowingTests {
    @Test func aFullVaultIsNarrowed() async throws {
        await #expect(throws: VaultError.quotaExceeded(.bytes, 1 << 20)) {
            while true { _ = try await fill(60_000) }
        }
        await #expect(throws: VaultError.quotaExceeded(.bytes, 1 << 20)) { while true { _ = try await fill(100) } }
        let grants: [Grant] = [.entry(bank.id, [bank.field("password")]), .tag("work", Self.labels)]
        _ = try await perform(Change(testDescription: "fields", narrows: true, grants: { _ in grants }))
        _ = try await node.entries.update(bank.id, ifVersion: 1, EntryEdit(tags: []), as: owner)
        #expect(try await node.store.places(of: robot.id, in: owner.vault).filter { $0.entry == bank.id }.count == 3)
    }

    /// Repeated narrowing changes cannot grow a vault without bound.
    @Test func narrowingIsBoundedByAQuota() async throws {
        let tags = (0..<60).map { "\($0)" }
        let notes = String(repeating: "n", count: 60_000)
        let entry = try await node.entries.create(
            EntryEdit(title: "t", type: .note, tags: tags, notes: notes), id: nil, as: owner)
        await #expect(throws: VaultError.quotaExceeded(.bytes, (1 << 20) / 8 * 9)) {
            for count in 1..<60 {
                _ = try await node.entries.update(
                    entry.id, ifVersion: count, EntryEdit(tags: Array(tags.dropLast(count))), as: owner)
            }
        }
        try await node.entries.trash(entry.id, ifVersion: nil, as: owner)
    }

    private func fill(_ length: Int) async throws -> EntryView {
        let value = String(repeating: "v", count: length)
        return try await node.entries.create(.login("large", ["x": value]), id: nil, as: owner)
    }

    /// A narrowing change that writes many pages to the WAL.
    struct Large: CustomTestStringConvertible {
        var testDescription: String
        /// Whether it requires no more than moving to the trash.
        var isSmall = false
        var narrow: @Sendable (NarrowingTests, EntryView) async throws -> Void
    }

    private static func edit(
        _ name: String, isSmall: Bool = false, _ edit: @escaping @Sendable (EntryView) -> EntryEdit
    ) -> Large {
        Large(testDescription: name, isSmall: isSmall) {
            _ = try await $0.node.entries.update($1.id, ifVersion: 1, edit($1), as: $0.owner)
        }
    }

    private static let large = [
        edit("one tag fewer", isSmall: true) { EntryEdit(tags: $0.details?.tags.dropLast()) },
        edit("no tags") { _ in EntryEdit(tags: []) },
        edit("no URLs") { _ in EntryEdit(urls: []) },
        edit("neither, and no notes") { _ in EntryEdit(urls: [], tags: [], notes: "") },
        edit("one field fewer") { EntryEdit(fields: [.init(id: $0.fields[3].id, isRemoved: true)]) },
        edit("no fields") { _ in EntryEdit(replacesFields: true) },
        Large(testDescription: "an agent's grants", isSmall: true) { test, _ in
            let agents = try await test.node.agents.list(as: test.owner).items.filter { $0.name == "large" }
            for agent in agents.prefix(3) {
                _ = try await test.node.agents.update(
                    agent.id, name: nil, grants: [.tag("0", ["1"])], policy: nil, isPaused: nil, as: test.owner)
            }
        },
    ]

    /// The space that is left suffices for others to sign in and to revoke.
    @Test(arguments: large) func aNarrowingLeavesReservedSpace(_ example: Large) async throws {
        var options = TestVault.Options()
        options.quotas[.agents] = 100
        let test = try await NarrowingTests(options)
        let entry = try await test.node.entries.create(
            EntryEdit(
                title: "t", type: .note,
                urls: (0..<64).map { number in
                    "https://\((0..<9).map { "l\(number)k\($0)" }.joined(separator: ".")).example.com"
                }, tags: (0..<64).map { "\($0)" }, notes: String(repeating: "n", count: 30_000),
                fields: (0..<60).map { .init(label: "\($0)", kind: .text, content: .value("v")) }), id: nil,
            as: test.owner)
        for _ in 0..<12 { _ = try await test.node.agent("large", grants: [.tag("0")], as: test.owner) }
        try test.fill()
        test.node.health.note(.damaged)
        let floor: Int64 = 7 << 19
        var room = floor
        while true {
            _ = try await test.node.store.database.truncateWAL(ignoringBackOff: true)
            let before = test.log
            test.node.disk.free = room
            let error = await thrown { try await example.narrow(test, entry) }
            let written = test.log - before
            guard error == nil else {
                #expect(error as? VaultError == .readOnly("disk-full"))
                #expect(written == 0)
                guard room < 64 << 20 else { return _ = Issue.record("it is refused with any amount of space") }
                room += 256 << 10
                continue
            }
            #expect(room - written >= 3 << 20)
            if example.isSmall { #expect(room <= floor + 512 << 10) }
            return
        }
    }

    /// Adds rows as in a large file, so that rows of one entry are on different pages.
    private func fill() throws {
        let file = try node.file()
        try file.script(
            """
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
            INSERT INTO term SELECT vault, randomblob(16), randomblob(16) FROM n, account;
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000)
            INSERT INTO wrap SELECT holder, randomblob(16), randomblob(16), 0, 1, 1, zeroblob(300) FROM n, agent;
            """)
    }

    /// When each part waits for a truncation of the WAL, a revocation waits for one part only.
    @Test(arguments: [(40 << 20, true, 12), (40 << 20, false, 100), (1 << 30, true, 100)] as [(Int64, Bool, Int)])
    func anUrgentChangeWaitsForOnePartOnly(_ free: Int64, _ isWaiting: Bool, _ dropped: Int) async throws {
        let entry = try await node.entries.create(
            EntryEdit(
                title: "t", type: .note, tags: ["many"],
                fields: (0..<110).map { .init(label: "\($0)", kind: .text, content: .value("v")) }), id: nil, as: owner)
        let agent = try await node.agent(grants: [.tag("many")], as: owner)
        let places = try await node.store.places(of: agent.id, in: owner.vault).sorted { $0.field < $1.field }
        node.disk.free = free
        let parts = Parts()
        let isDone = try await node.store.drop(Array(places.prefix(100)), of: agent.id) { [node, owner] count in
            try node.audit.seal(AuditEvent(.agentUpdate, by: .init(.node)), vault: owner.vault)
        } hasUrgentWaiter: {
            parts.next() > 0 && isWaiting
        }
        let left = try await node.store.places(of: agent.id, in: owner.vault)
        #expect(isDone == (dropped == 100))
        #expect(places.count - left.count == dropped)
        #expect(left.allSatisfy { $0.entry == entry.id })
    }

    private final class Parts: Sendable {
        private let count = Mutex(0)
        /// The number of earlier calls.
        func next() -> Int {
            count.withLock { count in
                defer { count += 1 }
                return count
            }
        }
    }

    private var log: Int64 { Int64(FileStatus.size("\(node.path)-wal") ?? 0) }

    @Test(arguments: [(3_600 << 10, true), (3_500 << 10, false)] as [(Int64, Bool)])
    func belowTheTrashLimitOnlyPausingWorks(_ free: Int64, _ goes: Bool) async throws {
        node.health.note(.diskFull)
        node.disk.free = free
        let change = Change(testDescription: "less", narrows: true, policy: { $0.maxUses = 1 })
        let error = await thrown { try await perform(change) }
        #expect((error == nil) == goes)
        if !goes { #expect(error as? VaultError == .readOnly("disk-full")) }
        // No revocation failed: titles can be read, and pausing the agent works.
        _ = try await node.entries.list(limit: 5, as: owner)
        let paused = try await node.agents.update(
            robot.id, name: nil, grants: nil, policy: nil, isPaused: true, as: owner)
        #expect(paused.state == .paused)
    }
}
