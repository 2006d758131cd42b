import Auth
import Crypto
import Encoding
import IPNetworks
import TestSupport
import Testing
import Vault
import VaultFormat

@Suite struct RegistrationTests {
    let node: TestVault
    let ada = Person("ada@example.org")

    init() throws {
        node = try TestVault()
    }

    private func register(_ change: (inout Accounts.Registration) -> Void) async -> (any Error)? {
        await thrown {
            let (kdf, salt) = try node.accounts.prelogin(ada.email)
            var request = Accounts.Registration(
                email: ada.email, vault: ada.vault, kdf: kdf, salt: salt, secrets: ada.secrets, recovery: nil,
                invite: nil)
            change(&request)
            try await node.accounts.register(request, from: TestVault.home)
        }
    }

    @Test func aRegisteredOwnerLogsInAndReads() async throws {
        try await node.register(ada)
        let session = try await node.login(ada)
        let owner = try await node.principal(session.token)
        let entry = try await node.entries.create(.login(), id: nil, as: owner)
        let value = try await node.value(entry.field("password"), of: entry.id, as: owner)
        #expect(value == "hunter2")
        #expect(session.vault == ada.vault)
    }

    @Test func theWrappedL2KeyComesBackAsItWasGiven() async throws {
        try await node.register(ada)
        let session = try await node.login(ada)
        let key = try ada.openL2Key(session.wrappedL2Key)
        #expect(key == ada.l2Key)
    }

    @Test func preloginIsUnchangedByARegistration() async throws {
        let before = try node.accounts.prelogin(ada.email)
        try await node.register(ada)
        let after = try node.accounts.prelogin(ada.email)
        #expect(before.salt == after.salt)
        #expect(before.kdf == after.kdf)
        #expect(before.salt.count == 16)
    }

    @Test func preloginIsUnchangedByAChangeOfPassword() async throws {
        let before = try node.accounts.prelogin(ada.email)
        let owner = try await node.owner(ada)
        var changed = ada
        changed.password = "another"
        _ = try await node.changePassword(ada, to: changed, as: owner)
        let after = try node.accounts.prelogin(ada.email)
        #expect(before.salt == after.salt)
    }

    @Test func everyAddressAndNodeHasItsOwnSalt() throws {
        let other = try TestVault()
        let salts = [
            try node.accounts.prelogin(ada.email).salt, try other.accounts.prelogin(ada.email).salt,
            try node.accounts.prelogin(Person("bob@example.org").email).salt,
        ]
        #expect(Set(salts).count == 3)
    }

    struct Case: CustomTestStringConvertible {
        var testDescription: String
        var member: String
        var change: @Sendable (inout Accounts.Registration) -> Void
    }

    @Test(arguments: [
        Case(testDescription: "a weaker KDF", member: "kdf") { $0.kdf.iterations = 3 },
        Case(testDescription: "a stronger KDF", member: "kdf") { $0.kdf.memoryKiB = 65_536 },
        Case(testDescription: "other lanes", member: "kdf") { $0.kdf.parallelism = 1 },
        Case(testDescription: "a salt chosen by the client", member: "salt") { $0.salt[0] ^= 1 },
        Case(testDescription: "a short salt", member: "salt") { $0.salt.removeLast() },
        Case(testDescription: "no salt", member: "salt") { $0.salt = [] },
        Case(testDescription: "a short key", member: "authKey") { $0.secrets.authKey = SymmetricKey(size: .bits128) },
        Case(testDescription: "a long key", member: "authKey") {
            $0.secrets.authKey = SymmetricKey(size: .init(bitCount: 512))
        },
        Case(testDescription: "an l2Key that is not a secret box", member: "l2.wrappedKey") {
            $0.secrets.wrappedL2Key = [UInt8](repeating: 0, count: 110)
        },
        Case(testDescription: "a secret box of another length", member: "l2.wrappedKey") {
            $0.secrets.wrappedL2Key.append(0)
        },
        Case(testDescription: "a secret box with a key id", member: "l2.wrappedKey") { $0.secrets.wrappedL2Key[5] = 1 },
        Case(testDescription: "generation 2", member: "l2.generation") { $0.secrets.l2Generation = 2 },
        Case(testDescription: "a kit with an invalid secret box", member: "l2.wrappedKey") {
            $0.recovery = .init(
                id: .random(),
                secrets: .init(authKey: SymmetricKey(size: .bits256), wrappedL2Key: [1], l2Generation: 1))
        },
    ])
    func refuses(_ example: Case) async {
        let error = await register(example.change)
        guard case .invalid(let member, _) = error as? AuthError else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(member == example.member)
    }

    @Test(arguments: [
        ("ada@example.org", " ADA@Example.org "),
        // Composed and decomposed.
        ("ren\u{e9}@example.org", "rene\u{301}@example.org"), ("ren\u{e9}@example.org", "REN\u{c9}@example.org"),
        ("\u{c5}sa@example.org", "\u{212b}sa@example.org"), ("stra\u{df}e@example.org", "STRASSE@example.org"),
        ("\u{3c3}\u{3bf}\u{3c2}@example.org", "\u{3a3}\u{39f}\u{3a3}@example.org"),
        ("\u{1100}\u{1161}@example.org", "\u{ac00}@example.org"),
    ])
    func anAddressRegistersOnceInAnySpelling(_ first: String, _ second: String) async throws {
        try await node.register(Person(first))
        await #expect(throws: AuthError.emailTaken) { try await node.register(Person(second)) }
        let session = try await node.login(Person(second))
        #expect(session.expires > node.moments.now)
    }

    @Test func aRefusedRegistrationLeavesTheFirstUnchanged() async throws {
        try await node.register(ada)
        _ = await thrown { try await node.register(Person("ada@example.org", password: "a thief's")) }
        let session = try await node.login(ada)
        #expect(session.vault == ada.vault)
    }

    @Test func aVaultIDIsUsedOnce() async throws {
        try await node.register(ada)
        var bob = Person("bob@example.org")
        bob.vault = ada.vault
        await #expect(throws: AuthError.self) { try await node.register(bob) }
    }

    @Test func aRegistrationIsLogged() async throws {
        let owner = try await node.owner(ada)
        let events = try await node.events(as: owner)
        #expect(events.last?.action == .accountCreate)
        #expect(events.last?.from == "192.0.2.7")
    }

    @Test func aClosedNodeRefusesRegistrations() async throws {
        var options = TestVault.Options()
        options.registration = .closed
        let node = try TestVault(options)
        await #expect(throws: AuthError.registrationClosed) { try await node.register(ada) }
    }

    @Test func onlyCreatedAccountsCount() async throws {
        try await node.register(ada)
        for _ in 0..<40 { _ = await register { $0.kdf.iterations = 1 } }
        for _ in 0..<40 { _ = await thrown { try await node.register(ada) } }
        try await node.register(Person("bob@example.org"))
        let owner = try await node.owner(Person("carol@example.org"))
        let titles = try await node.entries.list(limit: 10, as: owner).entries
        #expect(titles.isEmpty)
    }

    @Test func atMostThirtyRegistrationsPerNetwork() async throws {
        for number in 0..<30 { try await node.register(Person("\(number)@example.org")) }
        let error = await thrown { try await node.register(Person("31@example.org")) }
        guard case .tooManyAttempts = error as? AuthError else {
            Issue.record("\(String(describing: error))")
            return
        }
        try await node.register(ada, from: IPAddress("198.51.100.1"))
    }
}
