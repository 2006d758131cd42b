import Auth
import Crypto
import IPNetworks
import OneTimePasswords
import SQLite
import Storage
import TestSupport
import Testing
import Vault
import VaultFormat

@Suite struct PasskeyTests {
    let node: TestVault
    let ada = Person("ada@example.org", kit: Token(.recoveryKit))

    init() throws {
        node = try TestVault()
    }

    func owner() async throws -> (Principal, TestPasskey) {
        let owner = try await node.owner(ada)
        // The list is in the order of time.
        node.moments.advance(by: 1)
        let wrapped = ada.wrapped(under: Self.l2WrapKey)
        return (owner, try await node.addPasskey(l2Key: wrapped, proof: ada.proof(), as: owner))
    }

    static let l2WrapKey = SymmetricKey(size: .bits256)

    // MARK: Sign-in

    @Test func aPasskeyOpensTheVaultWithoutAnAddress() async throws {
        let (owner, passkey) = try await owner()
        let entry = try await node.entries.create(.login(), id: nil, as: owner)
        let session = try await node.login(passkey, credentialID: passkey.credentialID)
        let new = try await node.principal(session.token)
        let value = try await node.value(entry.field("password"), of: entry.id, as: new)
        let event = try await node.events(as: new).first { $0.action == .login }
        let generation: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 1]
        let key = try Box.openKey(
            try #require(session.wrappedL2Key), key: Self.l2WrapKey,
            context: Context("l2key", ada.vault.bytes, generation))
        #expect(value == "hunter2")
        #expect(event?.action == .login && event?.reason == "passkey" && event?.outcome == .ok)
        #expect(key == ada.l2Key && session.l2Generation == 1)
    }

    @Test func aPasskeyThatOpensNoL2ValuesSignsInAllTheSame() async throws {
        let owner = try await node.owner(ada)
        node.moments.advance(by: 1)
        let passkey = try await node.addPasskey(proof: ada.proof(), as: owner)
        let session = try await node.login(passkey)
        #expect(session.wrappedL2Key == nil)
        #expect(try await node.accounts.credentials(as: owner).last?.opensL2 == false)
    }

    @Test func itStandsForTheSecondFactor() async throws {
        let owner = try await node.owner(ada)
        let generator = try #require(TOTP(try await node.accounts.beginSecondFactor(as: owner)))
        let codes = try await node.accounts.confirmSecondFactor(
            generator.code(at: node.moments.now), proof: ada.proof(), as: owner)
        let passkey = try await node.addPasskey(proof: ada.proof(codes[0]), as: owner)
        let session = try await node.login(passkey)
        // Also as a proof: no code is asked for.
        let proof = try passkey.proof(node.accounts.passkeyChallenge().challenge)
        try await node.accounts.endSecondFactor(proof: proof, as: try await node.principal(session.token))
        let login = await thrown { try await node.login(ada) }
        #expect(login == nil)
    }

    @Test func aReplayedAssertionIsRefused() async throws {
        let (owner, passkey) = try await owner()
        let assertion = try passkey.assertion(node.accounts.passkeyChallenge().challenge)
        _ = try await node.login(passkey, assertion: assertion)
        let again = await thrown { try await node.login(passkey, assertion: assertion) }
        let event = try await node.events(as: owner).first
        #expect(again as? AuthError == .badCredentials)
        #expect(event?.action == .login && event?.outcome == .failed && event?.reason == "passkey")
    }

    @Test func anAssertionOfAnOlderChallengeIsRefused() async throws {
        let (_, passkey) = try await owner()
        let older = try passkey.assertion(node.accounts.passkeyChallenge().challenge)
        let newer = try passkey.assertion(node.accounts.passkeyChallenge().challenge)
        _ = try await node.login(passkey, assertion: newer)
        let error = await thrown { try await node.login(passkey, assertion: older) }
        #expect(error as? AuthError == .badCredentials)
    }

    /// Each passkey has its own last challenge, so that a slower device is not refused.
    @Test func aSlowerDeviceSignsInAfterAFasterOne() async throws {
        let (owner, fast) = try await owner()
        let slow = try await node.addPasskey("Phone", proof: ada.proof(), as: owner)
        let older = try slow.assertion(node.accounts.passkeyChallenge().challenge)
        _ = try await node.login(fast)
        let error = await thrown { try await node.login(slow, assertion: older) }
        #expect(error == nil)
    }

    @Test func aChallengeIsValidForFiveMinutes() async throws {
        let (_, passkey) = try await owner()
        let first = try passkey.assertion(node.accounts.passkeyChallenge().challenge)
        node.moments.advance(by: 300)
        let justInTime = await thrown { try await node.login(passkey, assertion: first) }
        let second = try passkey.assertion(node.accounts.passkeyChallenge().challenge)
        node.moments.advance(by: 301)
        let late = await thrown { try await node.login(passkey, assertion: second) }
        #expect(justInTime == nil)
        #expect(late as? AuthError == .badCredentials)
    }

    @Test(.timeLimit(.minutes(5))) func ofConcurrentSignInsWithOneAssertionOneSucceeds() async throws {
        let (_, passkey) = try await owner()
        let assertion = try passkey.assertion(node.accounts.passkeyChallenge().challenge)
        let successes = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<6 {
                group.addTask { await thrown { try await self.node.login(passkey, assertion: assertion) } == nil }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(successes == 1)
    }

    struct Spoiled: CustomTestStringConvertible {
        var testDescription: String
        var make: @Sendable (TestPasskey, [UInt8]) throws -> PasskeyAssertion
    }

    @Test(arguments: [
        Spoiled(testDescription: "another origin") { try $0.assertion($1, origin: "https://localhost.example") },
        Spoiled(testDescription: "another rpId") { try $0.assertion($1, relyingParty: "example") },
        Spoiled(testDescription: "another type") { try $0.assertion($1, type: "webauthn.create") },
        Spoiled(testDescription: "a frame") { try $0.assertion($1, crossOrigin: true) },
        Spoiled(testDescription: "user not verified") { try $0.assertion($1, flags: 1) },
        Spoiled(testDescription: "another key") { try TestPasskey().assertion($1) },
        Spoiled(testDescription: "a challenge of nobody") { passkey, _ in
            try passkey.assertion([UInt8](repeating: 7, count: 40))
        },
    ])
    func theKeyAloneIsNotEnough(_ example: Spoiled) async throws {
        let (_, passkey) = try await owner()
        let assertion = try example.make(passkey, node.accounts.passkeyChallenge().challenge)
        let error = await thrown { try await node.login(passkey, assertion: assertion) }
        #expect(error as? AuthError == .badCredentials)
    }

    @Test func anotherCredentialIDIsRefused() async throws {
        let (_, passkey) = try await owner()
        let error = await thrown { try await node.login(passkey, credentialID: [1, 2, 3]) }
        #expect(error as? AuthError == .badCredentials)
    }

    /// A passkey's secret is no token, although both are found by the same look-up.
    @Test func itsKeyAsATokenOpensNothing() async throws {
        let (_, passkey) = try await owner()
        for kind in [Token.Kind.session, .agent] {
            let error = await thrown { try await node.principal(Token(kind, secret: passkey.authKey)) }
            #expect(error as? AuthError == .badToken)
        }
    }

    @Test func unknownPasskeysAreLimitedByNetworkAndLogged() async throws {
        try await node.register(ada)
        let before = try node.count("SELECT count(*) FROM audit")
        var (refused, waiting) = (0, 0)
        for _ in 0..<320 {
            switch await thrown({ try await node.login(TestPasskey()) }) as? AuthError {
            case .badCredentials: refused += 1
            case .tooManyAttempts: waiting += 1
            default: break
            }
        }
        #expect(refused == 300 && waiting == 20)
        #expect(try node.count("SELECT count(*) FROM audit") == before + 1)
        let other = await thrown { try await node.login(ada, from: .init("198.51.100.9")) }
        #expect(other == nil)
    }

    @Test func failuresCountAgainstTheAccount() async throws {
        let (_, passkey) = try await owner()
        let wrong = try passkey.assertion([1])
        for _ in 0..<10 { _ = await thrown { try await node.login(passkey, assertion: wrong) } }
        let error = await thrown { try await node.login(passkey) }
        #expect(error as? AuthError == .tooManyAttempts(retryAfter: 90))
    }

    /// While a sign-in waits for the vault's lock, the owner removes the passkey.
    @Test(.timeLimit(.minutes(5))) func aPasskeyThatIsRemovedMeanwhileIsRejected() async throws {
        let (_, passkey) = try await owner()
        let waiting = try await node.locks.withLock(ada.vault) {
            let login = Task { [node] in try await node.login(passkey) }
            try await eventually("the sign-in waits") { node.locks.hasUrgent(ada.vault) }
            let line = try node.audit.seal(AuditEvent(.passkeyChange, by: .init(.owner)), vault: ada.vault)
            try await node.store.commit([.deleteCredential(passkey.id)], [line])
            return login
        }
        #expect(await thrown { try await waiting.value } as? AuthError == .badCredentials)
    }
}
