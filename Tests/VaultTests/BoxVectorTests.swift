import Crypto
import Foundation
import TestSupport
import Testing
import VaultFormat

extension Context {
    /// Decodes a vector's context bytes into parts, and encodes them again.
    init(vector: Hex) throws {
        var parts: [[UInt8]] = []
        var rest = vector.bytes[...]
        while !rest.isEmpty {
            let count = rest.prefix(2).reduce(0) { $0 << 8 | Int($1) }
            parts.append(Array(rest.dropFirst(2).prefix(count)))
            rest = rest.dropFirst(2 + count)
        }
        try #require(parts.first == Array("clav2".utf8))
        // "No parts" is what no code makes: a context begins with a label.
        let label = try #require(parts.dropFirst().first)
        self.init(String(decoding: label, as: UTF8.self), parts: Array(parts.dropFirst(2)))
        try #require(bytes == vector.bytes)
    }
}

extension BoxError {
    init?(vector name: String) {
        switch name {
        case "format": self = .malformed
        case "wrongKeyOrContext": self = .wrongKeyOrContext
        case "damaged": self = .damaged
        default: return nil
        }
    }
}

func opened(_ box: [UInt8], _ key: SymmetricKey, _ context: Context) -> Result<[UInt8], BoxError> {
    Result { () throws(BoxError) in try Box.open(box, key: key, context: context) }
}

struct ContextFile: Decodable {
    struct Case: Decodable, CustomTestStringConvertible {
        var name: String
        var parts: [Hex]
        var bytes: Hex
        var testDescription: String { name }
    }
    var cases: [Case]
}

struct BoxFile: Decodable {
    struct Case: Decodable, CustomTestStringConvertible {
        var name: String
        var key: Hex
        var salt: Hex
        var keyId: UInt32
        var context: Hex
        var plaintext: Hex
        var box: Hex
        var testDescription: String { name }
    }
    struct Failure: Decodable, CustomTestStringConvertible {
        var name: String
        var key: Hex
        var context: Hex
        var box: Hex
        var error: String
        var testDescription: String { name }
    }
    struct Limit: Decodable {
        var key: Hex
        var salt: Hex
        var keyId: UInt32
        var context: Hex
        var plaintextByte: Hex
        var plaintextLength: Int
        var boxLength: Int
        var boxSHA256: Hex
        var oneByteMore: String
    }
    var cases: [Case]
    var failures: [Failure]
    var limit: Limit
}

@Suite struct ContextVectorTests {
    @Test(arguments: try Vectors.load("context.json", as: ContextFile.self).cases)
    func isEncodedAsTheFormatSays(_ example: ContextFile.Case) throws {
        guard let label = example.parts.first else {
            // The format allows it; nothing in the program needs it.
            #expect(example.bytes.hex == "0005636c617632")
            return
        }
        let context = Context(
            String(decoding: label.bytes, as: UTF8.self), parts: example.parts.dropFirst().map(\.bytes))
        // Labels that are not UTF-8 cannot come from the program.
        try #require(Array(String(decoding: label.bytes, as: UTF8.self).utf8) == label.bytes)
        #expect(context.bytes.hex == example.bytes.hex)
    }

    @Test func theOuterContextIsRootAndTheInnerParts() {
        let inner = Context("wrap", [1], [2, 3])
        #expect(inner.outer([4]) == Context("root", Array("wrap".utf8), [1], [2, 3], [4]))
    }

    @Test func aFieldPlacesContextContainsAllParts() throws {
        let place = FieldPlace(
            vault: try #require(VaultID([UInt8](repeating: 0xa1, count: 16))),
            entry: try #require(EntryID([UInt8](repeating: 0xb2, count: 16))),
            field: try #require(FieldID([UInt8](repeating: 0xc3, count: 16))), tier: .l1, version: 7)
        let vector = try #require(try Vectors.load("box.json", as: BoxFile.self).cases.first)
        #expect(place.valueContext.bytes.hex == vector.context.hex)
    }
}

extension Hex {
    var hex: String { bytes.hex }
}

/// Skips vectors whose context has no label, which `Context` cannot represent.
@Suite struct BoxVectorTests {
    static let file = Result { try Vectors.load("box.json", as: BoxFile.self) }

