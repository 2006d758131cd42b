import Auth
import TestSupport
import Testing
import Vault
import VaultFormat

@Suite struct SessionTests {
    let node: TestVault
    let ada = Person("ada@example.org")

    init() throws {
        var options = TestVault.Options()
        options.sessionLifetime = 10_000
        options.sessionIdle = 1_000
        options.quotas[.sessions] = 3
        node = try TestVault(options)
    }

    private func works(_ token: Token) async -> Bool {
        await thrown { try await node.principal(token) } == nil
    }

    @Test func aSessionEndsAfterIdleTime() async throws {
        try await node.register(ada)
        let token = try await node.login(ada).token
        node.moments.advance(by: 999)
        let stillWorks = await works(token)
        node.moments.advance(by: 1_000)
        let error = await thrown { try await node.principal(token) }
        #expect(stillWorks)
        #expect(error as? AuthError == .sessionExpired)
    }

    @Test func useKeepsASessionAlive() async throws {
        try await node.register(ada)
        let token = try await node.login(ada).token
        for _ in 0..<9 {
            node.moments.advance(by: 990)
            let works = await works(token)
            #expect(works)
        }
    }

    @Test func useDoesNotExtendItsLifetime() async throws {
        try await node.register(ada)
        let session = try await node.login(ada)
        while node.moments.now + 500 < session.expires {
            node.moments.advance(by: 500)
            _ = try await node.principal(session.token)
        }
        node.moments.set(session.expires - 1)
        let before = await works(session.token)
        node.moments.set(session.expires)
        let after = await thrown { try await node.principal(session.token) }
        #expect(before)
        #expect(after as? AuthError == .sessionExpired)
    }

    @Test func anEndedSessionIsDeleted() async throws {
        try await node.register(ada)
        let token = try await node.login(ada).token
        node.moments.advance(by: 5_000)
        _ = await thrown { try await node.principal(token) }
        let left = try node.count("SELECT count(*) FROM credential WHERE kind = 'session'")
        let again = await thrown { try await node.principal(token) }
        #expect(left == 0)
        #expect(again as? AuthError == .badToken)
    }

    @Test func theOldestGivesWay() async throws {
        try await node.register(ada)
        var tokens: [Token] = []
        for _ in 0..<5 {
            tokens.append(try await node.login(ada).token)
            node.moments.advance(by: 10)
        }
        var working: [Bool] = []
        for token in tokens { working.append(await works(token)) }
        #expect(working == [false, false, true, true, true])
    }

    @Test func concurrentLoginsKeepTheSessionLimit() async throws {
        try await node.register(ada)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<12 { group.addTask { [node, ada] in _ = await thrown { try await node.login(ada) } } }
        }
        let sessions = try node.count("SELECT count(*) FROM credential WHERE kind = 'session'")
        #expect(sessions == 3)
    }

    @Test func signingOutEndsOnlyThisSession() async throws {
        try await node.register(ada)
        let here = try await node.login(ada).token
        let there = try await node.login(ada).token
        try await node.accounts.end(nil, as: try await node.principal(here))
        let working = [await works(here), await works(there)]
        #expect(working == [false, true])
    }

    @Test func anOwnerEndsAnotherSession() async throws {
        try await node.register(ada)
        let here = try await node.login(ada).token
        let there = try await node.login(ada)
        let owner = try await node.principal(here)
        try await node.accounts.end(there.id, as: owner)
        let works = await works(there.token)
        let event = try await node.events(as: owner).first
        #expect(!works)
        #expect(event?.action == .logout && event?.subject == there.id.text)
    }

    @Test func aSessionOfAnotherAccountCannotBeEnded() async throws {
        let bob = try await node.owner(Person("bob@example.org"))
        try await node.register(ada)
        let hers = try await node.login(ada)
        await #expect(throws: AuthError.noSuchSession) { try await node.accounts.end(hers.id, as: bob) }
        let works = await works(hers.token)
        #expect(works)
    }

    struct Bad: CustomTestStringConvertible {
        var testDescription: String
        var text: String
    }

    /// Of concurrent requests to end one session one is logged.
    @Test func aSessionEndsOnce() async throws {
        let owner = try await node.owner()
        let errors = await withTaskGroup { group in
            for _ in 0..<20 { group.addTask { await thrown { try await node.accounts.end(nil, as: owner) } } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(errors.count { $0 == nil } == 1)
        let again = try await node.principal(try await node.login(Person()).token)
        #expect(try await node.events(as: again).count { $0.action == .logout } == 1)
    }

    @Test(arguments: [
        Bad(testDescription: "nothing", text: ""),
        Bad(testDescription: "a typo", text: String(Token(.session).text.dropLast()) + "!"),
        Bad(testDescription: "unknown", text: Token(.session).text),
        Bad(testDescription: "an unknown agent's", text: Token(.agent).text),
        Bad(testDescription: "a kit", text: Token(.recoveryKit).text),
        Bad(testDescription: "a root key", text: Token(.rootKey).text),
    ])
    func anInvalidTokenIsRefusedAndLogged(_ example: Bad) async throws {
        await #expect(throws: AuthError.badToken) {
            try await node.authenticator.principal(token: example.text, from: TestVault.home, on: nil)
        }
        let lines = try node.count("SELECT count(*) FROM audit")
        #expect(lines == 1)
    }

    @Test func aFreshSessionIsRequiredForPermanentAccess() async throws {
        let owner = try await node.owner(ada)
        node.moments.advance(by: 600)
        let errors = [
            await thrown { try await node.accounts.beginSecondFactor(as: owner) },
            await thrown { try await node.accounts.delete(as: owner) },
            await thrown { try await node.agent(grants: [.tag("x")], as: owner) },
        ]
        #expect(errors.allSatisfy { $0 as? VaultError == .reauthenticate })
    }

    @Test func justBeforeTenMinutesItIsFresh() async throws {
        let owner = try await node.owner(ada)
        node.moments.advance(by: 599)
        _ = try await node.accounts.beginSecondFactor(as: owner)
    }

    @Test func onOneConnectionAKeyHolderIsOpenedOnceAndARevokedTokenIsRefused() async throws {
        try await node.register(ada)
        let token = try await node.login(ada).token
        let connection = OpenHolders()
        let owner = try await node.principal(token, on: connection)
        _ = try await node.principal(token, on: connection)
        try await node.accounts.end(nil, as: owner)
        let error = await thrown { try await node.principal(token, on: connection) }
        #expect(error as? AuthError == .badToken)
    }
}
