import Auth
import Crypto
import Encoding
import IPNetworks
import Secrets
import TestSupport
import Testing
import Vault
import VaultFormat

@Suite struct InviteTests {
    let node: TestVault
    let ada = Person("ada@example.org")

    init() throws {
        var options = TestVault.Options()
        options.registration = .invite
        node = try TestVault(options)
    }

    private var invite: String { node.keys.makeInvite(expires: node.moments.now + 3_600) }

    @Test func anInvitationAllowsRegistration() async throws {
        try await node.register(ada, invite: invite)
        let session = try await node.login(ada)
        #expect(session.vault == ada.vault)
    }

    @Test func withoutOneNobodyGetsIn() async {
        await #expect(throws: AuthError.inviteNeeded) { try await node.register(ada) }
    }

    @Test func anInvitationIsRedeemedOnce() async throws {
        let invite = invite
        try await node.register(ada, invite: invite)
        await #expect(throws: AuthError.inviteNeeded) {
            try await node.register(Person("bob@example.org"), invite: invite)
        }
    }

    @Test func anInvitationIsRedeemedOnceByConcurrentRequests() async throws {
        let invite = invite
        let registered = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<10 {
                group.addTask { [node] in
                    await thrown { try await node.register(Person("\(number)@example.org"), invite: invite) } == nil
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(registered == 1)
    }

    @Test func aFailedRegistrationDoesNotRedeemIt() async throws {
        try await node.register(ada, invite: invite)
        let second = invite
        await #expect(throws: AuthError.emailTaken) { try await node.register(ada, invite: second) }
        try await node.register(Person("bob@example.org"), invite: second)
    }

    @Test func anExpiredOneLetsNobodyIn() async {
        let invite = invite
        node.moments.advance(by: 3_600)
        await #expect(throws: AuthError.inviteNeeded) { try await node.register(ada, invite: invite) }
    }

    @Test func anotherNodesInvitationIsRefused() async throws {
        let other = try TestVault()
        let invite = other.keys.makeInvite(expires: node.moments.now + 3_600)
        await #expect(throws: AuthError.inviteNeeded) { try await node.register(ada, invite: invite) }
    }

    @Test func anExtendedInvitationIsRefused() async throws {
        // A valid token with the attacker's payload: only the node can compute its code.
        let secret = Array(try #require(Token(invite)).secret.bytes)
        let later = (node.moments.now + 999_999).bigEndianBytes + secret.dropFirst(8)
        let forged = Token(.invite, secret: SymmetricKey(data: later)).text
        await #expect(throws: AuthError.inviteNeeded) { try await node.register(ada, invite: forged) }
    }

    @Test func guessesAtInvitationsAreLimited() async throws {
        for _ in 0..<30 {
            _ = await thrown { try await node.register(ada, invite: Token(.invite).text) }
        }
        let error = await thrown { try await node.register(ada, invite: invite) }
        #expect(error as? AuthError == .tooManyAttempts(retryAfter: 120))
    }

    @Test func anotherTokenIsNotAnInvitation() async throws {
        let secret = try #require(Token(invite)).secret
        await #expect(throws: AuthError.inviteNeeded) {
            try await node.register(ada, invite: Token(.agent, secret: secret).text)
        }
    }

    /// Otherwise concurrent requests would all be admitted before the first account exists.
    @Test func concurrentRegistrationsAreLimitedLikeSequentialOnes() async throws {
        let node = try TestVault()
        let made = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<60 {
                group.addTask {
                    await thrown { try await node.register(Person("p\(number)@example.org")) } == nil
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(made == 30)
        // Other failures are not counted.
        node.moments.advance(by: 240)
        let taken = await thrown { try await node.register(Person("p0@example.org")) }
        let next = await thrown { try await node.register(Person("q@example.org")) }
        #expect(taken != nil)
        #expect(next == nil)
    }
}
