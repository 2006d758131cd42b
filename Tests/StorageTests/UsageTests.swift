import Auth
import SQLite
import Storage
import TestSupport
import Testing
import Vault
import VaultFormat

/// Usage counters, compared with the size of rows.
@Suite(.timeLimit(.minutes(5))) struct UsageTests {
    let node: TestVault
    let owner: Principal

    init() async throws {
        node = try TestVault()
        owner = try await node.owner()
    }

    struct Rows: CustomTestStringConvertible {
        let testDescription: String
        /// 20,000 rows of minimum size.
        let sql: String
    }

    private static let numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"
    private static let id = "CAST(printf('%016d', i) AS BLOB)"

    @Test(arguments: [
        Rows(
            testDescription: "values",
            sql: """
                INSERT INTO value \(numbers) SELECT randomblob(16), \(id), 0, 1, vault, 1, 1, 1800000000, \(id), 0, x'00'
                FROM n, account
                """),
        Rows(
            testDescription: "wraps",
            sql: """
                PRAGMA foreign_keys = OFF;
                INSERT INTO wrap \(numbers) SELECT holder.id, randomblob(16), \(id), 0, 1, 1, x'00' FROM n, holder
                """),
        Rows(
            testDescription: "sealed wraps",
            sql: """
                PRAGMA foreign_keys = OFF;
                INSERT INTO wrap \(numbers) SELECT holder.id, randomblob(16), \(id), 0, 1, 1, zeroblob(1200) FROM n, holder
                """),
        Rows(
            testDescription: "values just too long for their place",
            sql: """
                INSERT INTO value \(numbers) SELECT randomblob(16), \(id), 0, 1, vault, 1, 1, 1800000000, \(id), 0, zeroblob(2000)
                FROM n, account
                """),
        Rows(
            testDescription: "values just too long for a page",
            sql: """
                INSERT INTO value \(numbers) SELECT randomblob(16), \(id), 0, 1, vault, 1, 1, 1800000000, \(id), 0, zeroblob(9150)
                FROM n, account
                """),
        Rows(
            testDescription: "entries",
            sql: """
                INSERT INTO entry \(numbers)
                SELECT NULL, randomblob(16), vault, 1, 0, 1800000000, 1800000000, NULL, NULL, zeroblob(39) FROM n, account
                """),
        Rows(
            testDescription: "terms",
            sql: """
                PRAGMA foreign_keys = OFF;
                INSERT INTO term \(numbers) SELECT vault, randomblob(16), \(id) FROM n, account
                """),
        Rows(
            testDescription: "idempotency records",
            sql: "INSERT INTO answer \(numbers) SELECT holder.id, randomblob(32), x'00', 1800000000 FROM n, holder"),
    ])
    func smallRowsAreCountedByTheirSize(_ rows: Rows) async throws {
        func size() throws -> Int {
            try node.count("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
        }
        let (before, used) = (try size(), try await node.store.usage(of: owner.vault)[.bytes])
        try node.file().script(rows.sql)
        let grown = Double(try size() - before)
        let counted = Double(try await node.store.usage(of: owner.vault)[.bytes] - used)
        // A B-tree's pages are two thirds full when rows come in no order.
        #expect((0.75...2).contains(counted / grown), "\(counted / 20_000) bytes counted, \(grown / 20_000) taken")
    }

    /// `bytesAtRest` equals the triggers' counters and an agent's daily bytes.
    @Test func anAgentsDailyBytesIncludeAllOfItsChange() async throws {
        let entry = try await node.entries.create(.login(tags: ["t"]), id: nil, as: owner)
        var agents: [TestAgent] = []
        for _ in 0..<3 {
            agents.append(
                try await node.agent(
                    grants: [.entry(entry.id)], policy: AgentPolicy(verbs: [.read, .write, .deposit]), as: owner))
        }
        let agent = try await node.principal(agents[0])
        func used() async throws -> Int { try await node.store.usage(of: owner.vault)[.bytes] }
        func charged() throws -> Int { try node.count("SELECT MAX(quota_bytes) FROM agent") }
        var before = try await used()
        let request = IdempotencyRecords.Request(key: "k", content: [])
        _ = try await node.entries.deposit(.login(), as: agent) { [node] _ in
            [node.idempotency.record(of: [1], to: request, as: agent)]
        }
        let deposit = (try await used() - before, try charged())
        before = try await used()
        // The owner's wrap and two agents' sealed ones stand beside the value; wraps of the old version go.
        _ = try await node.entries.update(
            entry.id, ifVersion: 1, .value("new", of: entry.field("password")), as: agent)
        let update = (try await used() - before, try charged() - deposit.1)
        #expect(deposit.0 == deposit.1)
        #expect(update.0 < update.1 && update.1 > 4_000)
    }

    @Test(arguments: ["bytes = bytes - 1", "entries = 0", "fields = fields + 1"])
    func theVerificationFindsAWrongCounter(_ change: String) async throws {
        _ = try await node.entries.create(.login(tags: ["t"]), id: nil, as: owner)
        let before = try await node.verification().findings
        try node.file().script("UPDATE usage SET \(change)")
        let after = try await node.verification().findings
        #expect(before == [])
        #expect(after.count == 1)
    }

    /// Audit lines are permanent, so each is charged by its size.
    @Test func anAuditLineIsChargedByItsSize() async throws {
        var options = TestVault.Options()
        options.quotas[.operationsPerDay] = 1_000
        let node = try TestVault(options)
        let owner = try await node.owner()
        let fields = (0..<64).map { EntryEdit.Field(label: "\($0)", kind: .text, content: .value("v")) }
        let entry = try await node.entries.create(
            EntryEdit(title: "e", type: .login, tags: ["a"], fields: fields), id: nil, as: owner)
        for _ in 0..<8 { _ = try await node.agent(grants: [.tag("a")], as: owner) }
        _ = try await node.agent(grants: [.tag("b")], as: owner)
        var (version, refusal) = (1, nil as (any Error)?)
        while refusal == nil, version < 500 {
            refusal = await thrown {
                _ = try await node.entries.update(
                    entry.id, ifVersion: version, EntryEdit(tags: version % 2 == 1 ? ["a", "b"] : ["a"]), as: owner)
            }
            version += 1
        }
        guard case .tooManyOperations? = refusal as? VaultError else {
            Issue.record("ended with \(String(describing: refusal))")
            return
        }
        let bytes = try node.count("SELECT SUM(LENGTH(body)) FROM audit")
        #expect(version > 10)
        #expect(bytes < 1_000 * 2 * AuditEvent.bytesPerOperation)
    }

    /// Finding old versions takes time linear in their number.
    @Test func findingOldVersionsTakesLinearTime() async throws {
        func steps(_ versions: Int) async throws -> Int {
            try node.file().script(
                """
                DELETE FROM value WHERE tier = 1;
                WITH RECURSIVE f(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM f WHERE i < 64),
                    n(v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM n WHERE v < \(versions))
                INSERT INTO value SELECT e.id, CAST(printf('%016d', i) AS BLOB), 0, v, e.vault, 1, v = \(versions), 0, x'00', 0, x'00'
                FROM f, n, entry e;
                UPDATE entry SET version = \(versions + 60);
                """)
            let database = node.store.database
            let before = try await database.read(lasting: .long) { $0.machineSteps }
            _ = try await node.store.history(of: owner.vault, beyond: 50, before: 0, limit: 1)
            return try await database.read(lasting: .long) { $0.machineSteps } - before
        }
        _ = try await node.entries.create(.login(), id: nil, as: owner)
        _ = try await steps(60)
        let (once, fourfold) = (try await steps(60), try await steps(240))
        #expect(fourfold < 6 * once, "\(once) and \(fourfold)")
    }

    @Test func deletedRowsAreNoLongerCounted() async throws {
        let empty = try await node.store.usage(of: owner.vault)
        let request = IdempotencyRecords.Request(key: "k", content: [])
        let entry = try await node.entries.create(
            .login(urls: ["https://example.org"], tags: ["a", "b"]), id: nil, as: owner
        ) { [node, owner] _ in [node.idempotency.record(of: [1], to: request, as: owner)] }
        let robot = try await node.agent(
            grants: [.tag("a")], policy: AgentPolicy(verbs: [.deposit]), as: owner)
        let agent = try await node.principal(robot)
        let deposit = try await node.entries.deposit(.login(), as: agent) { [node] _ in
            [node.idempotency.record(of: [1], to: request, as: agent)]
        }
        let full = try await node.store.usage(of: owner.vault)
        try await node.agents.revoke(robot.id, as: owner)
        try await node.entries.reject(deposit, as: owner)
        try await node.entries.trash(entry.id, ifVersion: nil, as: owner)
        try await node.entries.purge(entry.id, as: owner)
        node.moments.advance(by: IdempotencyRecords.lifetime + 1)
        try await node.store.sweep(sessionIdle: .max / 2, audit: node.audit)
        let after = try await node.store.usage(of: owner.vault)
        #expect(full[.bytes] > empty[.bytes] + 2_000)
        // The agent's name, which stays: a value and the owner's wrap.
        let name =
            try node.count("SELECT SUM(length(box)) FROM value") + RowSize.value
            + node.count("SELECT SUM(length(box)) FROM wrap") + RowSize.wrap
        #expect(after[.bytes] == empty[.bytes] + name && name < 700)
        for quota in Quota.allCases where quota != .bytes { #expect(after[quota] == empty[quota]) }
    }

    /// An owner's versions are kept despite an agent's writes, whoever prunes them, also after the agent's revocation.
    @Test(arguments: [false, true]) func anAgentsWritesPushOutNoOwners(isRevoked: Bool) async throws {
        var options = TestVault.Options()
        options.quotas[.versions] = 5
        let node = try TestVault(options)
        let owner = try await node.owner()
        let entry = try await node.entries.create(.login(tags: ["t"]), id: nil, as: owner)
        let field = entry.field("password")
        let robot = try await node.agent(grants: [.tag("t")], policy: AgentPolicy(verbs: [.write]), as: owner)
        let agent = try await node.principal(robot)
        for version in 1...20 {
            _ = try await node.entries.update(entry.id, ifVersion: version, .value("\(version)", of: field), as: agent)
        }
        if isRevoked { try await node.agents.revoke(robot.id, as: owner) }
        for version in 21...23 {
            _ = try await node.entries.update(
                entry.id, ifVersion: version, EntryEdit(notes: "\(version)"), as: owner)
        }
        let expiring = try await node.store.history(of: owner.vault, beyond: 5, before: 0, limit: 100)
        #expect(!expiring.contains { $0.version == 1 })
        let first = try await node.entries.read(field, of: entry.id, at: 1, as: owner)
        #expect(first.content == .value("hunter2"))
        // His own versions do, beyond those that are kept.
        for version in 24...34 {
            _ = try await node.entries.update(
                entry.id, ifVersion: version, .value("own \(version)", of: field), as: owner)
        }
        let gone = await thrown { try await node.entries.read(field, of: entry.id, at: 1, as: owner) }
        #expect(gone as? VaultError == .noSuchVersion)
        #expect(try node.count("SELECT count(DISTINCT version) FROM value WHERE tier = 1 AND version > 24") <= 6)
    }

    /// However often an agent writes, the owner's versions can be restored.
    @Test func anAgentsWritesDisplaceItsOwnVersions() async throws {
        var options = TestVault.Options()
        options.quotas[.versions] = 5
        let node = try TestVault(options)
        let owner = try await node.owner()
        let entry = try await node.entries.create(.login(tags: ["t"]), id: nil, as: owner)
        let field = entry.field("password")
        let robot = try await node.agent(
            grants: [.tag("t")], policy: AgentPolicy(verbs: [.write]), as: owner)
        let agent = try await node.principal(robot)
        for version in 1...20 {
            _ = try await node.entries.update(entry.id, ifVersion: version, .value("\(version)", of: field), as: agent)
        }
        let kept = try node.count("SELECT count(*) FROM value WHERE version > 1")
        let expiring = try await node.store.history(of: owner.vault, beyond: 5, before: 0, limit: 100)
        let restored = try await node.entries.restore(entry.id, to: 1, ifVersion: 21, envelopes: [:], as: owner)
        let value = try await node.value(field, of: entry.id, as: owner)
        #expect(kept == 6)
        #expect(expiring == [])
        #expect(restored.version == 22)
        #expect(value == "hunter2")
    }
}
