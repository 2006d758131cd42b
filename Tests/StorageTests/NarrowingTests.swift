import Files
import IPNetworks
import SQLite
import Storage
import Synchronization
import TestSupport
import Testing
import Vault
import VaultFormat

/// Narrowing changes work when all others are refused; changes that also grant something do not.
@Suite struct NarrowingTests {
    let node: TestVault
    let owner: Principal
    let bank: EntryView
    let mail: EntryView
    let robot: TestAgent

    init() async throws {
        var options = TestVault.Options()
        options.quotas[.bytes] = 1 << 20
        try await self.init(options)
    }

    init(_ options: TestVault.Options) async throws {
        node = try TestVault(options)
        owner = try await node.owner()
        bank = try await node.entries.create(
            .login(urls: ["https://a.example", "https://b.example"], tags: ["work", "Home"]), id: nil, as: owner)
        mail = try await node.entries.create(.login("Mail", tags: ["work"]), id: nil, as: owner)
        robot = try await node.agent(
            grants: [.entry(bank.id), .tag("work", ["username", "password"])],
            policy: AgentPolicy(
                verbs: [.read, .write], notBefore: node.moments.now - 10, expiresAt: node.moments.now + 1_000,
                cidr: [IPNetwork("192.0.2.0/24")!], maxUses: 10, ratePerMinute: 10), as: owner)
    }

    /// A change of the agent, and whether it is narrowing.
    struct Change: CustomTestStringConvertible {
        var testDescription: String
        var narrows: Bool
        var name: String?
        var isPaused: Bool?
        var grants: (@Sendable (NarrowingTests) -> [Grant])?
        var policy: (@Sendable (inout AgentPolicy) -> Void)?
    }

    private static func policies(
        _ narrows: Bool, _ changes: KeyValuePairs<String, @Sendable (inout AgentPolicy) -> Void>
    )
        -> [Change]
    {
        changes.map { Change(testDescription: $0.key, narrows: narrows, policy: $0.value) }
    }

    private static func grants(_ narrows: Bool, _ grants: KeyValuePairs<String, @Sendable (NarrowingTests) -> [Grant]>)
        -> [Change]
    {
        grants.map { Change(testDescription: $0.key, narrows: narrows, grants: $0.value) }
    }

    static let labels = ["username", "password"]
    private static let inner = [IPNetwork("192.0.2.0/25")!, IPNetwork("192.0.2.130")!]
    private static let changes =
        policies(
            true,
            [
                "one verb fewer": { $0.verbs = [.read] }, "codes instead of values": { $0.verbs = [.totp] },
                "from later": { $0.notBefore! += 1 }, "until earlier": { $0.expiresAt! -= 1 },
                "networks inside": { $0.cidr = inner }, "fewer uses": { $0.maxUses = 9 },
                "more slowly": { $0.ratePerMinute = 1 },
                "all at once": {
                    $0 = AgentPolicy(
                        verbs: [.write], notBefore: $0.notBefore! + 1, expiresAt: $0.expiresAt! - 1, cidr: [inner[1]],
                        maxUses: 1, ratePerMinute: 1)
                },
            ])
        + policies(
            false,
            [
                "another verb": { $0.verbs = [.deposit] }, "one verb more": { $0.verbs.insert(.deposit) },
                "from earlier": { $0.notBefore! -= 1 }, "from ever": { $0.notBefore = nil },
                "until later": { $0.expiresAt! += 1 }, "for ever": { $0.expiresAt = nil },
                "from everywhere": { $0.cidr = [] }, "from a wider network": { $0.cidr = [IPNetwork("192.0.2.0/23")!] },
                "one network inside, one outside": { $0.cidr = inner + [IPNetwork("198.51.100.0/24")!] },
                "the same in IPv6": { $0.cidr = [IPNetwork("::/24")!] },
                "more uses": { $0.maxUses = 11 }, "any number of uses": { $0.maxUses = nil },
                "faster": { $0.ratePerMinute = 11 }, "at any rate": { $0.ratePerMinute = nil },
                "fewer uses, but for longer": { ($0.maxUses, $0.expiresAt) = (1, nil) },
                "nothing": { $0.verbs = [.write, .read] },
            ])
        + grants(
            true,
            [
                "the tag's": { [.entry($0.bank.id)] }, "the entry's": { _ in [.tag("work", labels)] },
                "a label": { [.entry($0.bank.id), .tag("WORK", ["Password"])] },
                "fields": { [.entry($0.bank.id, [$0.bank.field("password")]), .tag("work", labels)] },
                "the same in parts, less one": {
                    [
                        .entry($0.bank.id, [$0.bank.field("password")]), .tag("work", ["password"]),
                        .tag("work", ["username"]),
                    ]
                },
            ])
        + grants(
            false,
            [
                "another entry": { [.entry($0.mail.id)] },
                "one more": { [.entry($0.bank.id), .tag("work", labels), .entry($0.mail.id)] },
                "another tag": { [.entry($0.bank.id), .tag("home")] },
                "all of a tag": { [.entry($0.bank.id), .tag("work")] },
                "another label": { [.entry($0.bank.id), .tag("work", ["pin"])] },
                "an entry that the tag covers": { [.entry($0.mail.id, [$0.mail.field("password")])] },
                "the same in another order": { [.tag("WORK", ["password", "Username"]), .entry($0.bank.id)] },
            ])
        + [
            Change(testDescription: "a name", narrows: false, name: "x"),
            Change(testDescription: "a name and fewer uses", narrows: false, name: "x", policy: { $0.maxUses = 1 }),
            Change(
                testDescription: "the same name and fewer uses", narrows: true, name: "robot",
                policy: { $0.maxUses = 1 }),
            Change(testDescription: "paused and fewer uses", narrows: true, isPaused: true, policy: { $0.maxUses = 1 }),
            Change(testDescription: "paused with the same policy", narrows: true, isPaused: true, policy: { _ in }),
            Change(
                testDescription: "paused and more uses", narrows: false, isPaused: true, policy: { $0.maxUses = 11 }),
            Change(
                testDescription: "not paused, as before, and fewer uses", narrows: true, isPaused: false,
                policy: { $0.maxUses = 1 }),
        ]