    @Test(arguments: try file.get().cases.filter { $0.context.bytes.count > 7 })
    func isSealedInTheSameFormatUnderAnotherSalt(_ example: BoxFile.Case) throws {
        let key = SymmetricKey(data: example.key.bytes)
        let context = try Context(vector: example.context)
        let box = Box.seal(example.plaintext.bytes, key: key, context: context, keyID: example.keyId)
        #expect(box.count == example.box.bytes.count)
        #expect(box.prefix(6).hex == example.box.bytes.prefix(6).hex)
        #expect(box[6..<30].hex != example.salt.hex)
        #expect(opened(box, key, context) == .success(example.plaintext.bytes))
    }

    @Test(arguments: try file.get().cases.filter { $0.context.bytes.count > 7 })
    func opens(_ example: BoxFile.Case) throws {
        let context = try Context(vector: example.context)
        let id = try Box.keyID(of: example.box.bytes)
        #expect(
            opened(example.box.bytes, SymmetricKey(data: example.key.bytes), context)
                == .success(example.plaintext.bytes))
        #expect(id == example.keyId)
    }

    @Test(arguments: try file.get().failures.filter { $0.context.bytes.count > 7 })
    func failsAsTheFormatSays(_ example: BoxFile.Failure) throws {
        let error = try #require(BoxError(vector: example.error))
        let context = try Context(vector: example.context)
        #expect(opened(example.box.bytes, SymmetricKey(data: example.key.bytes), context) == .failure(error))
    }

    @Test func theLargestSecretBoxMatchesTheFormat() throws {
        let limit = try Self.file.get().limit
        let plaintext = [UInt8](repeating: limit.plaintextByte.bytes[0], count: limit.plaintextLength)
        let key = SymmetricKey(data: limit.key.bytes)
        let context = try Context(vector: limit.context)
        let box = Box.seal(plaintext, key: key, context: context, keyID: limit.keyId)
        #expect(box.count == limit.boxLength)
        #expect(opened(box, key, context) == .success(plaintext))
        #expect(opened(box + [0], key, context) == .failure(try #require(BoxError(vector: limit.oneByteMore))))
    }

    @Test func everyTruncationIsRefused() throws {
        let example = try #require(try Self.file.get().cases.first)
        let context = try Context(vector: example.context)
        for count in example.box.bytes.indices {
            let error: BoxError = count < Box.overhead ? .malformed : .damaged
            #expect(
                opened(Array(example.box.bytes.prefix(count)), SymmetricKey(data: example.key.bytes), context)
                    == .failure(error), "at \(count)")
        }
    }

    @Test func everyFlippedBitIsRefused() throws {
        let example = try #require(try Self.file.get().cases.first)
        let context = try Context(vector: example.context)
        for index in example.box.bytes.indices {
            var box = example.box.bytes
            box[index] ^= 1 << UInt8.random(in: 0..<8)
            let error: BoxError =
                switch index {
                case 0..<2: .malformed
                case 2..<62: .wrongKeyOrContext
                default: .damaged
                }
            #expect(opened(box, SymmetricKey(data: example.key.bytes), context) == .failure(error), "at \(index)")
        }
    }

    @Test func randomBytesNeverCrashAndNeverOpen() {
        var generator = SystemRandomNumberGenerator()
        let key = SymmetricKey(size: .bits256)
        for round in 0..<3_000 {
            var bytes = (0..<Int.random(in: 0...300)).map { _ in UInt8.random(in: 0...255, using: &generator) }
            // Half of them get past the header.
            if round.isMultiple(of: 2), bytes.count > 2 { bytes.replaceSubrange(0..<2, with: [1, 1]) }
            if case .success = opened(bytes, key, Context("value")) { Issue.record("opened \(bytes.hex)") }
        }
    }

    @Test func encryptingTwiceGivesDifferentSecretBoxes() {
        let key = SymmetricKey(size: .bits256)
        let boxes = Set((0..<100).map { _ in Box.seal([1, 2, 3], key: key, context: Context("value")) })
        #expect(boxes.count == 100)
    }

    @Test func aTooLargePlaintextIsAProgrammingError() async {
        await #expect(processExitsWith: .failure) {
            let plaintext = [UInt8](repeating: 0, count: Box.largestPlaintext + 1)
            _ = Box.seal(plaintext, key: SymmetricKey(size: .bits256), context: Context("value"))
        }
    }
}
