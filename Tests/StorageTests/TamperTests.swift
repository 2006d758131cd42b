import Auth
import Crypto
import SQLite
import Storage
import TestSupport
import Testing
import Vault
import VaultFormat

/// An attacker who can write to the file without a key can only cause damage, which is detected and reported.
@Suite struct TamperTests {
    let node: TestVault
    let owner: Principal
    let entry: EntryView
    let username: FieldID
    let password: FieldID
    let robot: TestAgent

    init() async throws {
        node = try TestVault()
        owner = try await node.owner()
        entry = try await node.entries.create(.login(tags: ["work"]), id: nil, as: owner)
        username = entry.field("username")
        password = entry.field("password")
        robot = try await node.agent(
            grants: [.tag("work")], policy: AgentPolicy(verbs: [.read, .write, .deposit]), as: owner)
    }

    private func place(_ field: FieldID, version: Int = 1) -> FieldPlace {
        FieldPlace(vault: owner.vault, entry: entry.id, field: field, tier: .l1, version: version)
    }

    private func readError(_ field: FieldID, as principal: Principal? = nil) async -> (any Error)? {
        await thrown { try await node.value(field, of: entry.id, as: principal ?? owner) }
    }

    private func put(_ wrap: Wrap) throws {
        try node.file().run(
            "INSERT OR REPLACE INTO wrap (holder, entry, field, part, version, is_sealed, box) VALUES (?, ?, ?, 0, ?, ?, ?)",
            .blob(wrap.holder.bytes), .blob(wrap.place.entry.bytes), .blob(wrap.place.field.bytes),
            .integer(wrap.place.version), .integer(wrap.isSealed ? 1 : 0), .blob(wrap.box))
    }

    @Test func swappedValuesDoNotOpen() async throws {
        let file = try node.file()
        let a = Value.blob(username.bytes)
        let b = Value.blob(password.bytes)
        try file.run("UPDATE value SET box = (SELECT o.box FROM value o WHERE o.field = ?2) WHERE field = ?1", a, b)
        let error = await readError(username)
        #expect(isDamage(error))
    }

    @Test func swappedValuesWithTheirWrapsDoNotOpen() async throws {
        let file = try node.file()
        let spare = Value.blob(FieldID.random().bytes)
        for table in 0..<2 {
            for (from, to) in [
                (Value.blob(username.bytes), spare), (.blob(password.bytes), .blob(username.bytes)),
                (spare, .blob(password.bytes)),
            ] {
                if table == 0 {
                    try file.run("UPDATE value SET field = ? WHERE field = ?", to, from)
                } else {
                    try file.run("UPDATE wrap SET field = ? WHERE field = ?", to, from)
                }
            }
        }
        let errors = [await readError(username), await readError(password)]
        #expect(errors.allSatisfy { isDamage($0) })
    }

    @Test func anotherVaultsRowsDoNotOpenHere() async throws {
        let bob = try await node.owner(Person("bob@example.org"))
        let his = try await node.entries.create(.login(), id: nil, as: bob)
        try node.file().run(
            "UPDATE value SET box = (SELECT o.box FROM value o WHERE o.field = ?2) WHERE field = ?1",
            .blob(password.bytes), .blob(his.field("password").bytes))
        let error = await readError(password)
        #expect(isDamage(error))
    }

