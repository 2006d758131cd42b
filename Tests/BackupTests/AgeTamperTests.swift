import Backup
import Crypto
import Foundation
import Testing

/// Damage and tampering cause an `AgeError`, never different plaintext.
@Suite struct AgeTamperTests {
    let identity = AgeIdentity.generate()

    @Test func everyTruncationFails() throws {
        let file = try AgeFile.encrypt(pattern(100), to: [identity.recipient, AgeIdentity.generate().recipient])
        for length in file.indices {
            let result = outcome { () throws(AgeError) in try AgeFile.decrypt(Array(file[..<length]), with: [identity])
            }
            #expect(result.error != nil, "\(length) bytes")
        }
    }

    @Test func everyFlippedBitFails() throws {
        let file = try AgeFile.encrypt(pattern(40), to: [identity.recipient])
        for index in file.indices {
            for bit in 0..<8 {
                var flipped = file
                flipped[index] ^= 1 << bit
                let result = outcome { () throws(AgeError) in try AgeFile.decrypt(flipped, with: [identity]) }
                #expect(result.error != nil, "byte \(index), bit \(bit)")
            }
        }
    }

    @Test func everyInsertedByteFails() throws {
        let file = try AgeFile.encrypt(pattern(40), to: [identity.recipient])
        for index in 0...file.count {
            for byte in [0, UInt8(ascii: "\n"), UInt8(ascii: " "), UInt8(ascii: "A")] {
                var longer = file
                longer.insert(byte, at: index)
                let result = outcome { () throws(AgeError) in try AgeFile.decrypt(longer, with: [identity]) }
                #expect(result.error != nil, "\(byte) at \(index)")
            }
        }
    }

    @Test func truncationBetweenChunksIsDetected() throws {
        let file = try AgeFile.encrypt(pattern(3 * 65_536), to: [identity.recipient])
        for dropped in [65_552, 2 * 65_552, 3 * 65_552] {
            let cut = Array(file.dropLast(dropped))
            let result = outcome { () throws(AgeError) in try AgeFile.decrypt(cut, with: [identity]) }
            #expect(result.error == .truncated)
        }
    }

    @Test func swappedChunksAreDetected() throws {
        var file = try AgeFile.encrypt(pattern(3 * 65_536), to: [identity.recipient])
        let start = file.count - 3 * 65_552
        let first = file[start..<(start + 65_552)]
        file.replaceSubrange(start..<(start + 65_552), with: Array(file[(start + 65_552)..<(start + 2 * 65_552)]))
        file.replaceSubrange((start + 65_552)..<(start + 2 * 65_552), with: first)
        let result = outcome { () throws(AgeError) in try AgeFile.decrypt(file, with: [identity]) }
        #expect(result.error == .payloadAltered(chunk: 0))
    }

    @Test func trailingDataIsRejected() throws {
        let short = try AgeFile.encrypt(pattern(100), to: [identity.recipient])
        let full = try AgeFile.encrypt(pattern(65_536), to: [identity.recipient])
        let behindShort = outcome { () throws(AgeError) in try AgeFile.decrypt(short + [0], with: [identity]) }
        let behindFull = outcome { () throws(AgeError) in try AgeFile.decrypt(full + [0], with: [identity]) }
        #expect(behindShort.error == .payloadAltered(chunk: 0))
        #expect(behindFull.error == .trailingData)
    }

    @Test func aWrongIdentityDecryptsNothing() throws {
        let file = try AgeFile.encrypt(pattern(100), to: [identity.recipient])
        let result = outcome { () throws(AgeError) in try AgeFile.decrypt(file, with: [AgeIdentity.generate()]) }
        #expect(result == .failure(.wrongIdentity))
    }

    @Test func aHeaderOfAnotherFileIsRejected() throws {
        let forgery = Forgery()
        var other = forgery
        other.fileKey = [UInt8](repeating: 8, count: 16)
        let (share, body) = try other.x25519()
        // The stanza unwraps to another file key than the one of the MAC.
        let file = forgery.header(lines: ["-> X25519 \(share)", body]) + (try forgery.payload(([1], 0, true)))
        let result = outcome { () throws(AgeError) in try AgeFile.decrypt(file, with: [try Forgery.identity()]) }
        #expect(result == .failure(.headerAltered))
    }

    @Test func aRemovedStanzaIsDetected() throws {
        let file = try AgeFile.encrypt(pattern(100), to: [identity.recipient, AgeIdentity.generate().recipient])
        var lines = file.split(separator: UInt8(ascii: "\n"), maxSplits: 5, omittingEmptySubsequences: false)
        lines.removeSubrange(3...4)
        let result = outcome { () throws(AgeError) in
            try AgeFile.decrypt(Array(lines.joined(separator: [UInt8(ascii: "\n")])), with: [identity])
        }
        #expect(result == .failure(.headerAltered))
    }

    struct PayloadCase: CustomTestStringConvertible {
        var testDescription: String
        var chunks: [(text: [UInt8], number: UInt8, isLast: Bool)]
        var expected: Result<Int, AgeError>
    }

    private static let full = pattern(65_536)

    @Test(arguments: [
        PayloadCase(testDescription: "one empty chunk", chunks: [([], 0, true)], expected: .success(0)),
        PayloadCase(
            testDescription: "two chunks",
            chunks: [(full, 0, false), ([1], 1, true)],
            expected: .success(65_537)
        ),
        PayloadCase(
            testDescription: "an empty chunk at the end",
            chunks: [(full, 0, false), ([], 1, true)],
            expected: .failure(.emptyLastChunk)
        ),
        PayloadCase(testDescription: "no last chunk", chunks: [(full, 0, false)], expected: .failure(.truncated)),
        PayloadCase(
            testDescription: "a short chunk that is not the last",
            chunks: [([1], 0, false)],
            expected: .failure(.truncated)
        ),
        PayloadCase(
            testDescription: "two last chunks",
            chunks: [(full, 0, true), (full, 1, true)],
            expected: .failure(.trailingData)
        ),
        PayloadCase(
            testDescription: "a skipped chunk number",
            chunks: [(full, 0, false), ([1], 2, true)],
            expected: .failure(.payloadAltered(chunk: 1))
        ),
        PayloadCase(testDescription: "no chunk", chunks: [], expected: .failure(.truncated)),
    ])
    func payloadsAreDecryptedStrictly(_ example: PayloadCase) throws {
        let forgery = Forgery()
        var file = try forgery.header() + forgery.nonce
        for chunk in example.chunks { file += try forgery.payload(chunk).dropFirst(16) }
        let result = outcome { () throws(AgeError) in
            try AgeFile.decrypt(file, with: [try Forgery.identity()]).count
        }
        #expect(result == example.expected)
    }

    @Test func anAllZeroSharedSecretIsRejected() throws {
        let forgery = Forgery()
        // The point of order one: the shared secret is zero for every identity, so anybody could forge a stanza.
        let share = Data(count: 32)
        let zero = try Curve25519.KeyAgreement.PublicKey(rawRepresentation: share)
        let secret = try Curve25519.KeyAgreement.PrivateKey().sharedSecretFromKeyAgreement(with: zero)
        let body = try forgery.body(secret: secret, share: share)
        let file =
            forgery.header(lines: ["-> X25519 \(Forgery.base64(share))", body]) + (try forgery.payload(([1], 0, true)))
        let result = outcome { () throws(AgeError) in try AgeFile.decrypt(file, with: [try Forgery.identity()]) }
        #expect(result == .failure(.lowOrderPoint))
    }
}
