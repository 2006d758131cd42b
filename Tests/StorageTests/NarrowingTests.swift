import Files
import IPNetworks
import SQLite
import Storage
import Synchronization
import TestSupport
import Testing
import Vault
import VaultFormat

/// What only takes away goes on where nothing else does; what also gives does not.
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

    private init(_ options: TestVault.Options) async throws {
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

    /// A change of the agent, and whether it only takes away.
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

    private static let labels = ["username", "password"]
    private static let inner = [IPNetwork("192.0.2.0/25")!, IPNetwork("192.0.2.130")!]
    private static let changes =
        policies(
            true,
            [
                "a verb less": { $0.verbs = [.read] }, "codes instead of values": { $0.verbs = [.totp] },
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
                "another verb": { $0.verbs = [.deposit] }, "a verb more": { $0.verbs.insert(.deposit) },
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

    private func perform(_ change: Change) async throws -> AgentView {
        try await node.roster.update(
            robot.id, name: change.name, grants: change.grants?(self), policy: change.policy, isPaused: change.isPaused,
            as: owner)
    }

    private func lines() throws -> Int { try node.count("SELECT count(*) FROM audit") }

    @Test(arguments: [NodeHealth.Fault.damaged, .diskFull], changes)
    func anAgentIsNarrowed(_ fault: NodeHealth.Fault, _ change: Change) async throws {
        let old = try await node.roster.view(robot.id, as: owner)
        let before = try lines()
        node.health.note(fault)
        guard change.narrows else {
            await #expect(throws: VaultError.readOnly(fault.rawValue)) { try await perform(change) }
            #expect(try await node.roster.view(robot.id, as: owner) == old)
            #expect(try lines() == before)
            return
        }
        let new = try await perform(change)
        #expect(new != old)
        #expect(try await node.roster.view(robot.id, as: owner) == new)
        #expect(try lines() == before + 1)
        // The keys follow at once.
        let index = GrantIndex(new.grants)
        for entry in [bank, mail] {
            for field in entry.fields {
                let place = FieldPlace(vault: owner.vault, entry: entry.id, field: field.id, tier: .l1, version: 1)
                let covers = index.scope(of: entry.id, tags: entry.details?.tags ?? [])
                    .covers(field: field.id, label: field.label)
                #expect(try await node.store.places(of: robot.id).contains(place) == covers)
            }
        }
    }

    @Test func somethingThatRestedGoesOnWhenItIsLetWorkAgainAndNotBefore() async throws {
        _ = try await node.roster.update(
            robot.id, name: nil, grants: nil, policy: nil, isPaused: true, as: owner)
        node.health.note(.damaged)
        let change = Change(
            testDescription: "resumed with less", narrows: false, isPaused: false, policy: { $0.maxUses = 1 })
        await #expect(throws: VaultError.readOnly("damaged")) { try await perform(change) }
        // What rests can be given less.
        let new = try await perform(Change(testDescription: "less", narrows: true, policy: { $0.maxUses = 1 }))
        #expect(new.policy.maxUses == 1)
        #expect(new.state == .paused)
    }

    @Test func anEntryInTheTrashIsNotInTheWay() async throws {
        try await node.entries.trash(bank.id, ifVersion: nil, as: owner)
        node.health.note(.damaged)
        let new = try await perform(
            Change(
                testDescription: "a label", narrows: true, grants: { [.entry($0.bank.id), .tag("work", ["password"])] })
        )
        #expect(new.grants.count == 2)
        #expect(try await node.store.places(of: robot.id).filter { $0.entry == mail.id }.count == 2)
        // Nor is it, when what is given of it is made less.
        let grants: [Grant] = [.entry(bank.id, [bank.field("password")]), .tag("work", ["password"])]
        let less = try await perform(Change(testDescription: "a field", narrows: true, grants: { _ in grants }))
        #expect(less.grants == grants)
    }

    @Test func aFieldThatIsGoneIsNotInTheWay() async throws {
        let fields = [bank.field("username"), bank.field("password"), FieldID.random()]
        func change(_ fields: [FieldID]) -> Change {
            let grants = [Grant.entry(bank.id, fields)]
            return Change(testDescription: "fields", narrows: true, grants: { _ in grants })
        }
        // Of an entry that was given whole, a field that was never there is a mistake.
        await #expect(throws: VaultError.noSuchField) { try await perform(change(fields)) }
        _ = try await perform(change(Array(fields.prefix(2))))
        _ = try await node.entries.update(
            bank.id, ifVersion: 1, EntryEdit(fields: [.init(id: fields[0], isRemoved: true)]), as: owner)
        let new = try await perform(change([fields[0]]))
        #expect(new.grants == [.entry(bank.id, [fields[0]])])
        #expect(try await node.store.places(of: robot.id).allSatisfy { $0.entry != bank.id })
    }

    /// A change of an entry, and whether it only takes away.
    struct Edit: CustomTestStringConvertible {
        var testDescription: String
        var narrows: Bool
        var edit: @Sendable (EntryView) -> EntryEdit
    }

    private static let edits = [
        Edit(testDescription: "a field less", narrows: true) {
            EntryEdit(fields: [.init(id: $0.field("password"), isRemoved: true)])
        },
        Edit(testDescription: "the same fields less one") {
            EntryEdit(fields: [.init(id: $0.field("password"))], replacesFields: true)
        },
        Edit(testDescription: "a tag less") { _ in EntryEdit(tags: ["home"]) },
        Edit(testDescription: "no tags, and all else as it is") {
            EntryEdit(
                title: $0.title, type: $0.type, urls: $0.details?.urls, tags: [], notes: $0.details?.notes)
        },
        Edit(testDescription: "an address less") { _ in EntryEdit(urls: ["https://a.example"]) },
        Edit(testDescription: "a tag instead", narrows: false) { _ in EntryEdit(tags: ["home", "x"]) },
        Edit(testDescription: "an address less, the other three times", narrows: false) { _ in
            EntryEdit(urls: ["https://a.example", "https://a.example", "https://a.example"])
        },
        Edit(testDescription: "a tag less, the other three times", narrows: false) { _ in
            EntryEdit(tags: ["home", "Home", "HOME"])
        },
        Edit(testDescription: "tags in another order", narrows: false) { _ in EntryEdit(tags: ["home", "Work"]) },
        Edit(testDescription: "a tag less, another title", narrows: false) { _ in EntryEdit(title: "x", tags: []) },
        Edit(testDescription: "a tag less, notes", narrows: false) { _ in EntryEdit(tags: [], notes: "x") },
        Edit(testDescription: "a tag less, an address more", narrows: false) { _ in
            EntryEdit(urls: ["https://c.example"], tags: [])
        },
        Edit(testDescription: "a field less, one more", narrows: false) {
            EntryEdit(fields: [
                .init(id: $0.field("password"), isRemoved: true),
                .init(label: "pin", kind: .secret, content: .value("1")),
            ])
        },
        Edit(testDescription: "a tag less, a value", narrows: false) {
            EntryEdit(tags: [], fields: [.init(id: $0.field("password"), content: .value("1"))])
        },
        Edit(testDescription: "another label", narrows: false) {
            EntryEdit(fields: [.init(id: $0.field("password"), label: "x")])
        },
    ]

    @Test(arguments: [NodeHealth.Fault.damaged, .diskFull], edits)
    func anEntryIsNarrowed(_ fault: NodeHealth.Fault, _ edit: Edit) async throws {
        let before = try lines()
        node.health.note(fault)
        guard edit.narrows else {
            await #expect(throws: VaultError.readOnly(fault.rawValue)) {
                try await node.entries.update(bank.id, ifVersion: 1, edit.edit(bank), as: owner)
            }
            #expect(try lines() == before)
            return
        }
        let new = try await node.entries.update(bank.id, ifVersion: 1, edit.edit(bank), as: owner)
        #expect(new.version == 2)
        #expect(try lines() == before + 1)
        let held = try await node.store.places(of: robot.id).filter { $0.entry == bank.id }
        // The grant of the whole entry goes on: the title, and what fields are left.
        #expect(Set(held.map(\.field)) == Set(new.fields.map(\.id) + [.title]))
    }

    @Test func withTheTagGoWhoReadByIt() async throws {
        node.health.note(.damaged)
        _ = try await node.entries.update(mail.id, ifVersion: 1, EntryEdit(tags: []), as: owner)
        #expect(try await node.store.places(of: robot.id).allSatisfy { $0.entry == bank.id })
    }

    /// What a disk that was full has left out is not given with what takes away, nor in its way.
    @Test func keysThatAreMissingAreNotInTheWay() async throws {
        let holder = robot.id
        try await node.store.commit(
            (bank.fields.map(\.id) + mail.fields.map(\.id)).flatMap {
                [Mutation.dropWrap(bank.id, $0, holder), .dropWrap(mail.id, $0, holder)]
            }, [])
        let seen = try await node.store.places(of: robot.id)
        node.health.note(.damaged)
        let grants: [Grant] = [.entry(bank.id), .tag("work", ["password"])]
        _ = try await perform(Change(testDescription: "a label", narrows: true, grants: { _ in grants }))
        _ = try await node.entries.update(bank.id, ifVersion: 1, EntryEdit(tags: []), as: owner)
        #expect(try await node.store.places(of: robot.id) == seen)
        #expect(seen.count == 2)
    }

    // MARK: Where there is no room

    @Test func aVaultThatIsFullIsNarrowed() async throws {
        await #expect(throws: VaultError.quotaExceeded(.bytes, 1 << 20)) {
            while true { _ = try await fill(60_000) }
        }
        await #expect(throws: VaultError.quotaExceeded(.bytes, 1 << 20)) { while true { _ = try await fill(100) } }
        let grants: [Grant] = [.entry(bank.id, [bank.field("password")]), .tag("work", Self.labels)]
        _ = try await perform(Change(testDescription: "fields", narrows: true, grants: { _ in grants }))
        _ = try await node.entries.update(bank.id, ifVersion: 1, EntryEdit(tags: []), as: owner)
        #expect(try await node.store.places(of: robot.id).filter { $0.entry == bank.id }.count == 2)
    }

    /// However many changes only take away, they do not make a vault larger and larger.
    @Test func takingAwayHasABound() async throws {
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

    /// What is taken away, of which a commit writes much: the old pages go to the log.
    struct Large: CustomTestStringConvertible {
        var testDescription: String
        /// It needs no more than the trash does.
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
        edit("a tag less", isSmall: true) { EntryEdit(tags: $0.details?.tags.dropLast()) },
        edit("no tags") { _ in EntryEdit(tags: []) },
        edit("no addresses") { _ in EntryEdit(urls: []) },
        edit("neither, and no notes") { _ in EntryEdit(urls: [], tags: [], notes: "") },
        edit("a field less") { EntryEdit(fields: [.init(id: $0.fields[3].id, isRemoved: true)]) },
        edit("no fields") { _ in EntryEdit(replacesFields: true) },
        Large(testDescription: "an agent's grants", isSmall: true) { test, _ in
            let agents = try await test.node.roster.list(as: test.owner).items.filter { $0.name == "large" }
            for agent in agents.prefix(3) {
                _ = try await test.node.roster.update(
                    agent.id, name: nil, grants: [.tag("0", ["1"])], policy: nil, isPaused: nil, as: test.owner)
            }
        },
    ]

    /// Whatever is left of the room is what others need to sign in and to revoke.
    @Test(arguments: large) func whatItWritesHasRoom(_ example: Large) async throws {
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
                guard room < 64 << 20 else { return _ = Issue.record("it never has room") }
                room += 256 << 10
                continue
            }
            #expect(room - written >= 3 << 20)
            if example.isSmall { #expect(room <= floor + 512 << 10) }
            return
        }
    }

    /// As in a file that is used: rows of one entry stand between those of others, each on a page of its own.
    private func fill() throws {
        let file = try node.file()
        try file.script(
            """
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
            INSERT INTO term SELECT vault, randomblob(16), randomblob(16) FROM n, account;
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000)
            INSERT INTO wrap SELECT holder, randomblob(16), randomblob(16), 1, 1, zeroblob(300) FROM n, agent;
            """)
    }

    /// Where each part waits for the log, a revocation waits for one part and not for all.
    @Test(arguments: [(40 << 20, true, 12), (40 << 20, false, 100), (1 << 30, true, 100)] as [(Int64, Bool, Int)])
    func whatIsUrgentWaitsForOnePart(_ free: Int64, _ isAwaited: Bool, _ dropped: Int) async throws {
        let entry = try await node.entries.create(
            EntryEdit(
                title: "t", type: .note, tags: ["many"],
                fields: (0..<110).map { .init(label: "\($0)", kind: .text, content: .value("v")) }), id: nil, as: owner)
        let agent = try await node.agent(grants: [.tag("many")], as: owner)
        let places = try await node.store.places(of: agent.id).sorted { $0.field < $1.field }
        node.disk.free = free
        let parts = Parts()
        let isDone = try await node.store.drop(Array(places.prefix(100)), of: agent.id) {
            parts.next() > 0 && isAwaited
        }
        let left = try await node.store.places(of: agent.id)
        #expect(isDone == (dropped == 100))
        #expect(places.count - left.count == dropped)
        #expect(left.allSatisfy { $0.entry == entry.id })
    }

    private final class Parts: Sendable {
        private let count = Mutex(0)
        /// How often it was asked before.
        func next() -> Int {
            count.withLock { count in
                defer { count += 1 }
                return count
            }
        }
    }

    private var log: Int64 { Int64(FileStatus.size("\(node.path)-wal") ?? 0) }

    @Test(arguments: [(3_600 << 10, true), (3_500 << 10, false)] as [(Int64, Bool)])
    func whereTheTrashEndsNarrowingEndsAndPausingGoesOn(_ free: Int64, _ goes: Bool) async throws {
        node.health.note(.diskFull)
        node.disk.free = free
        let change = Change(testDescription: "less", narrows: true, policy: { $0.maxUses = 1 })
        let error = await thrown { try await perform(change) }
        #expect((error == nil) == goes)
        if !goes { #expect(error as? VaultError == .readOnly("disk-full")) }
        // It is no revocation that failed: titles are read, and what ends the agent works.
        _ = try await node.entries.list(limit: 5, as: owner)
        let paused = try await node.roster.update(
            robot.id, name: nil, grants: nil, policy: nil, isPaused: true, as: owner)
        #expect(paused.state == .paused)
    }
}

extension NarrowingTests.Edit {
    init(testDescription: String, edit: @escaping @Sendable (EntryView) -> EntryEdit) {
        self.init(testDescription: testDescription, narrows: true, edit: edit)
    }
}
