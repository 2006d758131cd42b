import Auth
import Crypto
import SQLite
import Storage
import TestSupport
import Testing
import Vault
import VaultFormat

/// Fields that an agent can open, through the node and with a stolen file.
@Suite struct AgentGrantTests {
    let node: TestVault
    let owner: Principal
    let bank: EntryView
    let mail: EntryView

    init() async throws {
        node = try TestVault()
        owner = try await node.owner()
        bank = try await node.entries.create(
            .login(
                "Bank", urls: ["https://bank.example"], tags: ["money"],
                ["username": "ada", "password": "hunter2", "pin": "1234"]),
            id: nil, as: owner)
        mail = try await node.entries.create(.login("Mail", tags: ["work"]), id: nil, as: owner)
    }

    /// Every wrap in the file that a key holder's secret opens, as `entry/part`.
    private func opened(by holder: HolderKey, root: RootKeys) throws -> Set<String> {
        let rows = try node.file().all(
            """
            SELECT v.entry, v.field, v.version, v.vault, v.tier, w.is_sealed, w.box, w.holder, v.part FROM wrap w
            JOIN value v ON v.entry = w.entry AND v.field = w.field AND v.part = w.part AND v.version = w.version
            """
        ) { row -> (FieldPlace, Wrap)? in
            guard let vault = VaultID(row.blob(3)), let entry = EntryID(row.blob(0)), let field = FieldID(row.blob(1)),
                let tier = Tier(rawValue: UInt8(row.int(4))), let part = FieldPart(rawValue: UInt8(row.int(8)))
            else { return nil }
            let place = FieldPlace(
                vault: vault, entry: entry, field: field, part: part, tier: tier, version: row.int(2))
            return (place, Wrap(place: place, holder: holder.id, isSealed: row.int(5) == 1, box: row.blob(6)))
        }.compactMap { $0 }
        return Set(
            rows.compactMap { place, wrap in
                (try? holder.unwrap(wrap, root: root)) == nil ? nil : "\(place.entry.text)/\(place.partID.text)"
            })
    }

