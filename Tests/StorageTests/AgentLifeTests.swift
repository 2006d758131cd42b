import Auth
import SQLite
import Storage
import TestSupport
import Testing
import Vault
import VaultFormat

@Suite struct AgentLifeTests {
    let node: TestVault
    let owner: Principal
    let entry: EntryView
    let robot: TestAgent

    init() async throws {
        node = try TestVault()
        owner = try await node.owner()
        entry = try await node.entries.create(.login(tags: ["work"]), id: nil, as: owner)
        robot = try await node.agent(grants: [.tag("work")], policy: AgentPolicy(maxUses: 5), as: owner)
    }

    func reads(_ robot: TestAgent) async -> (any Error)? {
        await thrown {
            try await node.value(entry.field("password"), of: entry.id, as: try await node.principal(robot))
        }
    }

    @Test func anAgentsRecordIsNotAnEntry() async throws {
        let node = try TestVault()
        let owner = try await node.owner()
        let robot = try await node.agent(grants: [], policy: AgentPolicy(verbs: [.deposit]), as: owner)
        let error = await thrown { try await node.entries.versions(of: .record(of: robot.id), as: owner) }
        #expect(error as? VaultError == .noSuchEntry)
    }

    @Test func anAgentIsListedAsCreated() async throws {
        let agent = try await node.agents.view(robot.id, as: owner)
        #expect(agent.name == "robot" && agent.state == .active && agent.uses == 0)
        #expect(agent.grants == [.tag("work")])
        #expect(agent.policy == AgentPolicy(maxUses: 5))
        #expect(agent.created == node.moments.now)
    }

    @Test func aRevokedAgentIsDeletedWithItsRows() async throws {
        try await node.agents.revoke(robot.id, as: owner)
        let error = await reads(robot)
        let left = try node.file().first(
            """
            SELECT (SELECT count(*) FROM holder WHERE id = ?1) + (SELECT count(*) FROM agent WHERE id = ?2)
                + (SELECT count(*) FROM wrap WHERE holder = ?1) + (SELECT count(*) FROM credential WHERE holder = ?1)
                + (SELECT count(*) FROM value WHERE entry = ?2 AND author = ?2)
            """, .blob(robot.holder.id.bytes), .blob(robot.id.bytes)
        ) { $0.int(0) }
        #expect(error as? AuthError == .badToken)
        #expect(left == 0)
        await #expect(throws: VaultError.noSuchAgent) { try await node.agents.view(robot.id, as: owner) }
    }

    /// Its writes keep its name.
    @Test func aRevokedAgentsNameIsKept() async throws {
        let other = try await node.agent("other", grants: [], policy: AgentPolicy(verbs: [.deposit]), as: owner)
        let rotated = try await node.rotate(robot, as: owner)
        _ = try await node.agents.update(
            rotated.id, name: "renamed", grants: nil, policy: nil, isPaused: nil, as: owner)
        try await node.agents.revoke(rotated.id, as: owner)
        let ids: Set = [robot.id, rotated.id, other.id, owner.id, PrincipalID.random()]
        let expected = [robot.id: "renamed", other.id: "other"]
        #expect(try await node.agents.names(of: ids, as: owner) == expected)
        // A record is not an entry, and no entry can take its id, or the owner's.
        for id in [robot.id, owner.id] {
            let error = await thrown { try await node.entries.create(.login(), id: .record(of: id), as: owner) }
            #expect(error as? VaultError == .entryExists)
        }
        let foreign = try await node.owner(Person("b@example.org"))
        #expect(try await node.agents.names(of: ids, as: foreign).isEmpty)
    }

    /// An agent with a damaged record can be revoked, and the remaining record shows that it was an agent.
    @Test func aDamagedAgentIsNamedByItsID() async throws {
        try node.file().script("UPDATE value SET box = x'00' WHERE entry = x'\(robot.id.bytes.hex)'")
        try await node.agents.revoke(robot.id, as: owner)
        #expect(try await node.agents.names(of: [robot.id], as: owner) == [robot.id: robot.id.text])
    }

    @Test func revokingUsesNoSpace() async throws {
        let before = try await node.store.usage(of: owner.vault)[.bytes]
        try await node.agents.revoke(robot.id, as: owner)
        #expect(try await node.store.usage(of: owner.vault)[.bytes] < before)
    }

