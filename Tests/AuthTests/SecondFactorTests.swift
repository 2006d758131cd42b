import Auth
import TestSupport
import Testing
import Vault

@Suite struct SecondFactorTests {
    let node: TestVault
    let ada = Person("ada@example.org", kit: Token(.recoveryKit))

    init() throws {
        node = try TestVault()
    }

    /// Switches it on; the generator and the recovery codes. The code that confirmed it is spent.
    private func enable(as owner: Caller) async throws -> (TOTP, [String]) {
        let generator = try #require(TOTP(try await node.accounts.beginSecondFactor(as: owner)))
        let codes = try await node.accounts.confirmSecondFactor(generator.code(at: node.moments.now), as: owner)
        node.moments.advance(by: 60)
        return (generator, codes)
    }

    private func login(_ code: String?) async -> AuthError? {
        await thrown { try await node.login(ada, code: code) } as? AuthError
    }

    @Test func withoutACodeItIsAskedFor() async throws {
        _ = try await enable(as: try await node.owner(ada))
        let error = await login(nil)
        #expect(error == .secondFactorNeeded)
    }

    @Test func aCodeLetsIn() async throws {
        let (generator, _) = try await enable(as: try await node.owner(ada))
        let error = await login(generator.code(at: node.moments.now))
        #expect(error == nil)
    }

    @Test func aCodeWorksOnce() async throws {
        let (generator, _) = try await enable(as: try await node.owner(ada))
        let code = generator.code(at: node.moments.now)
        let errors = [await login(code), await login(code)]
        #expect(errors == [nil, .secondFactorWrong])
    }

    @Test func theCodeThatConfirmedItIsSpent() async throws {
        let owner = try await node.owner(ada)
        let generator = try #require(TOTP(try await node.accounts.beginSecondFactor(as: owner)))
        let code = generator.code(at: node.moments.now)
        _ = try await node.accounts.confirmSecondFactor(code, as: owner)
        let error = await login(code)
        #expect(error == .secondFactorWrong)
    }

    @Test(.timeLimit(.minutes(15))) func aCodeWorksOnceForManyAtOnce() async throws {
        let (generator, _) = try await enable(as: try await node.owner(ada))
        let code = generator.code(at: node.moments.now)
        let successes = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<8 { group.addTask { await self.login(code) == nil } }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(successes == 1)
    }

    @Test func aRecoveryCodeWorksOnceHoweverItIsTyped() async throws {
        let (_, codes) = try await enable(as: try await node.owner(ada))
        #expect(codes.count == 10 && Set(codes).count == 10)
        let errors = [
            await login(codes[0].uppercased()), await login(codes[0]),
            await login(codes[1].filter { $0 != "-" }), await login(codes[2].replacing("-", with: " ")),
        ]
        #expect(errors == [nil, .secondFactorWrong, nil, nil])
    }

    @Test func wrongCodesSpendTheSameBudgetAsWrongPasswords() async throws {
        let (generator, _) = try await enable(as: try await node.owner(ada))
        for _ in 0..<10 { _ = await login("000000") }
        let error = await login(generator.code(at: node.moments.now))
        #expect(error == .tooManyAttempts(retryAfter: 90))
    }

    @Test func manyWrongCodesAtOnceSpendItToo() async throws {
        _ = try await enable(as: try await node.owner(ada))
        let tried = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<40 { group.addTask { await self.login("000000") == .secondFactorWrong } }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(tried <= 11)
    }

    @Test func aWrongCodeIsOnRecord() async throws {
        let owner = try await node.owner(ada)
        _ = try await enable(as: owner)
        _ = await login("000000")
        let event = try #require(try await node.events(as: owner).first)
        #expect(event.outcome == .failed && event.reason == "second-factor")
    }

    @Test func untilItIsConfirmedItIsNotAskedFor() async throws {
        let owner = try await node.owner(ada)
        _ = try await node.accounts.beginSecondFactor(as: owner)
        let wrong = await thrown { try await node.accounts.confirmSecondFactor("000000", as: owner) }
        let error = await login(nil)
        #expect(wrong as? AuthError == .secondFactorWrong)
        #expect(error == nil)
    }

    @Test func nothingBegunNothingConfirmed() async throws {
        let owner = try await node.owner(ada)
        await #expect(throws: AuthError.notEnabled) { try await node.accounts.confirmSecondFactor("000000", as: owner) }
        await #expect(throws: AuthError.notEnabled) { try await node.accounts.endSecondFactor(as: owner) }
    }

    @Test func itCanBeSwitchedOff() async throws {
        let owner = try await node.owner(ada)
        _ = try await enable(as: owner)
        try await node.accounts.endSecondFactor(as: owner)
        let error = await login(nil)
        #expect(error == nil)
    }

    @Test func aKitNeedsItToo() async throws {
        let (_, codes) = try await enable(as: try await node.owner(ada))
        let kit = try #require(ada.kit)
        let without = await thrown { try await node.recover(ada, kit: kit) } as? AuthError
        let with = await thrown { try await node.recover(ada, kit: kit, code: codes[3]) }
        #expect(without == .secondFactorNeeded)
        #expect(with == nil)
    }

    @Test func itSurvivesAChangeOfPasswordCodesAndAll() async throws {
        let owner = try await node.owner(ada)
        let (generator, codes) = try await enable(as: owner)
        let spent = generator.code(at: node.moments.now)
        _ = await login(spent)
        _ = try await node.accounts.changePassword(ada.secrets, recovery: nil, as: owner)
        let errors = [await login(nil), await login(spent), await login(codes[0])]
        #expect(errors == [.secondFactorNeeded, .secondFactorWrong, nil])
    }

    @Test func aWrongPasswordIsToldBeforeTheCodeIsLookedAt() async throws {
        let (generator, _) = try await enable(as: try await node.owner(ada))
        let wrong = Person("ada@example.org", password: "wrong")
        let error = await thrown { try await node.login(wrong, code: generator.code(at: node.moments.now)) }
        #expect(error as? AuthError == .badCredentials)
    }
}
