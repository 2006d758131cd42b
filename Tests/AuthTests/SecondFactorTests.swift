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

    /// Switches it on; the generator and the recovery codes. The code that confirmed it is spent.
    private func enable(as owner: Principal) async throws -> (TOTP, [String]) {
        let generator = try #require(TOTP(try await node.accounts.beginSecondFactor(as: owner)))
        let codes = try await node.accounts.confirmSecondFactor(
            generator.code(at: node.moments.now), proof: ada.proof(), as: owner)
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

    /// As a proof it is spent too, whatever comes of what it was to prove.
    @Test func aCodeThatWasAcceptedIsSpentThoughTheRequestFailed() async throws {
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
            try await node.accounts.rekeyL2(
                wrappedKey: [UInt8](repeating: 0, count: 64), kit: nil,
                envelopes: [.init(vault: owner.vault, entry: .random(), field: .random(), tier: .l2, version: 1): []],
                proof: ada.proof(next), as: owner)
        }
        #expect(rekey != nil)
        #expect(await login(next) == (isAccepted(rekey) ? .secondFactorWrong : nil))
    }

    /// Whether the proof was looked at before the request failed.
    private func isAccepted(_ error: (any Error)?) -> Bool {
        if case .invalid("envelopes", _)? = error as? AuthError { true } else { false }
    }

    @Test func theCodeThatConfirmedItIsSpent() async throws {
        let owner = try await node.owner(ada)
        let generator = try #require(TOTP(try await node.accounts.beginSecondFactor(as: owner)))
        let code = generator.code(at: node.moments.now)
        _ = try await node.accounts.confirmSecondFactor(code, proof: ada.proof(), as: owner)
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

    /// Who has the password alone can be a new device as often as he likes.
    @Test func devicesThatNeverShowedACodeShareOneBudget() async throws {
        let owner = try await node.owner(ada)
        var devices: [[UInt8]] = []
        for _ in 0..<8 { devices.append(try await node.login(ada).device) }
        let (generator, _) = try await enable(as: owner)
        var judged = 0
        for device in devices {
            for _ in 0..<3 {
                let error = await thrown { try await node.login(ada, code: "000000", device: device) }
                if error as? AuthError == .secondFactorWrong { judged += 1 }
            }
        }
        #expect(judged == 5)
        // One that showed a code has a budget of its own, and the owner is not locked out there.
        node.moments.advance(by: 720)
        let own = try await node.login(ada, code: generator.code(at: node.moments.now), device: devices[0]).device
        #expect(own != devices[0])
        for _ in 0..<5 { _ = await thrown { try await node.login(ada, code: "000000", device: devices[1]) } }
        node.moments.advance(by: 60)
        let again = await thrown {
            try await node.login(ada, code: generator.code(at: node.moments.now), device: own)
        }
        #expect(again == nil)
    }

    /// With the password that they came with, devices end.
    @Test func afterAChangeOfPasswordADeviceIsAStranger() async throws {
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

    @Test func fiveWrongCodesAnHour() async throws {
        let (generator, _) = try await enable(as: try await node.owner(ada))
        var errors: [AuthError?] = []
        for _ in 0..<6 { errors.append(await login("000000")) }
        let right = await login(generator.code(at: node.moments.now))
        #expect(errors.prefix(5).allSatisfy { $0 == .secondFactorWrong })
        #expect(errors[5] == .tooManyAttempts(retryAfter: 720))
        #expect(right == .tooManyAttempts(retryAfter: 720))
        // In a day: five at once, and one for each twelve minutes.
        var tried = 0
        for _ in 0..<(24 * 60) {
            node.moments.advance(by: 60)
            if await login("000000") == .secondFactorWrong { tried += 1 }
        }
        #expect(tried == 120)
    }

    @Test func wrongPasswordsDoNotSpendThem() async throws {
        let (generator, _) = try await enable(as: try await node.owner(ada))
        let device = try await node.login(ada, code: generator.code(at: node.moments.now)).device
        node.moments.advance(by: 60)
        let wrong = Person("ada@example.org", password: "wrong")
        for _ in 0..<9 { _ = await thrown { try await node.login(wrong, code: "000000", device: device) } }
        let error = await thrown {
            try await node.login(ada, code: generator.code(at: node.moments.now), device: device)
        }
        #expect(error == nil)
    }

    /// Who has the password and no device uses up the account's codes, and not those of the owner's own device.
    @Test func aThiefWithThePasswordDoesNotLockTheOwnersDeviceOut() async throws {
        let owner = try await node.owner(ada)
        let (generator, _) = try await enable(as: owner)
        let device = try await node.login(ada, code: generator.code(at: node.moments.now)).device
        node.moments.advance(by: 60)
        for network in 0..<200 {
            _ = await thrown {
                try await node.login(ada, code: "000000", from: IPAddress(bytes: [10, 0, UInt8(network), 1]))
            }
        }
        let stranger = await login(generator.code(at: node.moments.now))
        let known = await thrown {
            try await node.login(ada, code: generator.code(at: node.moments.now), device: device)
        }
        let tries = try await node.events(as: owner).filter { $0.reason == "second-factor" }.count
        #expect(stranger == .tooManyAttempts(retryAfter: 720))
        #expect(known == nil)
        #expect(tries == 5, "the owner sees them")
    }

    @Test func aRestartForgivesNoWrongCode() async throws {
        _ = try await enable(as: try await node.owner(ada))
        for _ in 0..<5 { _ = await login("000000") }
        let restarted = try TestVault(opening: node.scratch, root: node.root, moments: node.moments)
        let error = await thrown { try await restarted.login(ada, code: "000000") } as? AuthError
        #expect(error == .tooManyAttempts(retryAfter: 720))
    }

    @Test func itsConfirmationNeedsThePassword() async throws {
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

    @Test func withItOnEveryProofNeedsACode() async throws {
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

    @Test func codesWithinASessionHaveABudgetOfTheirOwn() async throws {
        let owner = try await node.owner(ada)
        let (generator, _) = try await enable(as: owner)
        var errors: [AuthError?] = []
        for _ in 0..<7 {
            errors.append(
                await thrown { try await node.accounts.endSecondFactor(proof: ada.proof("000000"), as: owner) }
                    as? AuthError)
        }
        let login = await login(generator.code(at: node.moments.now))
        #expect(errors.prefix(5).allSatisfy { $0 == .secondFactorWrong })
        #expect(errors.suffix(2).allSatisfy { $0 == .tooManyAttempts(retryAfter: 720) })
        #expect(login == nil)
    }

    @Test func manyWrongCodesAtOnceSpendItToo() async throws {
        _ = try await enable(as: try await node.owner(ada))
        let tried = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<40 { group.addTask { await self.login("000000") == .secondFactorWrong } }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(tried <= 6)
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
        let wrong = await thrown {
            try await node.accounts.confirmSecondFactor("000000", proof: ada.proof(), as: owner)
        }
        let error = await login(nil)
        #expect(wrong as? AuthError == .secondFactorWrong)
        #expect(error == nil)
    }

    @Test func nothingBegunNothingConfirmed() async throws {
        let owner = try await node.owner(ada)
        await #expect(throws: AuthError.notEnabled) {
            try await node.accounts.confirmSecondFactor("000000", proof: ada.proof(), as: owner)
        }
        await #expect(throws: AuthError.notEnabled) {
            try await node.accounts.endSecondFactor(proof: ada.proof(), as: owner)
        }
    }

    @Test func itCanBeSwitchedOff() async throws {
        let owner = try await node.owner(ada)
        let (generator, _) = try await enable(as: owner)
        let proof = ada.proof(generator.code(at: node.moments.now))
        try await node.accounts.endSecondFactor(proof: proof, as: owner)
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
        node.moments.advance(by: 60)
        let proof = generator.code(at: node.moments.now)
        _ = try await node.changePassword(ada, to: ada, code: proof, as: owner)
        let errors = [await login(nil), await login(spent), await login(proof), await login(codes[0])]
        #expect(errors == [.secondFactorNeeded, .secondFactorWrong, .secondFactorWrong, nil])
    }

    @Test func aWrongPasswordIsToldBeforeTheCodeIsLookedAt() async throws {
        let (generator, _) = try await enable(as: try await node.owner(ada))
        let wrong = Person("ada@example.org", password: "wrong")
        let error = await thrown { try await node.login(wrong, code: generator.code(at: node.moments.now)) }
        #expect(error as? AuthError == .badCredentials)
    }
}