    @Test func anExpiryInThePastIsRefused() async throws {
        let past = AgentPolicy(expiresAt: node.moments.now)
        let refusal = VaultError.invalid("expiresAt", "must be in the future")
        await #expect(throws: refusal) { try await node.agent(grants: [.tag("x")], policy: past, as: owner) }
        await #expect(throws: refusal) {
            try await node.agents.update(
                robot.id, name: nil, grants: nil, policy: { $0 = past }, isPaused: nil, as: owner)
        }
        let brief = try await node.agent(
            grants: [.tag("x")], policy: AgentPolicy(expiresAt: node.moments.now + 1), as: owner)
        node.moments.advance(by: 1)
        // An expired agent can still be renamed.
        let renamed = try await node.agents.update(
            brief.id, name: "new", grants: nil,
            policy: { $0.verbs = [.read, .totp] },
            isPaused: nil, as: owner)
        #expect(renamed.condition(at: node.moments.now) == .expired)
    }

    @Test func itsConditionMatchesItsTokensAcceptance() async throws {
        func condition(_ change: (inout AgentView) -> Void) async throws -> AgentView.Condition {
            var agent = try await node.agents.view(robot.id, as: owner)
            change(&agent)
            return agent.condition(at: 1_000)
        }
        #expect(try await condition { _ in } == .active)
        #expect(try await condition { $0.uses = 5 } == .usedUp)
        #expect(try await condition { $0.policy.expiresAt = 1_000 } == .expired)
        #expect(try await condition { $0.policy.expiresAt = 1_001 } == .active)
        #expect(try await condition { $0.policy.notBefore = 1_001 } == .notYet)
        #expect(try await condition { $0.policy.notBefore = 1_000 } == .active)
        #expect(try await condition { ($0.state, $0.policy.expiresAt) = (.paused, 1) } == .paused)
        #expect(try await condition { $0.state = .suspended } == .suspended)
    }

    @Test func revokingNeedsNoFreshSession() async throws {
        node.moments.advance(by: 3_600)
        try await node.agents.revoke(robot.id, as: owner)
    }

    @Test func aRotationMovesAllAccessToTheNewToken() async throws {
        _ = await reads(robot)
        let renewed = try await node.rotate(robot, as: owner)
        let old = await reads(robot)
        let new = await reads(renewed)
        let agent = try await node.agents.view(renewed.id, as: owner)
        let wraps = try node.file().first("SELECT count(*) FROM wrap WHERE holder = ?", .blob(robot.holder.id.bytes)) {
            $0.int(0)
        }
        #expect(old as? AuthError == .badToken)
        #expect(new == nil)
        #expect(renewed.id == robot.id)
        #expect(agent.name == "robot" && agent.grants == [.tag("work")] && agent.policy == AgentPolicy(maxUses: 5))
        #expect(agent.uses == 2, "rotating does not give uses back")
        #expect(wraps == 0)
    }

    @Test func aRotationIsLoggedWithTheNewKeyHolder() async throws {
        let renewed = try await node.rotate(robot, as: owner)
        let event = try await node.events(as: owner).first
        #expect(event?.action == .agentRotate && event?.subject == robot.id.text)
        #expect(event?.holder == renewed.holder.id.text)
    }

    @Test func aPausedAgentIsRefusedUntilResumed() async throws {
        node.moments.advance(by: 3_600)
        _ = try await node.agents.update(robot.id, name: nil, grants: nil, policy: nil, isPaused: true, as: owner)
        let paused = await reads(robot)
        #expect(paused as? AuthError == .tokenRefused("paused"), "pausing needs no fresh session")
        await #expect(throws: VaultError.reauthenticate) {
            try await node.agents.update(robot.id, name: nil, grants: nil, policy: nil, isPaused: false, as: owner)
        }
        let fresh = try await node.principal(try await node.login(Person()).token)
        _ = try await node.agents.update(robot.id, name: nil, grants: nil, policy: nil, isPaused: false, as: fresh)
        let error = await reads(robot)
        #expect(error == nil)
    }

    @Test func aRotatedPausedAgentStaysPaused() async throws {
        _ = try await node.agents.update(robot.id, name: nil, grants: nil, policy: nil, isPaused: true, as: owner)
        let error = await reads(try await node.rotate(robot, as: owner))
        #expect(error as? AuthError == .tokenRefused("paused"))
    }

    @Test func aRenamedAgentKeepsItsAccess() async throws {
        _ = try await node.agents.update(robot.id, name: "other", grants: nil, policy: nil, isPaused: nil, as: owner)
        let agent = try await node.agents.view(robot.id, as: owner)
        let error = await reads(robot)
        #expect(agent.name == "other" && agent.grants == [.tag("work")])
        #expect(error == nil)
    }

    @Test func agentsCannotManageAgents() async throws {
        let agent = try await node.principal(robot)
        let errors = [
            await thrown { try await node.agents.list(as: agent) },
            await thrown { try await node.agents.view(robot.id, as: agent) },
            await thrown { try await node.agent(grants: [.tag("work")], as: agent) },
            await thrown { try await node.rotate(robot, as: agent) },
            await thrown { try await node.agents.revoke(robot.id, as: agent) },
            await thrown {
                try await node.agents.update(robot.id, name: "x", grants: nil, policy: nil, isPaused: nil, as: agent)
            },
            await thrown { try await node.trail.lines(before: nil, limit: 1, as: agent) },
            await thrown { try await node.trail.disclosures(of: robot.id, as: agent) },
        ]
        #expect(errors.allSatisfy { $0 as? VaultError == .ownerOnly })
    }

    @Test func anotherOwnersAgentIsNotFound() async throws {
        let bob = try await node.owner(Person("bob@example.org"))
        let errors = [
            await thrown { try await node.agents.view(robot.id, as: bob) },
            await thrown { try await node.agents.revoke(robot.id, as: bob) },
            await thrown { try await node.rotate(robot, as: bob) },
        ]
        let error = await reads(robot)
        #expect(errors.allSatisfy { $0 as? VaultError == .noSuchAgent })
        #expect(error == nil)
    }

    @Test func foreignEntriesCannotBeGranted() async throws {
        let bob = try await node.owner(Person("bob@example.org"))
        await #expect(throws: VaultError.noSuchEntry) { try await node.agent(grants: [.entry(entry.id)], as: bob) }
        await #expect(throws: VaultError.noSuchField) {
            try await node.agent(grants: [.entry(entry.id, [.random()])], as: owner)
        }
    }

    /// In pages of two thousand, each exactly once.
    @Test func disclosuresOfThousandsAreComplete() async throws {
        var fields: Set<FieldID> = []
        for _ in 0..<20 {
            let labels = (0..<110).map { EntryEdit.Field(label: "\($0)", kind: .text, content: .value("v")) }
            let entry = try await node.entries.create(
                EntryEdit(title: "e", type: .login, tags: ["many"], fields: labels), id: nil, as: owner)
            fields.formUnion(entry.fields.map(\.id))
        }
        let wide = try await node.agent("wide", grants: [.tag("many")], as: owner)
        let found = try await node.trail.disclosures(of: wide.id, as: owner)
        #expect(found.isComplete && found.canRead.count == 2_200 && Set(found.canRead.map(\.field)) == fields)
        let ended = try await node.agents.revoke(wide.id, as: owner)
        #expect(ended.places == found.canRead)
        #expect(try await node.verification().findings.isEmpty)
    }

    /// What a crash leaves of a revoked agent opens nothing, gets no new keys, and is deleted at the next start.
    @Test func aLeftoverKeyHolderGetsNothing() async throws {
        let file = try node.file()
        try file.script(
            """
            CREATE TEMP TABLE h AS SELECT * FROM holder WHERE id NOT IN (SELECT owner FROM account);
            CREATE TEMP TABLE w AS SELECT * FROM wrap WHERE holder IN (SELECT id FROM h);
            """)
        try await node.agents.revoke(robot.id, as: owner)
        #expect(try node.count("SELECT count(*) FROM wrap WHERE holder NOT IN (SELECT owner FROM account)") == 0)
        try file.script("INSERT INTO holder SELECT * FROM h; INSERT INTO wrap SELECT * FROM w")
        let changed = try await node.entries.update(
            entry.id, ifVersion: 1, .value("new", of: entry.field("password")), as: owner)
        #expect(changed.version == 2)
        let sealed = try node.count(
            "SELECT count(*) FROM wrap WHERE holder NOT IN (SELECT owner FROM account) AND version = 2")
        #expect(sealed == 0)
        try await node.store.deleteAbandonedHolders()
        #expect(try node.count("SELECT count(*) FROM holder") == 1)
    }

    @Test func aRotationWorksInAFullVault() async throws {
        var options = TestVault.Options()
        options.quotas[.bytes] = try await node.store.usage(of: owner.vault)[.bytes] + 100
        let full = try TestVault(opening: node.scratch, root: node.root, moments: node.moments, options)
        var last = robot
        for _ in 0..<5 { last = try await full.rotate(last, as: owner) }
        #expect(try await full.store.usage(of: owner.vault)[.bytes] <= options.quotas[.bytes])
        #expect(try await full.agents.names(of: [last.id], as: owner) == [robot.id: "robot"])
        #expect(try await full.verification().findings == [])
    }

    /// Earlier records are deleted: they use no space and cannot be restored.
    @Test func onlyItsNewestRecordIsKept() async throws {
        for number in 0..<5 {
            _ = try await node.agents.update(
                robot.id, name: "name \(number)", grants: nil, policy: nil, isPaused: nil, as: owner)
        }
        #expect(try node.count("SELECT count(*) FROM value WHERE entry IN (SELECT id FROM agent)") == 1)
        #expect(try await node.agents.view(robot.id, as: owner).name == "name 4")
        #expect(try await node.verification().findings == [])
    }

    @Test func disclosuresListWhatItCanAndDidRead() async throws {
        let field = entry.field("password")
        _ = await reads(robot)
        node.moments.advance(by: 30)
        _ = await reads(robot)
        let found = try await node.trail.disclosures(of: robot.id, as: owner)
        #expect(Set(found.canRead.map(\.field)) == [field, entry.field("username")])
        #expect(found.didRead.map(\.field) == [field.text])
        #expect(found.didRead.first?.count == 2)
        #expect(found.didRead.first?.lastAt == node.moments.now)
    }
}
