import Auth
import IPNetworks
import OneTimePasswords
import TestSupport
import Testing
import Vault
import VaultFormat

@Suite struct SecondFactorTests {
    let node: TestVault
    let ada = Person("ada@example.org", kit: Token(.recoveryKit))

    init() throws {
        node = try TestVault()
    }

    /// Enables the second factor; returns the generator and the recovery codes. The confirming code is used up.
    func enable(as owner: Principal) async throws -> (TOTP, [String]) {
        let generator = try #require(TOTP(try await node.accounts.beginSecondFactor(as: owner)))
        let codes = try await node.accounts.confirmSecondFactor(
            generator.code(at: node.moments.now), proof: ada.proof(), as: owner)
        node.moments.advance(by: 60)
        return (generator, codes)
    }

    func login(_ code: String?) async -> AuthError? {
        await thrown { try await node.login(ada, code: code) } as? AuthError
    }

    @Test func aLoginWithoutACodeIsRefused() async throws {
        _ = try await enable(as: try await node.owner(ada))
        let error = await login(nil)
        #expect(error == .secondFactorNeeded)
    }

    @Test func aCodeCompletesALogin() async throws {
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

    /// A code in a proof is used up too, even if the request fails later.
    @Test func anAcceptedCodeIsUsedUpEvenIfTheRequestFails() async throws {
        let owner = try await node.owner(ada)
        let (generator, _) = try await enable(as: owner)
        _ = try await node.accounts.beginSecondFactor(as: owner)
        let code = generator.code(at: node.moments.now)
        let first = await thrown {
            try await node.accounts.confirmSecondFactor("000000", proof: ada.proof(code), as: owner)
        }
        #expect(first as? AuthError == .secondFactorWrong)
        #expect(await login(code) == .secondFactorWrong)
        node.moments.advance(by: 30)
        let next = generator.code(at: node.moments.now)
        let rekey = await thrown {
            var other = ada.nextL2Key()
            other.l2Generation += 1
            try await node.beginRekey(ada, to: other, code: next, as: owner)
        }
        #expect(rekey as? VaultError == .l2KeyChanged)
        #expect(await login(next) == .secondFactorWrong)
    }

    @Test func theConfirmingCodeIsUsedUp() async throws {
        let owner = try await node.owner(ada)
        let generator = try #require(TOTP(try await node.accounts.beginSecondFactor(as: owner)))
        let code = generator.code(at: node.moments.now)
        _ = try await node.accounts.confirmSecondFactor(code, proof: ada.proof(), as: owner)
        let error = await login(code)
        #expect(error == .secondFactorWrong)
    }

    @Test(.timeLimit(.minutes(15))) func aCodeWorksOnceForConcurrentRequests() async throws {
        let (generator, _) = try await enable(as: try await node.owner(ada))
        let code = generator.code(at: node.moments.now)
        let successes = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<8 { group.addTask { await self.login(code) == nil } }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(successes == 1)
    }

    @Test func aRecoveryCodeWorksOnceInAnySpelling() async throws {
        let (_, codes) = try await enable(as: try await node.owner(ada))
        #expect(codes.count == 10 && Set(codes).count == 10)
        let errors = [
            await login(codes[0].uppercased()), await login(codes[0]),
            await login(codes[1].filter { $0 != "-" }), await login(codes[2].replacing("-", with: " ")),
        ]
        #expect(errors == [nil, .secondFactorWrong, nil, nil])
    }

    /// A change of password invalidates devices.
    @Test func afterAChangeOfPasswordADeviceIsUnknown() async throws {
        let owner = try await node.owner(ada)
        let device = try await node.login(ada).device
        var changed = ada
        changed.password = "another one"
        _ = try await node.changePassword(ada, to: changed, as: owner)
        var judged = 0
        for _ in 0..<20 {
            let error = await thrown { try await node.login(ada, device: device) }
            if error as? AuthError == .badCredentials { judged += 1 }
        }
        #expect(judged == 10)
    }

    @Test func confirmingRequiresThePassword() async throws {
        let owner = try await node.owner(ada)
        let generator = try #require(TOTP(try await node.accounts.beginSecondFactor(as: owner)))
        let wrong = Person("ada@example.org", password: "wrong")
        await #expect(throws: AuthError.wrongProof) {
            try await node.accounts.confirmSecondFactor(
                generator.code(at: node.moments.now), proof: wrong.proof(), as: owner)
        }
        let error = await login(nil)
        #expect(error == nil)
    }

