import Auth
import OneTimePasswords
import SQLite
import Storage
import TestSupport
import Testing
import Vault
import VaultFormat

/// Somebody who can write to the database, without the root key: on every table and column, while the node runs and while it is
/// stopped. What is written is refused, or there is a reason why it decides nothing.
@Suite struct FileWriterTests {
    /// Tables whose rows are records: all of their columns are covered.
    static let records = [
        "account", "agent", "credential", "entry", "item", "l2_entry", "node", "recorded", "spent_invite",
    ]

    /// Columns of the other tables, with the reason why each decides nothing about access.
    static let others: [String: [String: String]] = [
        "abuse": columns(
            "key level at forgiven", "counts failures: without it somebody may guess more often, at the node's pace"),
        "answer": columns("holder key box created", "the secret box is the principal's, for this key and request"),
        "audit": columns("sequence time vault change digest body hash", "the chain covers it up to the head's code"),
        "audit_head": columns("id epoch sequence hash code", "the code covers it; memory has what is newer"),
        "audit_verified": columns("id sequence hash code", "authenticated; saves time alone"),
        "holder": columns(
            "id vault public_key", "account and agent name key holders; the secret box authenticates the row"),
        "last_use": columns("credential at", "without it an idle session lives until it expires"),
        "schema_seal": columns("id code", "the code covers the schema"),
        "term": columns("vault term entry", "counts as far as the entry's record names it, see EntryRecordTests"),
        "usage": columns("vault bytes entries fields", "quotas; the daily verification counts again"),
        "value": columns(
            "entry field part version vault tier is_current written author k box",
            "counts as far as the entry's record names it, see EntryRecordTests"
        ),
        "vault_state": columns("vault change digest", "the head's code covers all; memory has what is newer"),
        "wrap": columns(
            "holder entry field part version is_sealed box",
            "counts as far as the entry's record names its holder, see EntryRecordTests"
        ),
    ]

    private static func columns(_ names: String, _ reason: String) -> [String: String] {
        Dictionary(uniqueKeysWithValues: names.split(separator: " ").map { (String($0), reason) })
    }

    @Test func everyColumnIsClassified() throws {
        let node = try TestVault()
        let file = try node.file()
        let tables = try file.all("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'") {
            $0.text(0)
        }
        #expect(Set(tables) == Set(Self.others.keys).union(Self.records))
        for table in tables where !Self.records.contains(table) {
            let columns = try file.all("SELECT name FROM pragma_table_info(?)", .text(table)) { $0.text(0) }
            #expect(Set(columns) == Set((Self.others[table] ?? [:]).keys), "\(table)")
        }
        let listed = try file.all("SELECT name FROM recorded ORDER BY name") { $0.text(0) }
        #expect(listed == Self.records)
    }

    enum Moment: CaseIterable, CustomTestStringConvertible {
        case running, stopped
        var testDescription: String { "\(self)" }
    }

    /// Columns by which rows are found. An item of a former key holder is found by nobody either.
    private static let identifying: Set = [
        "credential.holder", "credential.id", "credential.kind", "credential.lookup", "entry.id",
    ]

    private static let ofVaults = ["account", "agent", "credential", "entry", "item", "l2_entry"]

    @Test(arguments: ofVaults, Moment.allCases) func aChangedColumnIsRefused(_ table: String, _ moment: Moment)
        async throws
    {
        let node = try TestVault()
        let columns = try node.file().all("SELECT name, type FROM pragma_table_info(?)", .text(table)) {
            ($0.text(0), $0.text(1))
        }
        for (column, type) in columns {
            let value =
                switch type {
                case "INTEGER": "COALESCE(\(column), 0) + 1"
                case "TEXT": "\(column) || 'x'"
                default:
                    "CAST(COALESCE(substr(\(column), 1, length(\(column)) - 1), x'')"
                        + " || CASE substr(\(column), -1) WHEN x'5a' THEN x'5b' ELSE x'5a' END AS BLOB)"
                }
            try await FileWriter.each(table) { writer, row in
                try await writer.attack(
                    moment, "UPDATE \(table) SET \(column) = \(value) WHERE \(row)", "\(table).\(column)",
                    isUnreachable: Self.identifying.contains("\(table).\(column)"))
            }
        }
    }

    @Test(arguments: ofVaults, Moment.allCases) func aRemovedRowIsMissed(_ table: String, _ moment: Moment) async throws
    {
        try await FileWriter.each(table) { writer, row in
            try await writer.attack(moment, "DELETE FROM \(table) WHERE \(row)", "\(table) where \(row)")
        }
    }

