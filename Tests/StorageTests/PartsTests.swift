import Auth
import SQLite
import Storage
import Synchronization
import TestSupport
import Testing
import Vault
import VaultFormat

/// Changes of thousands of rows are made in parts, and interrupted ones are completed.
@Suite(.timeLimit(.minutes(5))) struct PartsTests {
    let node: TestVault
    let owner: Principal

    init() async throws {
        node = try TestVault()
        owner = try await node.owner()
    }

    /// Creates 500 fields, more than one commit drops.
    private func manyFields() async throws -> [(entry: EntryID, field: FieldID)] {
        var places: [(entry: EntryID, field: FieldID)] = []
        for number in 0..<5 {
            let fields = (0..<100).map { EntryEdit.Field(label: "\($0)", kind: .text, content: .value("v")) }
            let entry = try await node.entries.create(
                EntryEdit(title: "\(number)", tags: ["t"], fields: fields), id: nil, as: owner)
            places += entry.fields.map { (entry.id, $0.id) }
        }
        return places
    }

    private static let keepWraps =
        "CREATE TEMP TABLE kept AS SELECT w.* FROM wrap w JOIN agent a ON a.holder = w.holder"

    private func wraps(of agent: TestAgent) async throws -> Int {
        try await node.store.places(of: agent.id, in: owner.vault).count
    }

    @Test func aLargeNarrowingDeletesEveryWrap() async throws {
        let places = try await manyFields()
        let robot = try await node.agent(grants: [.tag("t")], as: owner)
        let kept = Set(places.prefix(50).map(\.entry))
        let before = try await wraps(of: robot)
        let view = try await node.agents.update(
            robot.id, name: nil, grants: kept.map { Grant.entry($0) }, policy: nil, isPaused: nil, as: owner)
        let principal = try await node.principal(robot)
        #expect(before > 500)
        #expect(try await node.store.places(of: robot.id, in: owner.vault).allSatisfy { kept.contains($0.entry) })
        #expect(view.state == .active)
        _ = try await node.value(places[0].field, of: places[0].entry, as: principal)
        await #expect(throws: VaultError.noSuchField) {
            try await node.value(places[499].field, of: places[499].entry, as: principal)
        }
        #expect(try await node.verification().findings == [])
    }

    /// The program stopped between the first commit and the last part.
    @Test func anInterruptedNarrowingCompletesWhenTheAgentIsResumed() async throws {
        let places = try await manyFields()
        let robot = try await node.agent(grants: [.tag("t")], as: owner)
        let file = try node.file()
        try file.script(Self.keepWraps)
        // The parts find no room.
        node.disk.free = 3 << 20
        let paused = try await node.agents.update(
            robot.id, name: nil, grants: [.tag("none")], policy: nil, isPaused: nil, as: owner)
        node.disk.free = 1 << 40
        #expect(paused.state == .paused)
        #expect(try await wraps(of: robot) > 500)
        // In between, and after a crash there, log and file agree on everything that can be read.
        #expect(try await node.verification().findings == [])
        let view = try await node.agents.update(
            robot.id, name: nil, grants: nil, policy: nil, isPaused: false, as: owner)
        #expect(view.state == .active)
        #expect(try await wraps(of: robot) == 0)
        #expect(try await node.verification().findings == [])
        // An active agent has exactly the wraps that the log lists.
        try file.script("INSERT INTO wrap SELECT * FROM kept LIMIT 1")
        #expect(try await node.verification().findings.count == 2)
        let principal = try await node.principal(robot)
        for place in places {
            await #expect(throws: VaultError.noSuchField) {
                try await node.value(place.field, of: place.entry, as: principal)
            }
        }
    }

    enum Undoing: CaseIterable { case grantsAgain, anotherTag }

    /// After an interruption the owner grants the remaining fields again, which must be logged.
    @Test(arguments: Undoing.allCases) func anInterruptedNarrowingMayBeUndone(_ undoing: Undoing) async throws {
        let places = try await manyFields()
        let robot = try await node.agent(grants: [.tag("t")], as: owner)
        let file = try node.file()
        try file.script(Self.keepWraps)
        _ = try await node.agents.update(
            robot.id, name: nil, grants: [.tag("u")], policy: nil, isPaused: true, as: owner)
        try file.script("INSERT INTO wrap SELECT * FROM kept")
        switch undoing {
        case .grantsAgain:
            _ = try await node.agents.update(
                robot.id, name: nil, grants: [.tag("t")], policy: nil, isPaused: false, as: owner)
        case .anotherTag:
            for entry in Set(places.map(\.entry)) {
                _ = try await node.entries.update(entry, ifVersion: 1, EntryEdit(tags: ["u"]), as: owner)
            }
            _ = try await node.agents.update(
                robot.id, name: nil, grants: nil, policy: nil, isPaused: false, as: owner)
        }
        #expect(try await wraps(of: robot) > 500)
        #expect(try await node.verification().findings == [])
    }

    /// A small change is one commit with one audit line.
    @Test func aResumedAgentKeepsItsAccess() async throws {
        let entry = try await node.entries.create(.login(tags: ["t"]), id: nil, as: owner)
        let robot = try await node.agent(grants: [.tag("t")], as: owner)
        for isPaused in [true, false] {
            _ = try await node.agents.update(
                robot.id, name: nil, grants: nil, policy: nil, isPaused: isPaused, as: owner)
        }
        let principal = try await node.principal(robot)
        #expect(try await node.value(entry.field("password"), of: entry.id, as: principal) == "hunter2")
    }

    private final class LineCount: Sendable {
        private let count = Mutex(0)
        var all: Int { count.withLock { $0 } }
        func next() -> Int {
            count.withLock { count in
                count += 1
                return count
            }
        }
    }

    /// Lines and rows are read from a snapshot, and the key for the lines is deleted.
    @Test func anAccountClosedDuringAVerificationIsNotDamage() async throws {
        let entry = try await node.entries.create(.login(), id: nil, as: owner)
        for number in 1...5 {
            _ = try await node.entries.update(
                entry.id, ifVersion: number, .value("\(number)", of: entry.field("password")), as: owner)
        }
        let ada = try await node.owner(Person("other@example.org"))
        _ = try await node.entries.create(.login(), id: nil, as: ada)
        let (audit, path, vault, lines) = (node.audit, node.path, owner.vault, LineCount())
        let verification = AuditVerification(headKey: node.keys.auditHeadKey, root: node.keys.root) { line in
            if line.vault == vault, lines.next() == 4 {
                try Connection(path: path, access: .readWrite).run(
                    "UPDATE account SET owner = x'' WHERE vault = ?", .blob(vault.bytes))
                audit.evictKey(of: vault)
            }
            return try audit.open(line)
        }
        #expect(try await verification.run(node.store.database).findings == [])
        #expect(lines.all > 4, "or it was not closed in the middle")
    }

    /// The program stopped after the account was closed.
    @Test func aClosedAccountIsErasedAtTheNextStart() async throws {
        _ = try await manyFields()
        _ = try await node.agent(grants: [.tag("t")], as: owner)
        let event = AuditEvent(.accountDelete, by: .init(.owner, owner.id), subject: owner.vault.text)
        try await node.store.commit([.closeAccount(owner.vault)], [try node.audit.seal(event, vault: owner.vault)])
        let again = try TestVault(opening: node.scratch, root: node.root, moments: node.moments)
        // Sign-in is impossible, and the address is free.
        await #expect(throws: (any Error).self) { try await again.login(Person()) }
        let next = try await again.owner()
        #expect(next.vault != owner.vault)
        #expect(try await again.store.vaults() == [next.vault])
        // As used by an inspection of the file or of a copy.
        #expect(try Set(Store.auditKeys(again.file()).keys) == [next.vault])
        #expect(try await again.verification().findings == [])
        try await again.store.eraseClosedAccounts()
        for sql in [
            "SELECT count(*) FROM account", "SELECT count(*) FROM holder", "SELECT count(*) FROM usage",
        ] as [StaticString] {
            #expect(try again.count(sql) == 1)
        }
        for sql in [
            "SELECT count(*) FROM value WHERE tier > 0", "SELECT count(*) FROM entry", "SELECT count(*) FROM term",
            "SELECT count(*) FROM agent",
        ] as [StaticString] {
            #expect(try again.count(sql) == 0)
        }
        #expect(try await again.verification().findings == [])
    }
}