    @Test func anAgentGrantedOneFieldOpensItAndTheTitleAndNothingElse() async throws {
        let field = bank.field("password")
        let agent = try await node.principal(try await node.agent(grants: [.entry(bank.id, [field])], as: owner))
        let view = try await node.entries.view(bank.id, as: agent)
        let listed = try await node.entries.list(limit: 10, as: agent).entries
        let value = try await node.value(field, of: bank.id, as: agent)
        #expect(view.title == "Bank")
        #expect(view.fields.map(\.id) == [field])
        #expect(view.details == nil)
        #expect(listed == [view])
        #expect(value == "hunter2")
        for other in [bank.field("username"), bank.field("pin"), .title, .details, .random()] {
            await #expect(throws: VaultError.noSuchField) { try await node.value(other, of: bank.id, as: agent) }
        }
        await #expect(throws: VaultError.noSuchField) {
            try await node.value(mail.field("password"), of: mail.id, as: agent)
        }
        await #expect(throws: VaultError.noSuchEntry) { try await node.entries.view(mail.id, as: agent) }
    }

    @Test func inAStolenFileItsSecretOpensNoMore() async throws {
        let field = bank.field("password")
        let robot = try await node.agent(grants: [.entry(bank.id, [field])], as: owner)
        let all = try opened(by: owner.holder, root: node.root)
        let its = try opened(by: robot.holder, root: node.root)
        #expect(all.count == 15, "or the test looks at nothing")
        #expect(its == Set([PartID(field), PartID(field, .about), .title].map { "\(bank.id.text)/\($0.text)" }))
    }

    @Test func withoutTheRootKeyASealedWrapDoesNotOpen() async throws {
        let robot = try await node.agent(grants: [.tag("later")], as: owner)
        _ = try await node.entries.create(.login("Later", tags: ["later"]), id: nil, as: owner)
        let with = try opened(by: robot.holder, root: node.root)
        let without = try opened(by: robot.holder, root: .generate())
        #expect(with.count == 5)
        #expect(without.isEmpty)
    }

    @Test func aCredentialOpensNothingWithoutTheRootKey() async throws {
        let robot = try await node.agent(grants: [.entry(bank.id)], as: owner)
        let presented = try #require(try node.store.token(lookup: robot.token.lookup))
        #expect(throws: RootBoxError.self) { try presented.credential.open(robot.token.secret, root: .generate()) }
        let holder = try presented.credential.open(robot.token.secret, root: node.root)
        #expect(holder.secret == robot.holder.secret)
    }

    @Test func theFileContainsNoPlaintextOfTheVault() async throws {
        _ = try await node.agent("robot-name", grants: [.tag("money", ["password"])], as: owner)
        let bytes = try node.scratch.everything(beginning: TestVault.name)
        for text in [
            "hunter2", "1234\"", "password\"", "Bank", "bank.example", "money", "robot-name", "ada@example.org",
        ] {
            #expect(!bytes.holds(Array(text.utf8)), "\(text)")
        }
    }

    @Test func aGrantByTagCoversEntriesTaggedLater() async throws {
        let agent = try await node.principal(try await node.agent(grants: [.tag("Money")], as: owner))
        let later = try await node.entries.create(.login("Card", tags: ["money"]), id: nil, as: owner)
        let retagged = try await node.entries.update(
            mail.id, ifVersion: 1, EntryEdit(tags: ["work", "MONEY"]), as: owner)
        let values = [
            try await node.value(bank.field("pin"), of: bank.id, as: agent),
            try await node.value(later.field("password"), of: later.id, as: agent),
            try await node.value(retagged.field("username"), of: mail.id, as: agent),
        ]
        #expect(values == ["1234", "hunter2", "ada"])
    }

    @Test func removingTheTagRemovesTheKey() async throws {
        let robot = try await node.agent(grants: [.tag("money")], as: owner)
        let agent = try await node.principal(robot)
        _ = try await node.value(bank.field("pin"), of: bank.id, as: agent)
        _ = try await node.entries.update(bank.id, ifVersion: 1, EntryEdit(tags: ["other"]), as: owner)
        let error = await thrown { try await node.value(bank.field("pin"), of: bank.id, as: agent) }
        let its = try opened(by: robot.holder, root: node.root)
        #expect(error as? VaultError == .noSuchField)
        #expect(its.isEmpty)
    }

    @Test func aGrantByTagAndLabelCoversTheLabelledFields() async throws {
        let agent = try await node.principal(try await node.agent(grants: [.tag("money", ["PIN"])], as: owner))
        let view = try await node.entries.view(bank.id, as: agent)
        let added = try await node.entries.update(
            bank.id, ifVersion: 1, EntryEdit(fields: [.init(id: bank.field("username"), label: "pin")]), as: owner)
        let after = try await node.entries.view(bank.id, as: agent)
        #expect(view.fields.map(\.label) == ["pin"])
        #expect(added.version == 2)
        #expect(after.fields.map(\.label) == ["pin", "pin"])
    }

    @Test func aFieldAddedToAGrantedEntryIsGranted() async throws {
        let agent = try await node.principal(try await node.agent(grants: [.entry(bank.id)], as: owner))
        let added = try await node.entries.update(
            bank.id, ifVersion: 1, EntryEdit(fields: [.init(label: "puk", content: .value("8"))]), as: owner)
        let value = try await node.value(added.field("puk"), of: bank.id, as: agent)
        #expect(value == "8")
    }

    @Test func withoutAnyFieldTheTitleIsRevokedToo() async throws {
        let robot = try await node.agent(grants: [.entry(bank.id, [bank.field("pin")])], as: owner)
        _ = try await node.entries.update(
            bank.id, ifVersion: 1, EntryEdit(fields: [.init(id: bank.field("pin"), isRemoved: true)]), as: owner)
        let its = try opened(by: robot.holder, root: node.root)
        #expect(its.isEmpty)
    }

    @Test func newGrantsAddAndRemoveKeysImmediately() async throws {
        let robot = try await node.agent(grants: [.entry(bank.id)], as: owner)
        _ = try await node.agents.update(
            robot.id, name: nil, grants: [.entry(mail.id, [mail.field("password")])], policy: nil, isPaused: nil,
            as: owner)
        let its = try opened(by: robot.holder, root: node.root)
        let value = try await node.value(mail.field("password"), of: mail.id, as: try await node.principal(robot))
        let field = mail.field("password")
        #expect(its == Set([PartID(field), PartID(field, .about), .title].map { "\(mail.id.text)/\($0.text)" }))
        #expect(value == "hunter2")
    }

    @Test func anAgentNeverReadsL2() async throws {
        let id = EntryID.random()
        let field = FieldID.random()
        var writer = L2Writer(Person(), entry: id)
        var edit = EntryEdit.login(tags: ["money"])
        edit.fields.append(writer.field(field))
        edit.l2 = writer.write
        _ = try await node.entries.create(edit, id: id, as: owner)
        let agent = try await node.principal(try await node.agent(grants: [.tag("money"), .entry(id)], as: owner))
        let view = try await node.entries.view(id, as: agent)
        let error = await thrown { try await node.entries.read(field, of: id, as: agent) }
        let refused = await thrown { try await node.agent(grants: [.entry(id, [field])], as: owner) }
        #expect(view.fields.map(\.label) == ["password", "username"])
        #expect(view.l2 == nil)
        #expect(error as? VaultError == .noSuchField, "as if it were not there")
        guard case .invalid("grants.fields", _) = refused as? VaultError else {
            Issue.record("\(String(describing: refused))")
            return
        }
    }

    @Test func aFieldThatBecomesL2IsTakenFromAgents() async throws {
        let field = bank.field("password")
        let robot = try await node.agent(grants: [.entry(bank.id, [field])], as: owner)
        var writer = L2Writer(Person(), entry: bank.id)
        let hidden = writer.field(field, label: nil)
        _ = try await node.entries.update(
            bank.id, ifVersion: 1, EntryEdit(fields: [hidden], l2: writer.write), as: owner)
        let its = try opened(by: robot.holder, root: node.root)
        #expect(its.isEmpty)
    }

    @Test func anAgentSearchesByTextInItsFields() async throws {
        let agent = try await node.principal(
            try await node.agent(grants: [.entry(bank.id, [bank.field("pin")])], as: owner))
        let byLabel = try await node.entries.search(.init(text: "pin"), limit: 5, as: agent).entries.count
        let hidden = try await node.entries.search(.init(text: "money"), limit: 5, as: agent).entries.count
        let byTag = await thrown { try await node.entries.search(.init(tag: "money"), limit: 5, as: agent) }
        #expect(byLabel == 1)
        #expect(hidden == 0)
        #expect(byTag != nil)
    }
}
