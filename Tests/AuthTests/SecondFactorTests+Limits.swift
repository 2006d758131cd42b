import Auth
import IPNetworks
import OneTimePasswords
import TestSupport
import Testing
import Vault
import VaultFormat

/// Rate limits for second-factor codes.
extension SecondFactorTests {
    /// With the password alone an attacker can register any number of devices.
    @Test func devicesThatNeverSentACodeShareOneLimit() async throws {
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
        // A device that sent a code has its own limit, so the owner is not locked out there.
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

    @Test func wrongCodesAreLimitedToFiveAnHour() async throws {
        let (generator, _) = try await enable(as: try await node.owner(ada))
        var errors: [AuthError?] = []
        for _ in 0..<6 { errors.append(await login("000000")) }
        let right = await login(generator.code(at: node.moments.now))
        #expect(errors.prefix(5).allSatisfy { $0 == .secondFactorWrong })
        #expect(errors[5] == .tooManyAttempts(retryAfter: 720))
        #expect(right == .tooManyAttempts(retryAfter: 720))
        // In a day: a burst of five, and one for each twelve minutes.
        var tried = 0
        for _ in 0..<(24 * 60) {
            node.moments.advance(by: 60)
            if await login("000000") == .secondFactorWrong { tried += 1 }
        }
        #expect(tried == 120)
    }

    @Test func wrongPasswordsDoNotUseUpTheCodeLimit() async throws {
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

    /// A thief with the password but without a device uses up the account's limit, not that of the owner's device.
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
        let unknown = await login(generator.code(at: node.moments.now))
        let known = await thrown {
            try await node.login(ada, code: generator.code(at: node.moments.now), device: device)
        }
        let tries = try await node.events(as: owner).filter { $0.reason == "second-factor" }.count
        #expect(unknown == .tooManyAttempts(retryAfter: 720))
        #expect(known == nil)
        #expect(tries == 5, "the owner sees them")
    }

    @Test func aRestartResetsNoCodeLimit() async throws {
        _ = try await enable(as: try await node.owner(ada))
        for _ in 0..<5 { _ = await login("000000") }
        let restarted = try TestVault(opening: node.scratch, root: node.root, moments: node.moments)
        let error = await thrown { try await restarted.login(ada, code: "000000") } as? AuthError
        #expect(error == .tooManyAttempts(retryAfter: 720))
    }

    @Test func codesWithinASessionHaveTheirOwnLimit() async throws {
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

    @Test func concurrentWrongCodesAreLimitedToo() async throws {
        _ = try await enable(as: try await node.owner(ada))
        let tried = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<40 { group.addTask { await self.login("000000") == .secondFactorWrong } }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(tried <= 6)
    }
}
