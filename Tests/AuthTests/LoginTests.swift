import Auth
import Crypto
import IPNetworks
import TestSupport
import Testing
import Vault

@Suite struct LoginTests {
    let node: TestVault
    let ada = Person("ada@example.org")
    let wrong = Person("ada@example.org", password: "wrong")
    let nobody = Person("nobody@example.org")

    init() throws {
        node = try TestVault()
    }

    private func lines() throws -> Int { try node.count("SELECT count(*) FROM audit") }

    @Test func aWrongPasswordAndAnUnknownAddressGetTheSameAnswer() async throws {
        try await node.register(ada)
        let known = await thrown { try await node.login(wrong) } as? AuthError
        let unknown = await thrown { try await node.login(nobody) } as? AuthError
        #expect(known == .badCredentials)
        #expect(unknown == .badCredentials)
    }

    @Test func eachFailureLeavesOneAuditLine() async throws {
        try await node.register(ada)
        let start = try lines()
        _ = await thrown { try await node.login(wrong) }
        let afterWrong = try lines()
        _ = await thrown { try await node.login(nobody) }
        let afterUnknown = try lines()
        #expect(afterWrong == start + 1)
        #expect(afterUnknown == start + 2)
    }

    @Test func theOwnerSeesFailedAttempts() async throws {
        let owner = try await node.owner(ada)
        _ = await thrown { try await node.login(wrong, from: IPAddress("198.51.100.9")) }
        let event = try #require(try await node.events(as: owner).first)
        #expect(event.action == .login)
        #expect(event.outcome == .failed)
        #expect(event.actor.kind == .unauthenticated)
        #expect(event.from == "198.51.100.9")
    }

    @Test func aLoginIsOnRecord() async throws {
        let owner = try await node.owner(ada)
        let event = try #require(try await node.events(as: owner).first)
        #expect(event.action == .login && event.outcome == .ok)
    }

    @Test func tenThousandGuessesLockNoOtherClientOut() async throws {
        try await node.register(ada)
        try await node.register(Person("bob@example.org"))
        let device = try await node.login(ada).device
        // An unknown client on a third network.
        let cafe = IPAddress("203.0.113.5")
        var refused = 0
        for _ in 0..<10_000 {
            if case .tooManyAttempts = await thrown({ try await node.login(wrong, from: cafe) }) as? AuthError {
                refused += 1
            }
        }
        #expect(refused == 9_990)
        let honest = try await node.login(ada, device: device, from: IPAddress("203.0.113.77"))
        let other = try await node.login(Person("bob@example.org"), from: IPAddress("203.0.113.78"))
        #expect(honest.vault == ada.vault)
        #expect(other.expires > node.moments.now)
        let count = try lines()
        #expect(count < 20, "the disk is not filled")
    }

    @Test func theOwnerIsNotLockedOutAtHomeByGuessesFromElsewhere() async throws {
        try await node.register(ada)
        for number in 0..<300 {
            _ = await thrown { try await node.login(wrong, from: IPAddress(bytes: [10, 0, UInt8(number % 200), 1])) }
        }
        let session = try await node.login(ada)
        #expect(session.vault == ada.vault)
    }

    @Test func aCorrectPasswordAfterTooManyWrongOnesWaits() async throws {
        try await node.register(ada)
        for _ in 0..<10 { _ = await thrown { try await node.login(wrong) } }
        await #expect(throws: AuthError.tooManyAttempts(retryAfter: 90)) { try await node.login(ada) }
        node.moments.advance(by: 90)
        _ = try await node.login(ada)
    }

    @Test func aForgedDeviceGivesNoExemption() async throws {
        try await node.register(ada)
        let real = try await node.login(ada).device
        var forged = real
        forged[0] ^= 1
        for _ in 0..<10 { _ = await thrown { try await node.login(wrong) } }
        let withForged = await thrown { try await node.login(ada, device: forged) }
        let withReal = await thrown { try await node.login(ada, device: real) }
        #expect(withForged as? AuthError == .tooManyAttempts(retryAfter: 90))
        #expect(withReal == nil)
    }

    @Test func aDeviceOfOneAccountIsUnknownToAnother() async throws {
        try await node.register(ada)
        let thief = Person("thief@example.org")
        try await node.register(thief)
        let device = try await node.login(thief).device
        for _ in 0..<10 { _ = await thrown { try await node.login(wrong, device: device) } }
        let error = await thrown { try await node.login(wrong, device: device) }
        #expect(error as? AuthError == .tooManyAttempts(retryAfter: 90))
    }

    @Test func aKnownDeviceKeepsItsProof() async throws {
        try await node.register(ada)
        let first = try await node.login(ada).device
        let second = try await node.login(ada, device: first).device
        let third = try await node.login(ada).device
        #expect(second == first)
        #expect(third != first)
    }

    @Test func noSessionIsOpenedWithoutItsAuditLine() async throws {
        try await node.register(ada)
        try await node.sabotage(
            "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT abs(-9223372036854775808); END")
        let error = await thrown { try await node.login(ada) }
        let sessions = try node.count("SELECT count(*) FROM credential WHERE kind = 'session'")
        #expect(error != nil)
        #expect(sessions == 0)
    }

    @Test func noFailureIsAnsweredWithoutItsAuditLine() async throws {
        try await node.register(ada)
        try await node.sabotage(
            "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT abs(-9223372036854775808); END")
        for _ in 0..<2 {
            let error = await thrown { try await node.login(wrong) }
            #expect(error != nil && error as? AuthError != .badCredentials)
        }
    }
}
