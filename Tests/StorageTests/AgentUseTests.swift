import Auth
import IPNetworks
import OneTimePasswords
import SQLite
import TestSupport
import Testing
import Vault
import VaultFormat

/// Enforcement of agents' policies by a running node.
@Suite struct AgentUseTests {
    let node: TestVault
    let owner: Principal
    let entry: EntryView
    let field: FieldID

    init() async throws {
        node = try TestVault()
        owner = try await node.owner()
        entry = try await node.entries.create(
            EntryEdit(
                title: "Bank",
                fields: [
                    .init(label: "password", content: .value("hunter2")),
                    .init(label: "seed", kind: .totp, content: .value("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")),
                ]), id: nil, as: owner)
        field = entry.field("password")
    }

    func agent(_ policy: AgentPolicy) async throws -> TestAgent {
        try await node.agent(grants: [.entry(entry.id)], policy: policy, as: owner)
    }

    func read(_ robot: TestAgent, from address: IPAddress? = TestVault.home) async -> (any Error)? {
        await thrown {
            try await node.value(field, of: entry.id, as: try await node.principal(robot, from: address))
        }
    }

    @Test(.timeLimit(.minutes(15))) func ofAHundredConcurrentReadsExactlyTenSucceed() async throws {
        let robot = try await agent(AgentPolicy(maxUses: 10))
        let principal = try await node.principal(robot)
        let errors = await withTaskGroup(of: (any Error)?.self) { group in
            for _ in 0..<100 {
                group.addTask { [node, field, entry] in
                    await thrown { try await node.value(field, of: entry.id, as: principal) }
                }
            }
            return await group.reduce(into: [(any Error)?]()) { $0.append($1) }
        }
        let lines = try await node.events(as: owner).count { $0.action == .valueRead && $0.actor.id == robot.id.text }
        let uses = try await node.agents.view(robot.id, as: owner).uses
        #expect(errors.count { $0 == nil } == 10)
        #expect(errors.count { $0 as? VaultError == .usesExhausted } == 90)
        #expect(lines == 10)
        #expect(uses == 10)
    }

    @Test func everyKindOfUseCounts() async throws {
        let robot = try await agent(AgentPolicy(verbs: [.read, .write, .deposit, .totp], maxUses: 4))
        let principal = try await node.principal(robot)
        _ = try await node.value(field, of: entry.id, as: principal)
        _ = try await node.entries.code(entry.field("seed"), of: entry.id, as: principal)
        _ = try await node.entries.update(entry.id, ifVersion: 1, .value("b", of: field), as: principal)
        _ = try await node.entries.deposit(.login(), as: principal)
        await #expect(throws: VaultError.usesExhausted) { try await node.value(field, of: entry.id, as: principal) }
    }

    @Test func aFailedUseIsNotCounted() async throws {
        let robot = try await agent(AgentPolicy(maxUses: 1))
        let principal = try await node.principal(robot)
        _ = await thrown { try await node.value(.random(), of: entry.id, as: principal) }
        let value = try await node.value(field, of: entry.id, as: principal)
        #expect(value == "hunter2")
    }

    @Test func theOwnerCanRaiseTheMaximum() async throws {
        let robot = try await agent(AgentPolicy(maxUses: 1))
        _ = await read(robot)
        let before = await read(robot)
        _ = try await node.agents.update(
            robot.id, name: nil, grants: nil, policy: { $0 = AgentPolicy(maxUses: 2) }, isPaused: nil, as: owner)
        let after = await read(robot)
        #expect(before as? VaultError == .usesExhausted)
        #expect(after == nil)
    }

    struct Case: CustomTestStringConvertible {
        var testDescription: String
        var policy: AgentPolicy
        var after: Int64 = 0
        var from = IPAddress("192.0.2.7")
        var refusal: String?
    }

