import Auth
import SQLite
import TestSupport
import Testing
import Vault

@Suite struct AgentLifeTests {
    let node: TestVault
    let owner: Caller
    let entry: EntryView
    let robot: TestAgent

    init() async throws {
        node = try TestVault()
        owner = try await node.owner()
        entry = try await node.entries.create(.login(tags: ["work"]), id: nil, as: owner)
        robot = try await node.agent(grants: [.tag("work")], policy: AgentPolicy(maxUses: 5), as: owner)
    }

    private func reads(_ robot: TestAgent) async -> (any Error)? {
        await thrown { try await node.value(entry.field("password"), of: entry.id, as: try await node.caller(robot)) }
    }

    @Test func itsRecordIsNoEntryWithAHistory() async throws {
        let node = try TestVault()
        let owner = try await node.owner()
        let robot = try await node.agent(grants: [], policy: AgentPolicy(verbs: [.deposit]), as: owner)
        let error = await thrown { try await node.entries.versions(of: .record(of: robot.id), as: owner) }
        #expect(error as? VaultError == .noSuchEntry)
    }

    @Test func anAgentIsSeenAsItWasMade() async throws {
        let agent = try await node.roster.view(robot.id, as: owner)
        #expect(agent.name == "robot" && agent.state == .active && agent.uses == 0)
        #expect(agent.grants == [.tag("work")])
        #expect(agent.policy == AgentPolicy(maxUses: 5))
        #expect(agent.created == node.moments.now)
    }

    @Test func aRevokedOneIsGoneWithAllItHad() async throws {
        try await node.roster.revoke(robot.id, as: owner)
        let error = await reads(robot)
        let id = Value.blob(robot.id.bytes)
        let left = try node.file().first(
            """
            SELECT (SELECT count(*) FROM holder WHERE id = ?1) + (SELECT count(*) FROM agent WHERE holder = ?1)
                + (SELECT count(*) FROM wrap WHERE holder = ?1) + (SELECT count(*) FROM credential WHERE holder = ?1)
                + (SELECT count(*) FROM value WHERE entry = ?1)
            """, id
        ) { $0.int(0) }
        #expect(error as? AuthError == .badToken)
        #expect(left == 0)
        await #expect(throws: VaultError.noSuchAgent) { try await node.roster.view(robot.id, as: owner) }
    }

    @Test func revokingNeedsNoFreshSession() async throws {
        node.moments.advance(by: 3_600)
        try await node.roster.revoke(robot.id, as: owner)
    }

    @Test func aRotatedOnesOldTokenOpensNothingAndItsNewOneAllItDid() async throws {
        _ = await reads(robot)
        let renewed = try await node.rotate(robot, as: owner)
        let old = await reads(robot)
        let new = await reads(renewed)
        let agent = try await node.roster.view(renewed.id, as: owner)
        let wraps = try node.file().first("SELECT count(*) FROM wrap WHERE holder = ?", .blob(robot.id.bytes)) {
            $0.int(0)
        }
        #expect(old as? AuthError == .badToken)
        #expect(new == nil)
        #expect(agent.name == "robot" && agent.grants == [.tag("work")] && agent.policy == AgentPolicy(maxUses: 5))
        #expect(agent.uses == 2, "rotating does not give uses back")
        #expect(wraps == 0)
    }

    @Test func aRotationIsOnRecordWithBothHolders() async throws {
        let renewed = try await node.rotate(robot, as: owner)
        let event = try await node.events(as: owner).first
        #expect(event?.action == .agentRotate && event?.subject == robot.id.text && event?.successor == renewed.id.text)
    }

