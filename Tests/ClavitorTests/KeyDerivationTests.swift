import Crypto
import Secrets
import Testing
import VaultFormat
import Wire

@testable import clavitor

@Suite struct KeyDerivationTests {
    private struct DeriveFile: Decodable {
        var passwords: [PasswordCase]
        var refusedParameters: [KDFBody]
        var client: [ClientCase]
    }

    struct PasswordCase: Decodable, CustomTestStringConvertible {
        var name: String
        var password: String
        var passwordBytes: String
        var salt: String
        var kdf: KDFBody
        var masterKey: String
        var testDescription: String { name }
    }

    struct ClientCase: Decodable {
        var secret: String
        var recovery: Bool
        var origin: String
        var authKey: String
        var l2WrapKey: String
    }

    @Test(arguments: try vectors("derive", as: DeriveFile.self).passwords)
    func aPasswordGivesItsMasterKey(_ example: PasswordCase) throws {
        #expect(Password.normalized(example.password) == bytes(hex: example.passwordBytes))
        let parameters = try KDFParameters(example.kdf)
        let key = try parameters.masterKey(of: Password(example.password), salt: bytes(hex: example.salt))
        let found = Array(SymmetricKey(key).bytes)
        #expect(found == bytes(hex: example.masterKey))
    }

    @Test(arguments: try vectors("derive", as: DeriveFile.self).refusedParameters)
    func parametersOutOfBoundsAreRefused(_ body: KDFBody) {
        #expect(throws: KDFRefusal.self) { try KDFParameters(body) }
    }

    @Test func aSaltOfAnotherLengthIsRefused() throws {
        let body = KDFBody(type: "argon2id", memoryKiB: 32_768, iterations: 3, parallelism: 1)
        let parameters = try KDFParameters(body)
        #expect(throws: KDFRefusal.salt(bytes: 15)) {
            _ = try parameters.masterKey(of: Password("correct horse"), salt: [UInt8](repeating: 0, count: 15)).count
        }
    }

    @Test(arguments: try vectors("derive", as: DeriveFile.self).client)
    func aSecretGivesTheKeysOfItsOrigin(_ example: ClientCase) {
        let secret = bytes(hex: example.secret)
        let keys =
            example.recovery
            ? AccountKeys(kit: RecoveryKit(secret: SymmetricKey(data: secret)), origin: example.origin)
            : AccountKeys(masterKey: SecretBytes(secret), origin: example.origin)
        #expect(Array(keys.authKey.bytes) == bytes(hex: example.authKey))
        #expect(Array(keys.l2WrapKey.bytes) == bytes(hex: example.l2WrapKey))
    }
}

extension KDFBody: CustomTestStringConvertible {
    public var testDescription: String { "\(type) t=\(iterations) m=\(memoryKiB) p=\(parallelism)" }
}

extension KeyDerivationTests.ClientCase: CustomTestStringConvertible {
    var testDescription: String { "\(recovery ? "kit" : "password") at \(origin)" }
}