    @Test(arguments: [
        Case(testDescription: "not yet", policy: AgentPolicy(notBefore: Moments().now + 1), refusal: "not-yet"),
        Case(testDescription: "just now", policy: AgentPolicy(notBefore: Moments().now), refusal: nil),
        Case(testDescription: "just before its end", policy: AgentPolicy(expiresAt: Moments().now + 1), refusal: nil),
        Case(
            testDescription: "expired", policy: AgentPolicy(expiresAt: Moments().now + 1), after: 1,
            refusal: "expired"),
        Case(testDescription: "in its network", policy: AgentPolicy(cidr: [IPNetwork("192.0.2.0/24")!]), refusal: nil),
        Case(testDescription: "elsewhere", policy: AgentPolicy(cidr: [IPNetwork("10.0.0.0/8")!]), refusal: "network"),
        Case(
            testDescription: "from nowhere", policy: AgentPolicy(cidr: [IPNetwork("192.0.2.0/24")!]), from: nil,
            refusal: "network"),
    ])
    func theTokenIsAcceptedAsItsPolicyAllows(_ example: Case) async throws {
        let robot = try await agent(example.policy)
        node.moments.advance(by: example.after)
        let error = await read(robot, from: example.from)
        #expect(error as? AuthError == example.refusal.map(AuthError.tokenRefused))
        if let refusal = example.refusal {
            let event = try await node.events(as: owner).first
            #expect(event?.action == .denied && event?.reason == refusal && event?.actor.id == robot.id.text)
        }
    }

    /// The policy changes between request and commit.
    @Test(arguments: ["verbs", "end", "network", "uses", "same", "time"])
    func thePolicyAtTheCommitApplies(_ change: String) async throws {
        let robot = try await agent(
            AgentPolicy(verbs: [.read, .write, .deposit], expiresAt: node.moments.now + 60))
        let principal = try await node.principal(robot)
        let now = node.moments.now
        if change == "time" {
            node.moments.advance(by: 60)
        } else {
            let narrow: @Sendable (inout AgentPolicy) -> Void = { policy in
                switch change {
                case "verbs": policy.verbs = [.read]
                case "end": policy.expiresAt = now + 1
                case "network": policy.cidr = [IPNetwork("10.0.0.0/8")!]
                default: policy.maxUses = 1
                }
            }
            _ = try await node.agents.update(
                robot.id, name: "new name", grants: nil, policy: change == "same" ? nil : narrow, isPaused: nil,
                as: owner)
        }
        let expected = change == "same" ? nil : VaultError.principalGone
        let write = await thrown {
            try await node.entries.update(entry.id, ifVersion: 1, .value("x", of: field), as: principal)
        }
        #expect(write as? VaultError == expected)
        let deposit = await thrown { try await node.entries.deposit(.login(), as: principal) }
        #expect(deposit as? VaultError == expected)
        guard change != "time" else { return }
        let read = await thrown { try await node.value(field, of: entry.id, as: principal) }
        #expect(read as? VaultError == expected)
    }

    /// Concurrent changes do not undo each other.
    @Test func twoConcurrentPolicyChangesBothApply() async throws {
        let robot = try await agent(AgentPolicy())
        try await withThrowingTaskGroup { group in
            for number in 0..<20 {
                group.addTask {
                    _ = try await node.agents.update(
                        robot.id, name: nil, grants: nil,
                        policy: { $0.cidr.append(IPNetwork("10.0.\(number).0/24")!) }, isPaused: nil, as: owner)
                }
            }
            try await group.waitForAll()
        }
        #expect(try await node.agents.view(robot.id, as: owner).policy.cidr.count == 20)
    }

