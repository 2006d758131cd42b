import Crypto
import Secrets
import TestSupport
import Testing
import VaultFormat

struct SealFile: Decodable {
    struct Case: Decodable, CustomTestStringConvertible {
        var name: String
        var seed: Hex
        var publicKey: Hex
        var context: Hex
        var plaintext: Hex
        var sealed: Hex
        var testDescription: String { name }
    }
    struct Failure: Decodable, CustomTestStringConvertible {
        var name: String
        var seed: Hex
        var context: Hex
        var sealed: Hex
        var error: String
        var testDescription: String { name }
    }
    struct BadKey: Decodable, CustomTestStringConvertible {
        var name: String
        var publicKey: Hex
        var testDescription: String { name }
    }
    var cases: [Case]
    var failures: [Failure]
    var badPublicKeys: [BadKey]
}

func privateKey(_ seed: Hex) throws -> XWingMLKEM768X25519.PrivateKey {
    try XWingMLKEM768X25519.PrivateKey(seedRepresentation: seed.bytes, publicKey: nil)
}

@Suite struct SealVectorTests {
    static let file = Result { try Vectors.load("seal.json", as: SealFile.self) }

    @Test(arguments: try file.get().cases.filter { $0.context.bytes.count > 7 }) func opens(_ example: SealFile.Case)
        throws
    {
        let key = try SealedWrap.open(
            example.sealed.bytes, with: try privateKey(example.seed), context: try Context(vector: example.context))
        #expect(key.bytes.hex == example.plaintext.hex)
    }

    @Test(arguments: try file.get().cases) func theSeedDerivesThePublicKey(_ example: SealFile.Case) throws {
        let key = try privateKey(example.seed).publicKey.rawRepresentation
        #expect(Array(key).hex == example.publicKey.hex)
    }

    @Test(arguments: try file.get().failures.filter { $0.context.bytes.count > 7 })
    func failsAsTheFormatSays(_ example: SealFile.Failure) throws {
        let expected = try #require(BoxError(vector: example.error))
        let key = try privateKey(example.seed)
        let context = try Context(vector: example.context)
        #expect(throws: expected) { try SealedWrap.open(example.sealed.bytes, with: key, context: context) }
    }

    @Test(arguments: try file.get().badPublicKeys) func refusesAnInvalidPublicKey(_ example: SealFile.BadKey) {
        #expect(throws: (any Error).self) {
            // Some faults only show when the key is used.
            let key = try XWingMLKEM768X25519.PublicKey(rawRepresentation: example.publicKey.bytes)
            _ = try SealedWrap.seal(SymmetricKey(size: .bits256), to: key, context: Context("wrap"))
        }
    }

    @Test func hasTheFormatsLength() throws {
        let holder = HolderKey.generate()
        let sealed = try SealedWrap.seal(
            SymmetricKey(size: .bits256), to: try holder.sealingKey().publicKey, context: Context("wrap"))
        #expect(sealed.count == SealedWrap.count)
        #expect(sealed.count == 1_174)
    }

    @Test func everyTruncationIsMalformed() throws {
        let example = try #require(try Self.file.get().cases.first)
        let key = try privateKey(example.seed)
        let context = try Context(vector: example.context)
        for count in example.sealed.bytes.indices {
            #expect(throws: BoxError.malformed) {
                try SealedWrap.open(Array(example.sealed.bytes.prefix(count)), with: key, context: context)
            }
        }
    }
}
