import Auth
import OneTimePasswords
import TestSupport
import Testing
import Vault
import VaultFormat

/// Operations on a read-only node.
@Suite struct ReadOnlyTests {
    let node: TestVault
    let owner: Principal
    let entry: EntryView
    let robot: TestAgent
    let deposit: EntryID
    /// Another client's session, opened with the owner's password.
    let thief: Accounts.NewSession
    let codes: [String]
    let passkey: TestPasskey

    /// Recovery codes of the second factor, each valid once.
    var code: String { codes[0] }

    init() async throws {
        node = try TestVault()
        let owner = try await node.owner(Person(kit: Token(.recoveryKit)))
        self.owner = owner
        thief = try await node.login(Person())
        let generator = try #require(TOTP(try await node.accounts.beginSecondFactor(as: owner)))
        codes = try await node.accounts.confirmSecondFactor(
            generator.code(at: node.moments.now), proof: Person().proof(), as: owner)
        passkey = try await node.addPasskey(proof: Person().proof(codes[1]), as: owner)
        entry = try await node.entries.create(.login(tags: ["work"]), id: nil, as: owner)
        robot = try await node.agent(
            grants: [.tag("work")], policy: AgentPolicy(verbs: [.read, .write, .deposit], maxUses: 3), as: owner)
        deposit = try await node.entries.deposit(.login(), as: try await node.principal(robot))
        _ = try await node.entries.update(
            entry.id, ifVersion: 1, .value("sealed", of: entry.field("password")), as: owner)
    }

    private func read(as principal: Principal) async throws -> String? {
        try await node.value(entry.field("password"), of: entry.id, as: principal)
    }

    @Test(arguments: [NodeHealth.Fault.damaged, .diskFull]) func readsContinueAndAreLogged(_ fault: NodeHealth.Fault)
        async throws
    {
        node.health.note(fault)
        let before = try node.count("SELECT count(*) FROM audit")
        let values = [try await read(as: owner), try await read(as: try await node.principal(robot))]
        let after = try node.count("SELECT count(*) FROM audit")
        #expect(values == ["sealed", "sealed"])
        #expect(after == before + 2)
    }

    @Test func usesAreStillCountedAndLimited() async throws {
        node.health.note(.damaged)
        let agent = try await node.principal(robot)
        for _ in 0..<2 { _ = try await read(as: agent) }
        await #expect(throws: VaultError.usesExhausted) { try await read(as: agent) }
    }

    @Test func aSealedKeyStaysSealed() async throws {
        let before = try node.count("SELECT sum(is_sealed) FROM wrap")
        node.health.note(.damaged)
        _ = try await read(as: try await node.principal(robot))
        let after = try node.count("SELECT sum(is_sealed) FROM wrap")
        #expect(before > 0)
        #expect(after == before)
    }

    @Test func aSessionInUseContinues() async throws {
        let token = thief.token
        node.health.note(.damaged)
        node.moments.advance(by: 3_600)
        let principal = try await node.principal(token)
        #expect(principal.vault == owner.vault)
    }

    @Test func failuresAreStillLogged() async throws {
        node.health.note(.damaged)
        let before = try node.count("SELECT count(*) FROM audit")
        let error = await thrown { try await node.login(Person(password: "wrong")) }
        let after = try node.count("SELECT count(*) FROM audit")
        #expect(error as? AuthError == .badCredentials)
        #expect(after == before + 1)
    }

    struct Case: CustomTestStringConvertible {
        var testDescription: String
        /// A code is used up, with a line that says so, whether or not the request succeeds.
        var usesCode = false
        var run: @Sendable (ReadOnlyTests) async throws -> Void
    }