    @Test(arguments: [false, true]) func anOldValuesBoxPutBackDoesNotOpen(withItsKey: Bool) async throws {
        let file = try node.file()
        let field = Value.blob(password.bytes)
        let value = try #require(try file.first("SELECT box FROM value WHERE field = ?", field) { $0.blob(0) })
        let wrap = try #require(
            try file.first(
                "SELECT box FROM wrap WHERE field = ? AND holder = ?", field, .blob(owner.holder.id.bytes)
            ) { $0.blob(0) })
        _ = try await node.entries.update(entry.id, ifVersion: 1, .value("new", of: password), as: owner)
        try file.run("UPDATE value SET box = ? WHERE field = ? AND version = 2", .blob(value), field)
        if withItsKey { try file.run("UPDATE wrap SET box = ? WHERE field = ? AND version = 2", .blob(wrap), field) }
        let error = await readError(password)
        #expect(isDamage(error))
    }

    @Test func theVerificationFindsAnOldVersionMadeCurrent() async throws {
        // The reader cannot know: the row is whole. The log does.
        _ = try await node.entries.update(entry.id, ifVersion: 1, .value("new", of: password), as: owner)
        let before = try await node.verification().findings
        try node.file().run("DELETE FROM value WHERE field = ? AND version = 2", .blob(password.bytes))
        try node.file().run("DELETE FROM wrap WHERE field = ? AND version = 2", .blob(password.bytes))
        try node.file().run("UPDATE value SET is_current = 1 WHERE field = ?", .blob(password.bytes))
        let after = try await node.verification().findings
        #expect(before == [])
        #expect(!after.isEmpty)
    }

    /// The owner narrows an agent; the record with the wider grants is put back. The next edit must not seal the new value to it.
    @Test(arguments: [
        "UPDATE value SET is_current = 0 WHERE entry = x'%' AND version = 2",
        "DELETE FROM value WHERE entry = x'%' AND version = 2",
    ])
    func anOlderGrantsRecordIsNotUsed(_ hiding: String) async throws {
        let narrowed = try await node.agent("narrowed", grants: [.entry(entry.id)], as: owner)
        try await node.store.database.copy(to: node.scratch.file("old.db"))
        _ = try await node.agents.update(
            narrowed.id, name: nil, grants: [.entry(entry.id, [entry.field("username")])], policy: nil, isPaused: nil,
            as: owner)
        let (file, id, holder) = (try node.file(), narrowed.id.bytes.hex, narrowed.holder.id.bytes.hex)
        try file.script("ATTACH '\(node.scratch.file("old.db"))' AS old")
        try file.script("INSERT OR REPLACE INTO value SELECT * FROM old.value WHERE entry = x'\(id)'")
        try file.script("INSERT OR REPLACE INTO wrap SELECT * FROM old.wrap WHERE entry = x'\(id)'")
        try file.script(hiding.replacing("%", with: id))
        let error = await thrown {
            try await node.entries.update(entry.id, ifVersion: entry.version, .value("new", of: password), as: owner)
        }
        #expect(isDamage(error))
        try file.script(
            "CREATE TEMP TABLE held AS SELECT * FROM wrap WHERE holder = x'\(holder)' AND field = x'\(password.bytes.hex)'"
        )
        #expect(try file.first("SELECT count(*) FROM temp.held") { $0.int(0) } == 0)
    }

    @Test func theVerificationFindsARevokedAgentsRestoredRows() async throws {
        try await node.store.database.copy(to: node.scratch.file("old.db"))
        try await node.agents.revoke(robot.id, as: owner)
        let before = try await node.verification().findings
        let file = try node.file()
        try file.script("ATTACH '\(node.scratch.file("old.db"))' AS old")
        for table in ["holder", "credential", "agent", "wrap"] {
            try file.script("INSERT OR IGNORE INTO \(table) SELECT * FROM old.\(table)")
        }
        let after = try await node.verification().findings
        #expect(before == [])
        #expect(!after.isEmpty)
    }

    @Test func aPlantedSymmetricWrapDoesNotOpen() async throws {
        // A value and a key of the attacker's, wrapped as well as he can without the owner's secret.
        let place = place(password)
        let key = SymmetricKey(size: .bits256)
        let forger = HolderKey(id: owner.holder.id, secret: SymmetricKey(size: .bits256))
        let text = PaddedPlaintext.encode(Array("planted".utf8))
        try node.file().run(
            "UPDATE value SET box = ? WHERE field = ? AND part = 0",
            .blob(Box.seal(text, key: key, context: place.valueContext)),
            .blob(password.bytes))
        try put(forger.wrap(key, at: place))
        let error = await readError(password)
        #expect(isDamage(error))
    }

    @Test func aPlantedSealedWrapWithoutARootSecretBoxDoesNotOpen() async throws {
        // Everybody could seal to a public key; only the root box says that a node did.
        let place = place(password)
        let key = SymmetricKey(size: .bits256)
        let context = place.wrapContext(for: owner.holder.id)
        let sealed = try SealedWrap.seal(key, to: try owner.holder.sealingKey().publicKey, context: context)
        let text = PaddedPlaintext.encode(Array("planted".utf8))
        try node.file().run(
            "UPDATE value SET box = ? WHERE field = ? AND part = 0",
            .blob(Box.seal(text, key: key, context: place.valueContext)),
            .blob(password.bytes))
        for box in [sealed, RootKeys.generate().seal(sealed, context: context.outer())] {
            try put(Wrap(place: place, holder: owner.holder.id, isSealed: true, box: box))
            let error = await readError(password)
            #expect(error is RootBoxError)
        }
    }

    @Test func aSubstitutedPublicKeyIsNotSealedTo() async throws {
        // The attacker's public key in the owner's row: boxed by another root, and copied from an agent's.
        let attacker = HolderKey(id: owner.holder.id, secret: SymmetricKey(size: .bits256))
        let foreign = RootKeys.generate()
        let keys = try NodeKeys(root: foreign, stored: NodeKeys.makeStored(root: foreign))
        let planted = try attacker.storedPublicKey(vault: owner.vault, of: owner.id, keys: keys)
        let copied = try #require(
            try node.file().first("SELECT public_key FROM holder WHERE id = ?", .blob(robot.holder.id.bytes)) {
                $0.blob(0)
            })
        let agent = try await node.principal(robot)
        for row in [planted, copied] {
            try node.file().run(
                "UPDATE holder SET public_key = ? WHERE id = ?", .blob(row), .blob(owner.holder.id.bytes))
            let write = await thrown {
                try await node.entries.update(entry.id, ifVersion: 1, .value("x", of: password), as: agent)
            }
            let deposit = await thrown { try await node.entries.deposit(.login(), as: agent) }
            #expect(write is RootBoxError)
            #expect(deposit is RootBoxError)
        }
    }

    @Test func anAgentMadeOwnerInTheFileIsNotSealedTo() async throws {
        // Its public key is genuine; that it is the owner's is what the file's writer claims.
        let spy = try await node.agent(grants: [.tag("nothing")], as: owner)
        let file = try node.file()
        try file.run("UPDATE account SET owner = ?", .blob(spy.holder.id.bytes))
        let agent = try await node.principal(robot)
        let before = try await node.verification().findings
        let error = await thrown { try await node.entries.deposit(.login(), as: agent) }
        let wraps = try file.first("SELECT count(*) FROM wrap WHERE holder = ?", .blob(spy.holder.id.bytes)) {
            $0.int(0)
        }
        #expect(!before.isEmpty, "at the latest when the node next verifies")
        #expect(error != nil)
        #expect(wraps == 0)
    }

    @Test func anotherNodesCredentialOpensNothing() async throws {
        let other = try TestVault()
        var twin = Person()
        twin.vault = owner.vault
        _ = try await other.owner(twin)
        // The same address, vault and password there: the row alone is another root's.
        let row = try #require(
            try other.file().first("SELECT id, holder, box, l2_key FROM credential WHERE kind = 'password'") { row in
                (row.blob(0), row.blob(1), row.blob(2), row.blob(3))
            })
        try node.file().run(
            "UPDATE credential SET id = ?, holder = ?, box = ?, l2_key = ? WHERE kind = 'password'", .blob(row.0),
            .blob(row.1), .blob(row.2), .blob(row.3))
        let error = await thrown { try await node.login(twin) }
        #expect(error as? VaultError == .vaultDamaged)
    }

    @Test func aSessionsEndInTheFileIsNotProlonged() async throws {
        let session = try await node.login(Person())
        try node.file().script("UPDATE credential SET expires = expires + 99999 WHERE kind = 'session'")
        let error = await thrown { try await node.principal(session.token) }
        #expect(error as? VaultError == .vaultDamaged)
    }

    @Test func aCredentialOfAnotherKindOrVaultOpensNothing() async throws {
        let bob = try await node.owner(Person("bob@example.org"))
        for sql in [
            "UPDATE credential SET kind = 'session', expires = 9999999999 WHERE kind = 'agent'",
            "UPDATE credential SET kind = 'agent', vault = x'\(bob.vault.bytes.hex)' WHERE holder = x'\(robot.holder.id.bytes.hex)'",
        ] {
            try node.file().script(sql)
            let error = await thrown { try await node.principal(robot.token) }
            #expect(isDamage(error) || error as? AuthError == .badToken)
        }
    }

    struct Target: CustomTestStringConvertible {
        var table: String
        var column: String
        var use: @Sendable (TamperTests) async throws -> Void
        var testDescription: String { "\(table).\(column)" }
    }

    @Test(arguments: [
        Target(table: "value", column: "box") {
            _ = try await $0.node.value($0.password, of: $0.entry.id, as: $0.owner)
        },
        Target(table: "wrap", column: "box") {
            _ = try await $0.node.value($0.password, of: $0.entry.id, as: $0.owner)
        },
        Target(table: "item", column: "box") { _ = try await $0.node.entries.create(.login(), id: nil, as: $0.owner) },
        Target(table: "agent", column: "policy") { _ = try await $0.node.principal($0.robot) },
        Target(table: "holder", column: "public_key") {
            _ = try await $0.node.entries.create(.login(), id: nil, as: $0.owner)
        },
        Target(table: "credential", column: "box") { _ = try await $0.node.login(Person()) },
        Target(table: "credential", column: "l2_key") { _ = try await $0.node.login(Person()) },
        Target(table: "account", column: "email") { _ = try await $0.node.accounts.profile(as: $0.owner) },
        Target(table: "account", column: "audit_key") { suite in
            suite.node.audit.evictKey(of: suite.owner.vault)
            _ = try await suite.node.value(suite.password, of: suite.entry.id, as: suite.owner)
        },
    ])
    func aFlippedByteInASecretBoxIsDamage(_ target: Target) async throws {
        let before = await thrown { try await target.use(self) }
        let column = "\"\(target.column)\""
        try node.file().script(
            """
            UPDATE "\(target.table)" SET \(column) = CAST(substr(\(column), 1, 70)
                || CASE substr(\(column), 71, 1) WHEN x'5a' THEN x'5b' ELSE x'5a' END || substr(\(column), 72) AS BLOB)
            """)
        let after = await thrown { try await target.use(self) }
        #expect(before == nil)
        #expect(isDamage(after), "\(String(describing: after))")
    }
}