    @Test(arguments: ofVaults, Moment.allCases) func anOlderRowIsRefused(_ table: String, _ moment: Moment) async throws
    {
        try await FileWriter.each(table) { writer, row in
            try writer.copy()
            try await writer.changeEverything()
            try await writer.attack(
                moment,
                "INSERT OR REPLACE INTO \(table) SELECT * FROM old.\(table) WHERE \(row) EXCEPT SELECT * FROM \(table)",
                "\(table) where \(row)", maySkip: true, isUnreachable: table == "item")
        }
    }

    @Test(arguments: ofVaults, Moment.allCases) func exchangedColumnsAreRefused(_ table: String, _ moment: Moment)
        async throws
    {
        let node = try TestVault()
        let columns = try node.file().all("SELECT name FROM pragma_table_info(?) WHERE pk = 0", .text(table)) {
            $0.text(0)
        }
        for column in columns {
            let writer = try await FileWriter()
            // Two rows at least have different values, or there is nothing to exchange.
            let sql = """
                CREATE TEMP TABLE exchanged AS SELECT rowid AS at, \(column) AS value FROM \(table)
                    WHERE rowid IN (SELECT min(rowid) FROM \(table) UNION ALL SELECT max(rowid) FROM \(table));
                UPDATE OR IGNORE \(table) SET \(column) = (SELECT value FROM temp.exchanged WHERE at <> \(table).rowid)
                    WHERE rowid IN (SELECT at FROM temp.exchanged) AND \(column) IS NOT (
                        SELECT value FROM temp.exchanged WHERE at <> \(table).rowid);
                """
            try await writer.attack(
                moment, sql, "\(table).\(column)", isExchange: true, maySkip: true,
                isUnreachable: Self.identifying.contains("\(table).\(column)"))
        }
    }
}

/// A node with a vault of everything, and somebody who writes to its file.
private struct FileWriter {
    let node: TestVault
    let ada = Person("ada@example.org", kit: Token(.recoveryKit))
    let bob = Person("bob@example.org")
    let session: Accounts.NewSession
    let owner: Principal
    let other: Token
    let entry: EntryView
    let l2: L2Writer
    let robot: TestAgent
    let second: TestAgent
    let codes: [String]