    @Test(arguments: [
        Case(testDescription: "create") { _ = try await $0.node.entries.create(.login(), id: nil, as: $0.owner) },
        Case(testDescription: "update") {
            _ = try await $0.node.entries.update($0.entry.id, ifVersion: 2, EntryEdit(title: "x"), as: $0.owner)
        },
        Case(testDescription: "deposit") {
            _ = try await $0.node.entries.deposit(.login(), as: try await $0.node.principal($0.robot))
        },
        Case(testDescription: "create an agent") { _ = try await $0.node.agent(grants: [.tag("x")], as: $0.owner) },
        Case(testDescription: "resume an agent") {
            _ = try await $0.node.agents.update(
                $0.robot.id, name: nil, grants: nil, policy: nil, isPaused: false, as: $0.owner)
        },
        Case(testDescription: "rotate an agent") { _ = try await $0.node.rotate($0.robot, as: $0.owner) },
        Case(testDescription: "begin with a second factor") {
            _ = try await $0.node.accounts.beginSecondFactor(as: $0.owner)
        },
        Case(testDescription: "disable the second factor", usesCode: true) {
            try await $0.node.accounts.endSecondFactor(proof: Person().proof($0.code), as: $0.owner)
        },
        Case(testDescription: "register") { try await $0.node.register(Person("bob@example.org")) },
        Case(testDescription: "add a passkey", usesCode: true) {
            _ = try await $0.node.addPasskey(proof: Person().proof($0.code), as: $0.owner)
        },
        Case(testDescription: "rename a passkey") {
            try await $0.node.accounts.renamePasskey($0.passkey.id, to: "x", as: $0.owner)
        },
        Case(testDescription: "change the password", usesCode: true) {
            _ = try await $0.node.changePassword(Person(), to: Person(), code: $0.code, as: $0.owner)
        },
    ])
    func changesAreRefused(_ example: Case) async throws {
        let before = try node.count("SELECT (SELECT count(*) FROM audit) + (SELECT count(*) FROM holder)")
        node.health.note(.damaged)
        let error = await thrown { try await example.run(self) }
        let after = try node.count("SELECT (SELECT count(*) FROM audit) + (SELECT count(*) FROM holder)")
        #expect(error as? VaultError == .readOnly("damaged"))
        #expect(after == before + (example.usesCode ? 1 : 0))
    }

    private static let reductions = [
        Case(testDescription: "revoke an agent") { test in
            try await test.node.agents.revoke(test.robot.id, as: test.owner)
            let error = await thrown { try await test.node.principal(test.robot) }
            #expect(error as? AuthError == .badToken)
        },
        Case(testDescription: "pause an agent") { test in
            _ = try await test.node.agents.update(
                test.robot.id, name: nil, grants: nil, policy: nil, isPaused: true, as: test.owner)
            let error = await thrown { try await test.node.principal(test.robot) }
            #expect(error as? AuthError == .tokenRefused("paused"))
        },
        Case(testDescription: "end a session") { test in
            try await test.node.accounts.end(test.thief.id, as: test.owner)
            let error = await thrown { try await test.node.principal(test.thief.token) }
            #expect(error as? AuthError == .badToken)
        },
        Case(testDescription: "sign out") { try await $0.node.accounts.end(nil, as: $0.owner) },
        Case(testDescription: "trash an entry") { test in
            try await test.node.entries.trash(test.entry.id, ifVersion: nil, as: test.owner)
            let error = await thrown { try await test.read(as: try await test.node.principal(test.robot)) }
            #expect(error as? VaultError == .noSuchField)
        },
        Case(testDescription: "purge an entry") {
            try await $0.node.entries.trash($0.entry.id, ifVersion: nil, as: $0.owner)
            try await $0.node.entries.purge($0.entry.id, as: $0.owner)
        },
        Case(testDescription: "delete a deposit") { try await $0.node.entries.reject($0.deposit, as: $0.owner) },
        Case(testDescription: "remove the kit") {
            try await $0.node.accounts.setRecovery(nil, proof: Person().proof($0.code), as: $0.owner)
        },
        Case(testDescription: "remove a passkey") {
            try await $0.node.accounts.removePasskey($0.passkey.id, proof: Person().proof($0.code), as: $0.owner)
        },
        Case(testDescription: "sign in with a passkey") { _ = try await $0.node.login($0.passkey) },
        Case(testDescription: "sign in, to do one of these") { _ = try await $0.node.login(Person(), code: $0.code) },
        Case(testDescription: "delete the account") { try await $0.node.accounts.delete(as: $0.owner) },
    ]

    @Test(arguments: [NodeHealth.Fault.damaged, .diskFull], reductions)
    func revokingAndFreeingSpaceContinueAndAreLogged(_ fault: NodeHealth.Fault, _ example: Case) async throws {
        let before = try node.count("SELECT count(*) FROM audit")
        node.health.note(fault)
        try await example.run(self)
        let after = try node.count("SELECT count(*) FROM audit")
        #expect(after > before)
    }

    @Test(arguments: reductions)
    func withoutSpaceForRevocationsReadsAreRefusedToo(_ example: Case) async throws {
        node.health.note(.ioError)
        let error = await thrown { try await example.run(self) }
        let reading = await thrown { try await read(as: try await node.principal(robot)) }
        #expect(error as? VaultError == .readOnly("io-error"))
        #expect(reading as? VaultError == .readOnly("io-error"))
    }

    @Test func afterAFailedFsyncNoSecretIsRead() async throws {
        node.health.note(.ioError)
        await #expect(throws: VaultError.readOnly("io-error")) { try await read(as: owner) }
    }

    @Test func metadataIsStillListed() async throws {
        node.health.note(.ioError)
        let titles = try await node.entries.list(limit: 5, as: owner).entries.map(\.title)
        #expect(titles == ["Bank"])
    }
}
