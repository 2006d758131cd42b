import Auth
import SQLite
import Storage
import TestSupport
import Testing
import Vault
import VaultFormat

/// Somebody who writes to the rows of values, wraps and terms, which count only as far as the entry's record names them.
@Suite struct EntryRecordTests {
    let node: TestVault
    let owner: Principal
    let entry: EntryView
    let robot: TestAgent
    let file: Connection

    init() async throws {
        node = try TestVault()
        owner = try await node.owner()
        entry = try await node.entries.create(.login(tags: ["t"]), id: nil, as: owner)
        robot = try await node.agent(grants: [.tag("t")], policy: AgentPolicy(verbs: [.read, .write]), as: owner)
        file = try node.file()
    }

    private var password: FieldID { entry.field("password") }

    private func keep(_ table: String) throws {
        try file.script("DROP TABLE IF EXISTS temp.kept; CREATE TEMP TABLE kept AS SELECT * FROM main.\(table)")
    }

    private func putBack(_ table: String) throws {
        try file.script("INSERT OR REPLACE INTO main.\(table) SELECT * FROM temp.kept")
    }

    private func reopened() throws -> TestVault {
        try TestVault(opening: node.scratch, root: node.root, moments: node.moments)
    }

    /// Reads the password as the agent, in the running node and in one that begins with the file.
    private func expectUnreadable(_ field: FieldID? = nil, isFound: Bool = true) async throws {
        for attacked in [node, try reopened()] {
            let error = await thrown {
                try await attacked.value(field ?? password, of: entry.id, as: try await attacked.principal(robot))
            }
            #expect(error as? VaultError == .noSuchField || isDamage(error), "\(error as Any)")
            let listed = try? await attacked.entries.list(limit: 9, as: try await attacked.principal(robot)).entries
            #expect(listed?.flatMap(\.fields).contains { $0.id == field ?? password } != true)
        }
        if isFound { #expect(try await node.verification().findings != []) }
    }

    // MARK: Wraps

    @Test func aWrapThatWasTakenAndPutBackOpensNothing() async throws {
        try keep("wrap")
        _ = try await node.agents.update(
            robot.id, name: nil, grants: [.entry(entry.id, [entry.field("username")])], policy: nil, isPaused: nil,
            as: owner)
        try putBack("wrap")
        try await expectUnreadable()
    }

    /// Hidden, so that the statement that deletes wraps does not find it.
    @Test(arguments: ["wrap", "value", "entry"]) func whatIsHiddenDuringANarrowingOpensNothingLater(_ table: String)
        async throws
    {
        try keep(table)
        try file.script("PRAGMA foreign_keys = OFF; DELETE FROM \(table)")
        let errors = [
            await thrown {
                try await node.agents.update(
                    robot.id, name: nil, grants: [.entry(entry.id, [entry.field("username")])], policy: nil,
                    isPaused: nil, as: owner)
            }, await thrown { try await node.entries.trash(entry.id, ifVersion: nil, as: owner) },
        ]
        try putBack(table)
        // Either the owner is told that nothing was taken, or it was.
        if errors.allSatisfy({ isDamage($0) }) {
            #expect(try await node.store.damagedVaults().keys.contains(owner.vault))
        } else {
            // What was hidden may be as it should be now.
            try await expectUnreadable(isFound: table == "wrap")
        }
    }

    @Test func theWrapsOfATrashedEntryOpenNothing() async throws {
        try keep("wrap")
        try await node.entries.trash(entry.id, ifVersion: nil, as: owner)
        try putBack("wrap")
        try await expectUnreadable()
    }

    @Test func aRemovedTagsWrapsOpenNothing() async throws {
        try keep("wrap")
        _ = try await node.entries.update(entry.id, ifVersion: 1, EntryEdit(tags: []), as: owner)
        try putBack("wrap")
        try await expectUnreadable()
    }

    /// The owner's next edit seals nothing to the agent.
    @Test func aWrapThatIsPutBackGetsNoNewValue() async throws {
        try keep("wrap")
        _ = try await node.agents.update(
            robot.id, name: nil, grants: [.entry(entry.id, [entry.field("username")])], policy: nil, isPaused: nil,
            as: owner)
        try putBack("wrap")
        _ = await thrown {
            try await node.entries.update(entry.id, ifVersion: 1, .value("new", of: password), as: owner)
        }
        try await expectUnreadable()
    }

    // MARK: Values

    @Test(arguments: [false, true]) func anOlderVersionDoesNotBecomeCurrent(_ isStopped: Bool) async throws {
        try keep("value")
        _ = try await node.entries.update(entry.id, ifVersion: 1, .value("new", of: password), as: owner)
        try file.script("DELETE FROM value WHERE version = 2")
        try putBack("value")
        let attacked = isStopped ? try reopened() : node
        let errors = [
            await thrown { try await attacked.value(password, of: entry.id, as: owner) },
            await thrown { try await attacked.value(password, of: entry.id, as: try await attacked.principal(robot)) },
        ]
        // The first that meets it finds the damage, and then nobody is served.
        #expect(errors.allSatisfy { isDamage($0) }, "\(errors)")
        #expect(try await attacked.verification().findings != [])
    }

    @Test func aRemovedFieldStaysRemoved() async throws {
        let extra = try await node.entries.update(
            entry.id, ifVersion: 1,
            EntryEdit(fields: [.init(label: "extra", kind: .text, content: .value("secret"))]), as: owner)
        let field = extra.field("extra")
        try keep("value")
        _ = try await node.entries.update(
            entry.id, ifVersion: 2, EntryEdit(fields: [.init(id: field, isRemoved: true)]), as: owner)
        try putBack("value")
        let error = await thrown { try await node.value(field, of: entry.id, as: owner) }
        #expect(error as? VaultError == .noSuchField || isDamage(error))
        try await expectUnreadable(field)
    }

    @Test(arguments: [
        "UPDATE value SET written = written + 1 WHERE version = 1", "UPDATE value SET author = randomblob(16)",
        "UPDATE value SET tier = 2 WHERE tier = 1", "UPDATE value SET version = version + 5",
        "DELETE FROM value WHERE is_current = 0",
        "INSERT INTO value SELECT entry, field, part, 7, vault, tier, 0, written, author, k, box FROM value WHERE version = 2",
        "INSERT INTO value SELECT entry, randomblob(16), part, 1, vault, tier, 1, written, author, k, box FROM value",
    ])
    func theHistoryIsTheOneThatWasWritten(_ sql: String) async throws {
        _ = try await node.entries.update(entry.id, ifVersion: 1, .value("new", of: password), as: owner)
        try file.script(
            "PRAGMA foreign_keys = OFF; \(sql.contains("WHERE") ? "\(sql) AND" : "\(sql) WHERE")"
                + " entry = x'\(entry.id.bytes.hex)'")
        for attacked in [node, try reopened()] {
            let error = await thrown { try await attacked.entries.versions(of: entry.id, as: owner) }
            #expect(isDamage(error), "\(error as Any)")
            #expect(try await attacked.verification().findings != [])
        }
    }

    /// An edit does not make what it finds part of the record.
    @Test func aPlantedVersionIsNotAdopted() async throws {
        try file.script(
            """
            INSERT INTO value SELECT entry, field, part, 9, vault, tier, 0, written, author, k, box FROM value
                WHERE part = 0 AND field = x'\(password.bytes.hex)'
            """)
        let error = await thrown {
            try await node.entries.update(entry.id, ifVersion: 1, .value("new", of: password), as: owner)
        }
        #expect(isDamage(error))
    }

    // MARK: Terms

    @Test func aTermThatIsPutBackFindsNothing() async throws {
        try keep("term")
        _ = try await node.entries.update(entry.id, ifVersion: 1, EntryEdit(tags: []), as: owner)
        try putBack("term")
        #expect(try await node.entries.search(.init(tag: "t"), limit: 9, as: owner).entries.isEmpty)
        // Nor does a new grant for the tag share the entry.
        let second = try await node.agent("second", grants: [.tag("t")], as: owner)
        #expect(try await node.store.places(of: second.id, in: owner.vault).isEmpty)
        #expect(try await node.verification().findings != [])
    }

    // MARK: Accepting

    @Test func acceptingTakesTheRowsAsTheyAre() async throws {
        try file.script("UPDATE value SET written = written + 1 WHERE field = x'\(password.bytes.hex)'")
        let error = await thrown { try await node.value(password, of: entry.id, as: owner) }
        #expect(isDamage(error))
        #expect(try await node.store.acceptRecords(of: owner.vault, audit: node.audit, reason: "test"))
        let later = try await node.principal(try await node.login(Person()).token)
        #expect(try await node.value(password, of: entry.id, as: later) == "hunter2")
        #expect(try await node.entries.versions(of: entry.id, as: later).count == 1)
        #expect(try await node.verification().findings == [])
    }
}
