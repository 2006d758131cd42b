import Auth
import Dispatch
import SQLite
import Storage
import TestSupport
import Testing
import Vault
import VaultFormat

/// Reading several values in one request, and finding entries by title.
@Suite struct ReadSeveralTests {
    let node: TestVault
    let owner: Principal
    let bank: EntryView
    let mail: EntryView

    init() async throws {
        node = try TestVault()
        owner = try await node.owner()
        bank = try await node.entries.create(.login("Bank", tags: ["t"]), id: nil, as: owner)
        mail = try await node.entries.create(
            .login("Mail", ["username": "bob", "password": "correct"]), id: nil, as: owner)
    }

    private func read(_ fields: [(EntryView, String)], as principal: Principal) async throws -> [String] {
        try await read(fields.map { ($0.0.id, $0.0.field($0.1)) }, as: principal)
    }

    private func read(_ fields: [(EntryID, FieldID)], as principal: Principal) async throws -> [String] {
        let bytes = try await node.entries.read(fields.map { (entry: $0.0, field: $0.1) }, as: principal) {
            content, bytes in
            if case .value(let value) = content.content {
                bytes += value.utf8
            } else {
                bytes += content.field.label.utf8
            }
            bytes.append(0)
        }
        return bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }

    private func reads() async throws -> [AuditEvent] {
        try await node.events(as: owner).filter { $0.action == .valueRead }
    }

