import Auth
import IPNetworks
import SQLite
import Synchronization
import TestSupport
import Testing
import Vault
import VaultFormat

/// Revocation works despite damage, and its report is complete.
@Suite(.timeLimit(.minutes(5))) struct RevocationTests {
    let node: TestVault
    let owner: Principal
    let entry: EntryView
    let field: FieldID
    let robot: TestAgent

    init() async throws {
        node = try TestVault()
        owner = try await node.owner()
        entry = try await node.entries.create(.login(), id: nil, as: owner)
        field = entry.field("password")
        robot = try await node.agent(grants: [.entry(entry.id)], as: owner)
    }

    private func works() async -> Bool { await thrown { try await node.principal(robot) } == nil }

    struct Damage: CustomTestStringConvertible {
        var testDescription: String
        var sql: String
    }

    private static let damages = [
        Damage(testDescription: "a line of the log", sql: "UPDATE audit SET body = x'00' WHERE sequence = 3"),
        Damage(testDescription: "every line of the log", sql: "UPDATE audit SET body = zeroblob(length(body))"),
        Damage(
            testDescription: "the agent's record",
            sql: "UPDATE value SET box = zeroblob(200) WHERE entry = (SELECT id FROM agent)"),
        Damage(
            testDescription: "the key of its record",
            sql: "DELETE FROM wrap WHERE entry = (SELECT id FROM agent)"),
        Damage(
            testDescription: "its public key",
            sql: "UPDATE holder SET public_key = x'' WHERE id = (SELECT holder FROM agent)"),
        Damage(
            testDescription: "the row of another key holder",
            sql: "INSERT INTO holder (id, vault, public_key) SELECT x'00', vault, x'' FROM account"),
        Damage(testDescription: "a place of its own", sql: "UPDATE value SET tier = 77 WHERE tier = 1"),
    ]

    @Test(arguments: damages) func revocationWorksDespiteDamage(_ damage: Damage) async throws {
        _ = try await node.value(field, of: entry.id, as: try await node.principal(robot))
        try node.file().script(damage.sql)
        try await node.agents.revoke(robot.id, as: owner)
        let error = await thrown { try await node.principal(robot) }
        let rows = try node.count(
            """
            SELECT (SELECT count(*) FROM agent) + (
                SELECT count(*) FROM holder WHERE id NOT IN (SELECT owner FROM account) AND length(id) = 16)
            """
        )
        #expect(error as? AuthError == .badToken)
        #expect(rows == 0)
    }

    @Test(arguments: damages) func pausingWorksDespiteDamage(_ damage: Damage) async throws {
        try node.file().script(damage.sql)
        // The response may be an error about the damage, but the token must be rejected.
        _ = await thrown {
            try await node.agents.update(
                robot.id, name: nil, grants: nil, policy: nil, isPaused: true, as: owner)
        }
        let state = try node.count("SELECT state FROM agent")
        let works = await works()
        #expect(state == StoredAgent.State.paused.rawValue)
        #expect(!works)
    }

    @Test func theReportStatesWhatItCouldNotRead() async throws {
        _ = try await node.value(field, of: entry.id, as: try await node.principal(robot))
        let whole = try await node.trail.disclosures(of: robot.id, as: owner)
        try node.file().script("UPDATE audit SET body = x'00' WHERE sequence = 3")
        let ended = try await node.agents.revoke(robot.id, as: owner)
        let report = try await node.trail.disclosures(of: ended, as: owner)
        #expect(whole.isComplete)
        #expect(!report.isComplete)
        #expect(report.didRead.map(\.field) == [field.text])
        #expect(Set(report.canRead.map(\.field)) == Set(entry.fields.map(\.id)))
    }

    /// Each completed read is in the report, also with concurrent readers.
    @Test func noReadIsMissingFromTheReport() async throws {
        let agent = try await node.principal(robot)
        let (answered, report) = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask { [node, entry, field] in
                    var count = 0
                    while await thrown({ try await node.value(field, of: entry.id, as: agent) }) == nil { count += 1 }
                    return count
                }
            }
            try await until(try node.count("SELECT count(*) FROM audit") >= 100)
            let ended = try await node.agents.revoke(robot.id, as: owner)
            let report = try await node.trail.disclosures(of: ended, as: owner)
            return (try await group.reduce(0, +), report)
        }
        #expect(answered > 50)
        #expect(report.didRead.reduce(0) { $0 + $1.count } == answered)
    }

    @Test func theReportIncludesReadsOfRotatedTokens() async throws {
        _ = try await node.value(field, of: entry.id, as: try await node.principal(robot))
        let second = try await node.rotate(robot, as: owner)
        _ = try await node.value(field, of: entry.id, as: try await node.principal(second))
        _ = try await node.value(field, of: entry.id, as: try await node.principal(second))
        let third = try await node.rotate(second, as: owner)
        let other = try await node.agent("other", grants: [.entry(entry.id)], as: owner)
        _ = try await node.value(field, of: entry.id, as: try await node.principal(other))
        let report = try await node.trail.disclosures(of: third.id, as: owner)
        #expect(report.didRead.map(\.count) == [3])
    }

    /// A request that is in progress when its principal ends returns nothing.
    @Test func aPrincipalEndedMeanwhileGetsNothing() async throws {
        let agent = try await node.principal(robot)
        _ = try await node.agents.update(
            robot.id, name: nil, grants: nil, policy: nil, isPaused: true, as: owner)
        let errors = [
            await thrown { try await node.value(field, of: entry.id, as: agent) },
            await thrown { try await node.entries.list(limit: 10, as: agent) },
            await thrown { try await node.entries.search(.init(text: "a"), limit: 10, as: agent) },
            await thrown { try await node.entries.view(entry.id, as: agent) },
        ]
        #expect(errors.map { $0 as? VaultError } == Array(repeating: .principalGone, count: 4))
    }

    /// The agent's current token, and the number of completed reads.
    private final class Race: Sendable {
        private let state: Mutex<(agent: TestAgent, answered: Int, isOver: Bool)>
        init(_ agent: TestAgent) { state = Mutex((agent, 0, false)) }
        var agent: TestAgent { state.withLock { $0.agent } }
        var answered: Int { state.withLock { $0.answered } }
        var isOver: Bool { state.withLock { $0.isOver } }
        func took(_ agent: TestAgent) { state.withLock { $0.agent = agent } }
        func read() { state.withLock { $0.answered += 1 } }
        func end() { state.withLock { $0.isOver = true } }
    }

    /// With concurrent reads and rotations the last report includes the reads of all tokens.
    @Test func noReadIsMissingAfterRotations() async throws {
        let race = Race(robot)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask { [node, entry, field] in
                    while !race.isOver {
                        // An old token fails immediately; yield to the rotation.
                        await Task.yield()
                        guard let agent = try? await node.principal(race.agent) else { continue }
                        if await thrown({ try await node.value(field, of: entry.id, as: agent) }) == nil { race.read() }
                    }
                }
            }
            defer { race.end() }
            for _ in 0..<8 {
                // Each token reads something.
                let before = race.answered
                await until(race.answered >= before + 3)
                race.took(try await node.rotate(race.agent, as: owner))
            }
        }
        let report = try await node.trail.disclosures(of: race.agent.id, as: owner)
        #expect(report.didRead.reduce(0) { $0 + $1.count } == race.answered)
    }

    /// The agent has used up the day's operations.
    @Test func aTokenIsRotatedWithoutOperationsLeft() async throws {
        var options = TestVault.Options()
        options.quotas[.operationsPerDay] = 20
        let node = try TestVault(options)
        let owner = try await node.owner()
        let entry = try await node.entries.create(.login(), id: nil, as: owner)
        let robot = try await node.agent(grants: [.entry(entry.id)], as: owner)
        let agent = try await node.principal(robot)
        while await thrown({ try await node.value(entry.field("password"), of: entry.id, as: agent) }) == nil {}
        _ = try await node.rotate(robot, as: owner)
    }

    /// Also a large agent, whose audit line costs more than one operation. A refused rotation leaves nothing behind.
    @Test func aLargeAgentIsRotatedWithoutOperationsLeftAndARefusalLeavesNothing() async throws {
        var options = TestVault.Options()
        options.quotas[.operationsPerDay] = 300
        let node = try TestVault(options)
        let owner = try await node.owner()
        let edit = EntryEdit(
            title: "Large",
            fields: (0..<100).map { .init(label: "field \($0)", kind: .secret, content: .value("x")) })
        let entry = try await node.entries.create(edit, id: nil, as: owner)
        var robot = try await node.agent(grants: [.entry(entry.id)], as: owner)
        while await thrown({ try await node.value(entry.field("field 1"), of: entry.id, as: owner) }) == nil {}
        robot = try await node.rotate(robot, as: owner)
        let agent = try await node.principal(robot)
        _ = await thrown { try await node.value(entry.field("field 2"), of: entry.id, as: agent) }
        var refusal: (any Error)?
        var before = (holders: 0, wraps: 0)
        while refusal == nil {
            before = (try node.count("SELECT count(*) FROM holder"), try node.count("SELECT count(*) FROM wrap"))
            refusal = await thrown { robot = try await node.rotate(robot, as: owner) }
        }
        guard case .tooManyOperations? = refusal as? VaultError else {
            Issue.record("\(String(describing: refusal))")
            return
        }
        #expect(try node.count("SELECT count(*) FROM holder") == before.holders)
        #expect(try node.count("SELECT count(*) FROM wrap") == before.wraps)
    }

    @Test func codesAreInTheReport() async throws {
        let seeded = try await node.entries.create(
            EntryEdit(
                title: "2FA", type: .login,
                fields: [.init(label: "seed", kind: .totp, content: .value("JBSWY3DPEHPK3PXP"))]), id: nil, as: owner)
        let seed = seeded.field("seed")
        let agent = try await node.agent(
            "codes", grants: [.entry(seeded.id)], policy: AgentPolicy(verbs: [.totp]), as: owner)
        for _ in 0..<3 { _ = try await node.entries.code(seed, of: seeded.id, as: try await node.principal(agent)) }
        let report = try await node.trail.disclosures(of: agent.id, as: owner)
        #expect(report.didRead.map(\.codes) == [3])
        #expect(report.didRead.map(\.count) == [0])
    }

    /// A rejected token cannot list anything.
    @Test(arguments: ["used up", "paused", "expired", "suspended", "not yet", "elsewhere"])
    func anInvalidTokenListsNothing(_ state: String) async throws {
        let policy: AgentPolicy =
            switch state {
            case "used up": AgentPolicy(maxUses: 1)
            case "expired": AgentPolicy(expiresAt: node.moments.now + 10)
            case "not yet": AgentPolicy(notBefore: node.moments.now + 100)
            case "elsewhere": AgentPolicy(cidr: [.init("10.0.0.0/8")!])
            default: AgentPolicy()
            }
        let agent = try await node.agent("short", grants: [.entry(entry.id)], policy: policy, as: owner)
        if state == "used up" { _ = try await node.value(field, of: entry.id, as: try await node.principal(agent)) }
        if state == "paused" || state == "suspended" {
            try node.file().script("UPDATE agent SET state = \(state == "paused" ? 1 : 2)")
        }
        node.moments.advance(by: 20)
        let error = await thrown { try await node.principal(agent) }
        #expect(error != nil)
    }
}