    init() async throws {
        node = try TestVault()
        try await node.register(ada)
        session = try await node.login(ada)
        owner = try await node.principal(session.token)
        let generator = try #require(TOTP(try await node.accounts.beginSecondFactor(as: owner)))
        codes = try await node.accounts.confirmSecondFactor(
            generator.code(at: node.moments.now), proof: ada.proof(), as: owner)
        _ = try await node.addPasskey(proof: ada.proof(codes[6]), as: owner)
        _ = try await node.entries.create(.login(), id: nil, as: owner)
        var login = EntryEdit.login(tags: ["t"])
        let id = EntryID.random()
        var writer = L2Writer(ada, entry: id)
        login.fields.append(writer.field(.random()))
        login.l2 = writer.write
        entry = try await node.entries.create(login, id: id, as: owner)
        l2 = writer
        let card = EntryID.random()
        var another = L2Writer(ada, entry: card)
        let hidden = another.field(.random())
        _ = try await node.entries.create(
            EntryEdit(title: "Card", fields: [hidden], l2: another.write), id: card, as: owner)
        second = try await node.agent("second", grants: [], policy: AgentPolicy(verbs: [.deposit]), as: owner)
        robot = try await node.agent(grants: [.tag("t")], policy: AgentPolicy(verbs: [.read], maxUses: 9), as: owner)
        other = try await node.login(bob, registering: true).token
        // Everything is in memory before anything is written to the file.
        for use in uses(of: node, as: owner) { #expect(await thrown { try await use() } == nil) }
    }

    /// A condition for each of Ada's rows in a table.
    private func rows(of table: String) throws -> [String] {
        let key = ["account": "vault", "l2_entry": "entry"][table] ?? "id"
        let file = try node.file()
        // Statements are static, scripts are not.
        try file.script(
            "CREATE TEMP TABLE found AS SELECT \(key) AS id FROM \(table) WHERE vault = x'\(ada.vault.bytes.hex)' ORDER BY rowid"
        )
        return try file.all("SELECT id FROM temp.found") { "\(key) = x'\($0.blob(0).hex)'" }
    }

    /// Runs `attack` on each of Ada's rows in a table, each time on a node of its own.
    static func each(_ table: String, _ attack: (FileWriter, String) async throws -> Void) async throws {
        var (next, count) = (0, 1)
        while next < count {
            let writer = try await FileWriter()
            let rows = try writer.rows(of: table)
            count = rows.count
            try await attack(writer, rows[next])
            next += 1
        }
        #expect(count > 0)
    }

    /// Copies the file as it is now.
    func copy() throws { try node.file().script("VACUUM INTO '\(node.scratch.file("old.db"))'") }

    /// Changes each of Ada's rows, as she would.
    func changeEverything() async throws {
        var writer = l2
        let hidden = writer.field(.random(), label: "another", version: 2)
        _ = try await node.entries.update(
            entry.id, ifVersion: 1, EntryEdit(title: "new", fields: [hidden], l2: writer.write), as: owner)
        for view in try await node.entries.list(limit: 9, as: owner).entries where view.id != entry.id {
            try await node.entries.trash(view.id, ifVersion: nil, as: owner)
        }
        for agent in try await node.agents.list(limit: 9, as: owner).items {
            _ = try await node.agents.update(agent.id, name: nil, grants: nil, policy: nil, isPaused: true, as: owner)
        }
        _ = try await node.changePassword(ada, to: Person("ada@example.org"), code: codes[5], as: owner)
    }

    /// What reads Ada's rows, each in its own way.
    private func uses(of node: TestVault, as owner: Principal) -> [() async throws -> Void] {
        [
            { _ = try await node.principal(session.token) },
            { _ = try await node.principal(robot) },
            { _ = try await node.principal(second) },
            { _ = try await node.accounts.profile(as: owner) },
            { _ = try await node.accounts.sessions(as: owner) },
            { _ = try await node.accounts.credentials(as: owner) },
            { _ = try await node.entries.list(limit: 100, as: owner) },
            { _ = try await node.entries.list(.trashed, limit: 100, as: owner) },
            { _ = try await node.entries.list(.deposit, limit: 100, as: owner) },
            { _ = try await node.agents.list(limit: 100, as: owner) },
            { _ = try await node.entries.read(entry.field("password"), of: entry.id, as: owner) },
            { _ = try await node.entries.create(.login(), id: nil, as: owner) },
        ]
    }

    /// Runs SQL as an attacker. Afterwards Ada's vault is served to nobody, Bob's is as before, and the verification finds it.
    ///
    /// `isUnreachable`: Whether the row may be one that nothing finds any more. Then the verification finds it.
    func attack(
        _ moment: FileWriterTests.Moment, _ sql: String, _ what: String, isExchange: Bool = false,
        maySkip: Bool = false,
        isUnreachable: Bool = false
    ) async throws {
        let file = try node.file()
        try? file.script("ATTACH '\(node.scratch.file("old.db"))' AS old")
        let before = file.totalChanges
        // A constraint may refuse it.
        guard (try? file.script(sql)) != nil, file.totalChanges > before else {
            // The ordinal of the next entry is taken.
            return #expect(maySkip || what.hasSuffix(".ordinal"), "\(what): nothing was written")
        }
        let attacked =
            moment == .running ? node : try TestVault(opening: node.scratch, root: node.root, moments: node.moments)
        let now = try? await attacked.principal(try await attacked.login(ada, code: codes[0]).token)
        for use in uses(of: attacked, as: now ?? owner) { _ = await thrown { try await use() } }
        let request = Accounts.Recovery(
            email: ada.email, proof: .init(kind: .recovery, secret: Person.kitKey(try #require(ada.kit)), code: nil),
            device: nil)
        _ = await thrown { try await attacked.accounts.beginRecovery(request, from: TestVault.home) }
        let findings = await findings(of: attacked)
        #expect(!findings.isEmpty, "\(what)")
        if !isExchange {
            #expect(await thrown { try await attacked.principal(other) } == nil, "\(what): another vault")
        }
        let errors = [
            await thrown { try await attacked.principal(session.token) },
            await thrown { try await attacked.principal(robot) },
        ]
        if isUnreachable {
            // A row that nothing finds any more: then tokens work as before, or not at all.
            for error in errors { #expect(error == nil || error is AuthError || isDamage(error), "\(what): \(error!)") }
            return
        }
        // A token whose row was removed or moved is one that nobody made.
        #expect(errors.allSatisfy { isDamage($0) || $0 as? AuthError == .badToken }, "\(what): \(errors)")
        #expect(errors.contains { isDamage($0) }, "\(what): \(errors)")
    }

    private func findings(of node: TestVault) async -> [String] {
        do {
            return try await node.verification().findings
        } catch {
            return ["\(error)"]
        }
    }
}

extension TestVault {
    fileprivate func login(_ person: Person, registering: Bool) async throws -> Accounts.NewSession {
        if registering { try await register(person) }
        return try await login(person)
    }
}