    func perform(_ change: Change) async throws -> AgentView {
        try await node.agents.update(
            robot.id, name: change.name, grants: change.grants?(self), policy: change.policy, isPaused: change.isPaused,
            as: owner)
    }

    func lines() throws -> Int { try node.count("SELECT count(*) FROM audit") }

    @Test(arguments: [NodeHealth.Fault.damaged, .diskFull], changes)
    func anAgentIsNarrowed(_ fault: NodeHealth.Fault, _ change: Change) async throws {
        let old = try await node.agents.view(robot.id, as: owner)
        let before = try lines()
        node.health.note(fault)
        guard change.narrows else {
            await #expect(throws: VaultError.readOnly(fault.rawValue)) { try await perform(change) }
            #expect(try await node.agents.view(robot.id, as: owner) == old)
            #expect(try lines() == before)
            return
        }
        let new = try await perform(change)
        #expect(new != old)
        #expect(try await node.agents.view(robot.id, as: owner) == new)
        #expect(try lines() == before + 1)
        // The wraps are changed immediately.
        let index = GrantIndex(new.grants)
        for entry in [bank, mail] {
            for field in entry.fields {
                let place = FieldPlace(vault: owner.vault, entry: entry.id, field: field.id, tier: .l1, version: 1)
                let covers = index.scope(of: entry.id, tags: entry.details?.tags ?? [])
                    .covers(field: field.id, label: field.label)
                let opens = covers && new.policy.opensValues
                #expect(try await node.store.places(of: robot.id, in: owner.vault).contains(place) == opens)
            }
        }
    }

    @Test func aPausedAgentCanBeNarrowedButNotResumedOnAReadOnlyNode() async throws {
        _ = try await node.agents.update(
            robot.id, name: nil, grants: nil, policy: nil, isPaused: true, as: owner)
        node.health.note(.damaged)
        let change = Change(
            testDescription: "resumed with less", narrows: false, isPaused: false, policy: { $0.maxUses = 1 })
        await #expect(throws: VaultError.readOnly("damaged")) { try await perform(change) }
        // A paused agent can be narrowed.
        let new = try await perform(Change(testDescription: "less", narrows: true, policy: { $0.maxUses = 1 }))
        #expect(new.policy.maxUses == 1)
        #expect(new.state == .paused)
    }

    @Test func aTrashedEntryDoesNotPreventNarrowing() async throws {
        try await node.entries.trash(bank.id, ifVersion: nil, as: owner)
        node.health.note(.damaged)
        let new = try await perform(
            Change(
                testDescription: "a label", narrows: true, grants: { [.entry($0.bank.id), .tag("work", ["password"])] })
        )
        #expect(new.grants.count == 2)
        #expect(try await node.store.places(of: robot.id, in: owner.vault).filter { $0.entry == mail.id }.count == 3)
        // Nor when its own grant is narrowed.
        let grants: [Grant] = [.entry(bank.id, [bank.field("password")]), .tag("work", ["password"])]
        let less = try await perform(Change(testDescription: "a field", narrows: true, grants: { _ in grants }))
        #expect(less.grants == grants)
    }

    @Test func aRemovedFieldDoesNotPreventNarrowing() async throws {
        let fields = [bank.field("username"), bank.field("password"), FieldID.random()]
        func change(_ fields: [FieldID]) -> Change {
            let grants = [Grant.entry(bank.id, fields)]
            return Change(testDescription: "fields", narrows: true, grants: { _ in grants })
        }
        // A field that never existed is refused, although the entry was granted completely.
        await #expect(throws: VaultError.noSuchField) { try await perform(change(fields)) }
        _ = try await perform(change(Array(fields.prefix(2))))
        _ = try await node.entries.update(
            bank.id, ifVersion: 1, EntryEdit(fields: [.init(id: fields[0], isRemoved: true)]), as: owner)
        let new = try await perform(change([fields[0]]))
        #expect(new.grants == [.entry(bank.id, [fields[0]])])
        #expect(try await node.store.places(of: robot.id, in: owner.vault).allSatisfy { $0.entry != bank.id })
    }

    /// Keys that a full disk left out are neither granted by a narrowing change nor do they prevent it.
    @Test func missingKeysDoNotPreventNarrowing() async throws {
        let parts = (bank.fields + mail.fields).flatMap { [PartID($0.id), PartID($0.id, .about)] }
        try await node.store.commit(
            parts.flatMap {
                [
                    Mutation.dropWrap(bank.id, $0, robot.id, vault: owner.vault),
                    .dropWrap(mail.id, $0, robot.id, vault: owner.vault),
                ]
            }, [try node.audit.seal(AuditEvent(.agentUpdate, by: .init(.node)), vault: owner.vault)])
        let seen = try await node.store.places(of: robot.id, in: owner.vault)
        node.health.note(.damaged)
        let grants: [Grant] = [.entry(bank.id), .tag("work", ["password"])]
        _ = try await perform(Change(testDescription: "a label", narrows: true, grants: { _ in grants }))
        _ = try await node.entries.update(bank.id, ifVersion: 1, EntryEdit(tags: []), as: owner)
        #expect(try await node.store.places(of: robot.id, in: owner.vault) == seen)
        #expect(seen.count == 2)
    }
}