    @Test func whenEnabledEveryProofNeedsACode() async throws {
        let owner = try await node.owner(ada)
        let (generator, _) = try await enable(as: owner)
        let without = [
            await thrown { try await node.changePassword(ada, to: ada, as: owner) },
            await thrown { try await node.signOutEverywhere(ada, as: owner) },
            await thrown { try await node.accounts.setRecovery(nil, proof: ada.proof(), as: owner) },
            await thrown { try await node.accounts.endSecondFactor(proof: ada.proof(), as: owner) },
        ]
        #expect(without.allSatisfy { $0 as? AuthError == .secondFactorNeeded })
        let code = generator.code(at: node.moments.now)
        try await node.accounts.setRecovery(ada.recovery, proof: ada.proof(code), as: owner)
        let again = await thrown { try await node.accounts.setRecovery(nil, proof: ada.proof(code), as: owner) }
        #expect(again as? AuthError == .secondFactorWrong, "a code is spent once")
    }

    @Test func aWrongCodeIsLogged() async throws {
        let owner = try await node.owner(ada)
        _ = try await enable(as: owner)
        _ = await login("000000")
        let event = try #require(try await node.events(as: owner).first)
        #expect(event.outcome == .failed && event.reason == "second-factor")
    }

    @Test func untilItIsConfirmedNoCodeIsRequired() async throws {
        let owner = try await node.owner(ada)
        _ = try await node.accounts.beginSecondFactor(as: owner)
        let wrong = await thrown {
            try await node.accounts.confirmSecondFactor("000000", proof: ada.proof(), as: owner)
        }
        let error = await login(nil)
        #expect(wrong as? AuthError == .secondFactorWrong)
        #expect(error == nil)
    }

    @Test func nothingIsConfirmedThatWasNotBegun() async throws {
        let owner = try await node.owner(ada)
        await #expect(throws: AuthError.notBegun) {
            try await node.accounts.confirmSecondFactor("000000", proof: ada.proof(), as: owner)
        }
        await #expect(throws: AuthError.notEnabled) {
            try await node.accounts.endSecondFactor(proof: ada.proof(), as: owner)
        }
    }

    @Test func itCanBeDisabled() async throws {
        let owner = try await node.owner(ada)
        let (generator, _) = try await enable(as: owner)
        let proof = ada.proof(generator.code(at: node.moments.now))
        try await node.accounts.endSecondFactor(proof: proof, as: owner)
        let error = await login(nil)
        #expect(error == nil)
    }

    @Test func aKitRequiresItToo() async throws {
        let (_, codes) = try await enable(as: try await node.owner(ada))
        let kit = try #require(ada.kit)
        let without = await thrown { try await node.recover(ada, kit: kit) } as? AuthError
        let with = await thrown { try await node.recover(ada, kit: kit, code: codes[3]) }
        #expect(without == .secondFactorNeeded)
        #expect(with == nil)
    }

    @Test func itSurvivesAChangeOfPasswordWithItsCodes() async throws {
        let owner = try await node.owner(ada)
        let (generator, codes) = try await enable(as: owner)
        let spent = generator.code(at: node.moments.now)
        _ = await login(spent)
        node.moments.advance(by: 60)
        let proof = generator.code(at: node.moments.now)
        _ = try await node.changePassword(ada, to: ada, code: proof, as: owner)
        let errors = [await login(nil), await login(spent), await login(proof), await login(codes[0])]
        #expect(errors == [.secondFactorNeeded, .secondFactorWrong, .secondFactorWrong, nil])
    }

    @Test func aWrongPasswordIsReportedBeforeTheCodeIsChecked() async throws {
        let (generator, _) = try await enable(as: try await node.owner(ada))
        let wrong = Person("ada@example.org", password: "wrong")
        let error = await thrown { try await node.login(wrong, code: generator.code(at: node.moments.now)) }
        #expect(error as? AuthError == .badCredentials)
    }
}