    @Test func aPausedOneWaitsAndGoesOn() async throws {
        node.moments.advance(by: 3_600)
        _ = try await node.roster.update(robot.id, name: nil, grants: nil, policy: nil, isPaused: true, as: owner)
        let paused = await reads(robot)
        #expect(paused as? AuthError == .tokenRefused("paused"), "pausing needs no fresh session")
        await #expect(throws: VaultError.reauthenticate) {
            try await node.roster.update(robot.id, name: nil, grants: nil, policy: nil, isPaused: false, as: owner)
        }
        let fresh = try await node.caller(try await node.login(Person()).token)
        _ = try await node.roster.update(robot.id, name: nil, grants: nil, policy: nil, isPaused: false, as: fresh)
        let error = await reads(robot)
        #expect(error == nil)
    }

    @Test func aRotatedPausedOneStaysPaused() async throws {
        _ = try await node.roster.update(robot.id, name: nil, grants: nil, policy: nil, isPaused: true, as: owner)
        let error = await reads(try await node.rotate(robot, as: owner))
        #expect(error as? AuthError == .tokenRefused("paused"))
    }

    @Test func aRenamedOneKeepsWhatItHas() async throws {
        _ = try await node.roster.update(robot.id, name: "other", grants: nil, policy: nil, isPaused: nil, as: owner)
        let agent = try await node.roster.view(robot.id, as: owner)
        let error = await reads(robot)
        #expect(agent.name == "other" && agent.grants == [.tag("work")])
        #expect(error == nil)
    }

    @Test func agentsManageNoAgents() async throws {
        let agent = try await node.caller(robot)
        let errors = [
            await thrown { try await node.roster.list(as: agent) },
            await thrown { try await node.roster.view(robot.id, as: agent) },
            await thrown { try await node.agent(grants: [.tag("work")], as: agent) },
            await thrown { try await node.rotate(robot, as: agent) },
            await thrown { try await node.roster.revoke(robot.id, as: agent) },
            await thrown {
                try await node.roster.update(robot.id, name: "x", grants: nil, policy: nil, isPaused: nil, as: agent)
            },
            await thrown { try await node.trail.lines(before: nil, limit: 1, as: agent) },
            await thrown { try await node.trail.disclosures(of: robot.id, as: agent) },
        ]
        #expect(errors.allSatisfy { $0 as? VaultError == .ownerOnly })
    }

    @Test func anotherOwnersAgentIsNotThere() async throws {
        let bob = try await node.owner(Person("bob@example.org"))
        let errors = [
            await thrown { try await node.roster.view(robot.id, as: bob) },
            await thrown { try await node.roster.revoke(robot.id, as: bob) },
            await thrown { try await node.rotate(robot, as: bob) },
        ]
        let error = await reads(robot)
        #expect(errors.allSatisfy { $0 as? VaultError == .noSuchAgent })
        #expect(error == nil)
    }

    @Test func nobodyGrantsWhatIsNotHis() async throws {
        let bob = try await node.owner(Person("bob@example.org"))
        await #expect(throws: VaultError.noSuchEntry) { try await node.agent(grants: [.entry(entry.id)], as: bob) }
        await #expect(throws: VaultError.noSuchField) {
            try await node.agent(grants: [.entry(entry.id, [.random()])], as: owner)
        }
    }

    struct Bad: CustomTestStringConvertible {
        var testDescription: String
        var name = "robot"
        var grants = [Grant.tag("x")]
        var policy = AgentPolicy()
        var member: String
    }

    @Test(arguments: [
        Bad(testDescription: "no name", name: "", member: "name"),
        Bad(testDescription: "a long name", name: String(repeating: "x", count: 257), member: "name"),
        Bad(testDescription: "no grants", grants: [], member: "grants"),
        Bad(testDescription: "65 grants", grants: [Grant](repeating: .tag("x"), count: 65), member: "grants"),
        Bad(testDescription: "no verbs", policy: AgentPolicy(verbs: []), member: "verbs"),
        Bad(
            testDescription: "an end before its beginning", policy: AgentPolicy(notBefore: 5, expiresAt: 5),
            member: "expiresAt"),
        Bad(testDescription: "no uses", policy: AgentPolicy(maxUses: 0), member: "maxUses"),
        Bad(testDescription: "no rate", policy: AgentPolicy(ratePerMinute: 0), member: "ratePerMinute"),
        Bad(testDescription: "no labels", grants: [.tag("x", [])], member: "grants"),
        Bad(
            testDescription: "a field that is no id", grants: [Grant(scope: .entry(.random()), only: ["x"])],
            member: "grants.fields"),
        Bad(testDescription: "the title as a field", grants: [.entry(.random(), [.title])], member: "grants.fields"),
    ])
    func isBounded(_ example: Bad) async {
        let error = await thrown {
            try await node.agent(example.name, grants: example.grants, policy: example.policy, as: owner)
        }
        guard case .invalid(let member, _) = error as? VaultError else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(member == example.member)
    }

    @Test func disclosuresSayWhatItCanAndDidRead() async throws {
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