    /// The owner revokes the entry between look-up and response.
    @Test func aFieldRevokedMeanwhileIsNotRead() async throws {
        let robot = try await node.agent(grants: [.tag("t")], as: owner)
        let principal = try await node.principal(robot)
        let (store, id, owner) = (node.store, bank.id, owner)
        let line = try node.audit.seal(AuditEvent(.entryUpdate, by: .init(.node)), vault: owner.vault)
        let fields = ["username", "password"].map { (entry: bank.id, field: bank.field($0)) }
        await #expect(throws: VaultError.noSuchField) {
            try await node.entries.read(fields, as: principal) { content, _ in
                guard content.field.label == "password" else { return }
                let done = DispatchSemaphore(value: 0)
                Task.detached {
                    try? await store.commit(
                        [.dropAgentWraps(id, nil, owner: owner.holder.id, vault: owner.vault)], [line])
                    done.signal()
                }
                done.wait()
            }
        }
        #expect(try await reads().isEmpty)
    }

    @Test func valuesComeInOrderAndEachIsLogged() async throws {
        let values = try await read([(mail, "password"), (bank, "username"), (mail, "username")], as: owner)
        #expect(values == ["correct", "ada", "bob"])
        #expect(
            try await reads().map(\.field) == [
                // Newest first.
                mail.field("username").text, bank.field("username").text, mail.field("password").text,
            ])
    }

    @Test func oneMissingFieldFailsAll() async throws {
        let robot = try await node.agent(grants: [.tag("t")], as: owner)
        let principal = try await node.principal(robot)
        for missing in [(mail, "password"), (bank, "nothing")] {
            let error = await thrown { try await read([(bank, "password"), missing], as: principal) }
            #expect(error as? VaultError == .noSuchField)
        }
        #expect(try await reads().isEmpty)
        #expect(try await read([(bank, "password"), (bank, "username")], as: principal) == ["hunter2", "ada"])
    }

    @Test func eachValueCountsAsAUse() async throws {
        let robot = try await node.agent(grants: [.tag("t")], policy: AgentPolicy(maxUses: 3), as: owner)
        let principal = try await node.principal(robot)
        let both = [(bank, "password"), (bank, "username")]
        _ = try await read(both, as: principal)
        let error = await thrown { try await read(both, as: principal) }
        #expect(error as? VaultError == .usesExhausted)
        #expect(try await node.agents.view(robot.id, as: owner).uses == 2)
        #expect(try await reads().count == 2)
        #expect(try await read([both[0]], as: principal) == ["hunter2"])
    }

    /// Requests that a token does not allow use no operations of the vault.
    @Test func aRefusedUseCostsNoOperation() async throws {
        var options = TestVault.Options()
        options.quotas[.operationsPerDay] = 20
        let node = try TestVault(options)
        let owner = try await node.owner()
        let bank = try await node.entries.create(.login("Bank", tags: ["t"]), id: nil, as: owner)
        let robot = try await node.agent(
            grants: [.tag("t")], policy: AgentPolicy(verbs: [.read, .write], maxUses: 1), as: owner)
        let principal = try await node.principal(robot)
        let both = ["password", "username"].map { (entry: bank.id, field: bank.field($0)) }
        for _ in 0..<50 {
            let many = await thrown { try await node.entries.read(both, as: principal) { _, _ in } }
            #expect(many as? VaultError == .usesExhausted)
            let stale = await thrown {
                try await node.entries.update(bank.id, ifVersion: 7, EntryEdit(title: nil), as: principal)
            }
            #expect(stale as? VaultError == .changedSince(version: 1))
        }
        _ = try await node.value(bank.field("password"), of: bank.id, as: principal)
    }

    @Test func eachValueCountsAgainstTheRate() async throws {
        let robot = try await node.agent(grants: [.tag("t")], policy: AgentPolicy(ratePerMinute: 3), as: owner)
        let principal = try await node.principal(robot)
        let both = [(bank, "password"), (bank, "username")]
        _ = try await read(both, as: principal)
        #expect(await thrown { try await read(both, as: principal) } as? VaultError == .rateLimited(retryAfter: 20))
        node.moments.advance(by: 20)
        _ = try await read(both, as: principal)
    }

    @Test(arguments: [0, 65]) func theNumberOfValuesIsLimited(_ count: Int) async {
        let error = await thrown { try await read((0..<count).map { _ in (bank.id, FieldID.random()) }, as: owner) }
        guard case .invalid("values", _)? = error as? VaultError else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    /// Otherwise a small request could have a large response.
    @Test func noFieldIsReadTwice() async throws {
        let twice = [(mail, "password"), (bank, "password"), (mail, "password")]
        #expect(
            await thrown { try await read(twice, as: owner) } as? VaultError
                == .invalid("values", "must not name a field twice"))
        #expect(try await reads().isEmpty)
    }

    @Test func aResponseIsBounded() async throws {
        let long = String(repeating: "x", count: EntryLimits.value)
        var fields: [(EntryID, FieldID)] = []
        for number in 0..<4 {
            let edit = EntryEdit(
                title: "\(number)",
                fields: (0..<16).map { .init(label: "\($0)", kind: .secret, content: .value(long)) })
            let entry = try await node.entries.create(edit, id: nil, as: owner)
            fields += entry.fields.map { (entry.id, $0.id) }
        }
        #expect(fields.count == 64)
        #expect(
            await thrown { try await read(fields, as: owner) } as? VaultError
                == .invalid("values", "must have at most 2 MiB together; read fewer at once"))
        #expect(try await reads().isEmpty, "nothing is on record of what was not given out")
        #expect(try await read(Array(fields.prefix(31)), as: owner).count == 31)
    }

    /// A token that expires during its request reads nothing.
    @Test func anExpiredAgentReadsNothing() async throws {
        let policy = AgentPolicy(expiresAt: node.moments.now + 60)
        let robot = try await node.agent(grants: [.tag("t")], policy: policy, as: owner)
        let principal = try await node.principal(robot)
        node.moments.advance(by: 60)
        #expect(await thrown { try await read([(bank, "password")], as: principal) } as? VaultError == .principalGone)
        let one = await thrown { try await node.entries.read(bank.field("password"), of: bank.id, as: principal) }
        #expect(one as? VaultError == .principalGone)
        #expect(await thrown { try await node.entries.list(limit: 5, as: principal) } as? VaultError == .principalGone)
        #expect(await thrown { try await node.entries.view(bank.id, as: principal) } as? VaultError == .principalGone)
        #expect(try await reads().isEmpty)
    }

    // MARK: By title

    /// A page is limited in bytes too, and the rest is on the next page.
    @Test func manyEntriesOfOneTitleComeInPages() async throws {
        let notes = String(repeating: "n", count: EntryLimits.notes)
        var ids: Set<EntryID> = []
        for _ in 0..<40 {
            var edit = EntryEdit.login("Same")
            edit.notes = notes
            ids.insert(try await node.entries.create(edit, id: nil, as: owner).id)
        }
        var found: [EntryID] = []
        var next: Int64? = 0
        var pages = 0
        while let order = next {
            let page = try await node.entries.search(.init(titles: ["same"]), after: order, limit: 200, as: owner)
            #expect(page.entries.count <= 17)
            found += page.entries.map(\.id)
            next = page.next
            pages += 1
        }
        #expect(pages >= 3)
        #expect(found.count == 40)
        #expect(Set(found) == ids)
    }

    private func titled(_ titles: String..., as principal: Principal) async throws -> Set<EntryID> {
        Set(try await node.entries.search(.init(titles: titles), limit: 100, as: principal).entries.map(\.id))
    }

    /// A character that is encoded as six bytes counts as six.
    @Test func aPageIsLimitedByItsResponseSize() async throws {
        for number in 0..<8 {
            var edit = EntryEdit.login("\(number)")
            edit.notes = String(repeating: "\u{1}", count: EntryLimits.notes)
            _ = try await node.entries.create(edit, id: nil, as: owner)
        }
        let page = try await node.entries.list(limit: 200, as: owner)
        #expect(page.entries.count <= 6 && page.next != nil)
    }

    @Test func aTitleMatchesCompletely() async throws {
        let second = try await node.entries.create(.login("bank"), id: nil, as: owner)
        #expect(try await titled("BANK", as: owner) == [bank.id, second.id])
        #expect(try await titled("Bank", "Mail", "Bank", as: owner) == [bank.id, second.id, mail.id])
        #expect(try await titled("Ban", as: owner).isEmpty)
        let robot = try await node.agent(grants: [.tag("t")], as: owner)
        let principal = try await node.principal(robot)
        #expect(try await titled("bank", "mail", as: principal) == [bank.id])
    }

    @Test func onlyTheCurrentTitleMatches() async throws {
        _ = try await node.entries.update(bank.id, ifVersion: 1, EntryEdit(title: "Savings"), as: owner)
        #expect(try await titled("Bank", as: owner).isEmpty)
        #expect(try await titled("savings", as: owner) == [bank.id])
        try await node.entries.trash(bank.id, ifVersion: nil, as: owner)
        #expect(try await titled("savings", as: owner).isEmpty)
        _ = try await node.entries.untrash(bank.id, as: owner)
        #expect(try await titled("savings", as: owner) == [bank.id])
        let robot = try await node.agent(grants: [], policy: AgentPolicy(verbs: [.deposit]), as: owner)
        let deposit = try await node.entries.deposit(.login("Parcel"), as: try await node.principal(robot))
        #expect(try await titled("parcel", as: owner).isEmpty)
        _ = try await node.entries.accept(deposit, as: owner)
        #expect(try await titled("parcel", as: owner) == [deposit])
    }

    @Test func titlesExcludeOtherCriteria() async throws {
        let mixed = await thrown {
            try await node.entries.search(.init(tag: "t", titles: ["Bank"]), limit: 10, as: owner)
        }
        let many = await thrown {
            try await node.entries.search(.init(titles: (0..<65).map { "\($0)" }), limit: 10, as: owner)
        }
        for error in [mixed, many] {
            guard case .invalid("titles", _)? = error as? VaultError else {
                Issue.record("\(String(describing: error))")
                continue
            }
        }
    }

    @Test func aDomainMatchesItsHosts() async throws {
        let shop = try await node.entries.create(
            .login("Shop", urls: ["https://www.shop.example.org/login", "https://192.0.2.7"]), id: nil, as: owner)
        for (host, isFound) in [
            ("example.org", true), ("shop.example.org", true), ("WWW.shop.example.org", true), ("org", false),
            ("hop.example.org", false), ("a.www.shop.example.org", false), ("192.0.2.7", true), ("2.7", false),
        ] {
            let found = try await node.entries.search(.init(host: host), limit: 10, as: owner).entries
            #expect(found.map(\.id) == (isFound ? [shop.id] : []), "\(host)")
        }
    }
}