    /// Reads with the old token during the rotation are counted too.
    @Test func aRotationLosesNoUse() async throws {
        let robot = try await agent(AgentPolicy(maxUses: 1_000))
        let principal = try await node.principal(robot)
        let (reads, rotated) = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    var count = 0
                    while await thrown({ try await node.value(field, of: entry.id, as: principal) }) == nil {
                        count += 1
                    }
                    return count
                }
            }
            while try await node.agents.view(robot.id, as: owner).uses < 8 {}
            let rotated = try await node.rotate(robot, as: owner)
            return (try await group.reduce(0, +), rotated)
        }
        #expect(try await node.agents.view(rotated.id, as: owner).uses == reads)
    }

    /// A used-up token does not use its vault's operations.
    @Test func aUsedUpTokenUsesNoOperation() async throws {
        var options = TestVault.Options()
        options.quotas[.operationsPerDay] = 20
        let node = try TestVault(options)
        let owner = try await node.owner()
        let robot = try await node.agent(
            grants: [], policy: AgentPolicy(verbs: [.deposit], maxUses: 1), as: owner)
        let principal = try await node.principal(robot)
        _ = try await node.entries.deposit(.login(), as: principal)
        for _ in 0..<50 {
            let refused = await thrown { try await node.entries.deposit(.login(), as: principal) }
            #expect(refused as? VaultError == .usesExhausted)
        }
        _ = try await node.agent(grants: [], policy: AgentPolicy(verbs: [.deposit]), as: owner)
    }

    struct Verbs: CustomTestStringConvertible {
        var verbs: Set<AgentPolicy.Verb>
        /// Expected permissions: read, code, write, deposit.
        var may: [Bool]
        var testDescription: String { verbs.map(\.rawValue).sorted().joined(separator: " and ") }
    }

    @Test(arguments: [
        Verbs(verbs: [.read], may: [true, true, false, false]),
        Verbs(verbs: [.totp], may: [false, true, false, false]),
        Verbs(verbs: [.write], may: [false, false, true, false]),
        Verbs(verbs: [.deposit], may: [false, false, false, true]),
        Verbs(verbs: [.read, .deposit], may: [true, true, false, true]),
    ])
    func verbsAreEnforced(_ example: Verbs) async throws {
        let principal = try await node.principal(try await agent(AgentPolicy(verbs: example.verbs)))
        let errors = [
            await thrown { try await node.value(field, of: entry.id, as: principal) },
            await thrown { try await node.entries.code(entry.field("seed"), of: entry.id, as: principal) },
            await thrown {
                try await node.entries.update(entry.id, ifVersion: 1, .value("b", of: field), as: principal)
            },
            await thrown { try await node.entries.deposit(.login(), as: principal) },
        ]
        let needed: [AgentPolicy.Verb] = [.read, .totp, .write, .deposit]
        #expect(errors.map { $0 == nil } == example.may)
        for (error, verb) in zip(errors, needed) where error != nil {
            #expect(error as? VaultError == .verbMissing(verb))
        }
    }

    @Test func aCodeIsReadWithoutItsSeed() async throws {
        let principal = try await node.principal(try await agent(AgentPolicy(verbs: [.totp])))
        let (code, period, expiresIn) = try await node.entries.code(entry.field("seed"), of: entry.id, as: principal)
        let generator = try #require(TOTP("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"))
        #expect(code == generator.code(at: node.moments.now))
        #expect(period == 30 && expiresIn == 30 - node.moments.now % 30)
        await #expect(throws: VaultError.notATOTPSeed) {
            try await node.entries.code(field, of: entry.id, as: principal)
        }
    }

    @Test func aPolicyOfAnotherAgentIsNotOpened() async throws {
        // An attacker with the file copies the policy of another agent.
        let narrow = try await agent(AgentPolicy(expiresAt: node.moments.now + 1))
        let wide = try await agent(AgentPolicy(verbs: [.read, .write]))
        try node.file().script(
            """
            UPDATE agent SET policy = (SELECT policy FROM agent WHERE id = x'\(wide.id.bytes.hex)')
            WHERE id = x'\(narrow.id.bytes.hex)'
            """)
        let error = await read(narrow)
        #expect(isDamage(error))
    }
}
