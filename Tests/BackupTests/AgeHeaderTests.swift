import Backup
import Foundation
import Testing

/// Headers with a correct MAC that each break one rule of the specification.
@Suite struct AgeHeaderTests {
    struct Case: CustomTestStringConvertible {
        var testDescription: String
        /// Gets the share and the body of a valid stanza.
        var lines: @Sendable (_ share: String, _ body: String) -> [String]
        var expected: AgeError?
    }

    private static let fullLine = String(repeating: "A", count: 64)

    @Test(arguments: [
        Case(testDescription: "valid", lines: { ["-> X25519 \($0)", $1] }),
        Case(testDescription: "an unknown type before it", lines: { ["-> x a b c", "", "-> X25519 \($0)", $1] }),
        Case(
            testDescription: "an unknown type after it",
            lines: { ["-> X25519 \($0)", $1, "-> a/b-grease", "AAAA"] }
        ),
        Case(
            testDescription: "a body of full lines",
            lines: { ["-> x", fullLine, fullLine, "", "-> X25519 \($0)", $1] }
        ),
        Case(
            testDescription: "types are case-sensitive",
            lines: { ["-> x25519 \($0)", $1] },
            expected: .wrongIdentity
        ),
        Case(
            testDescription: "no short line at the end of a body",
            lines: { ["-> x", fullLine, "-> X25519 \($0)", $1] },
            expected: .malformedHeader(line: 4, .body)
        ),
        Case(
            testDescription: "a line of 66 columns",
            lines: { ["-> x", fullLine + "AA", "-> X25519 \($0)", $1] },
            expected: .malformedHeader(line: 3, .body)
        ),
        Case(
            testDescription: "a body with padding",
            lines: { ["-> x", "AA==", "-> X25519 \($0)", $1] },
            expected: .malformedHeader(line: 3, .body)
        ),
        Case(
            testDescription: "a body that is not canonical",
            lines: { ["-> x", "AB", "-> X25519 \($0)", $1] },
            expected: .malformedHeader(line: 3, .body)
        ),
        Case(
            testDescription: "a body of impossible length",
            lines: { ["-> x", "AAAAA", "-> X25519 \($0)", $1] },
            expected: .malformedHeader(line: 3, .body)
        ),
        Case(
            testDescription: "carriage returns",
            lines: { ["-> X25519 \($0)\r", $1] },
            expected: .malformedHeader(line: 2, .argument)
        ),
        Case(
            testDescription: "no arguments",
            lines: { ["-> ", "", "-> X25519 \($0)", $1] },
            expected: .malformedHeader(line: 2, .argument)
        ),
        Case(
            testDescription: "no space",
            lines: { ["->", "", "-> X25519 \($0)", $1] },
            expected: .malformedHeader(line: 2, .argument)
        ),
        Case(
            testDescription: "two spaces",
            lines: { ["-> X25519  \($0)", $1] },
            expected: .malformedHeader(line: 2, .argument)
        ),
        Case(
            testDescription: "a space at the end",
            lines: { ["-> X25519 \($0) ", $1] },
            expected: .malformedHeader(line: 2, .argument)
        ),
        Case(
            testDescription: "an argument outside ASCII",
            lines: { ["-> é", "", "-> X25519 \($0)", $1] },
            expected: .malformedHeader(line: 2, .argument)
        ),
        Case(
            testDescription: "an empty line",
            lines: { ["", "-> X25519 \($0)", $1] },
            expected: .malformedHeader(line: 2, .stanzaExpected)
        ),
        Case(testDescription: "no stanza", lines: { _, _ in [] }, expected: .malformedHeader(line: 2, .stanzaExpected)),
        Case(
            testDescription: "an X25519 stanza without a share",
            lines: { ["-> X25519 \($0)", $1, "-> X25519", $1] },
            expected: nil
        ),
        Case(
            testDescription: "an X25519 stanza without a share before a valid one",
            lines: { ["-> X25519", $1, "-> X25519 \($0)", $1] },
            expected: .malformedHeader(line: 2, .x25519)
        ),
        Case(
            testDescription: "an X25519 stanza with an extra argument",
            lines: { ["-> X25519 \($0) 1", $1] },
            expected: .malformedHeader(line: 2, .x25519)
        ),
        Case(
            testDescription: "a share of 31 bytes",
            lines: { ["-> X25519 \(Forgery.base64(pattern(31)))", $1, "-> X25519 \($0)", $1] },
            expected: .malformedHeader(line: 2, .x25519)
        ),
        Case(
            testDescription: "a share that is not canonical",
            lines: { ["-> X25519 \($0.dropLast())\(nonCanonical($0))", $1] },
            expected: .malformedHeader(line: 2, .x25519)
        ),
        Case(
            testDescription: "a body of 33 bytes",
            lines: { share, _ in ["-> X25519 \(share)", Forgery.base64(pattern(33))] },
            expected: .malformedHeader(line: 2, .x25519)
        ),
        Case(
            testDescription: "a passphrase alone",
            lines: { _, body in ["-> scrypt bBjlhJVYZeE4aqUdmtRHfw 15", body] },
            expected: .passphraseProtected
        ),
        Case(
            testDescription: "a passphrase among others",
            lines: { ["-> X25519 \($0)", $1, "-> scrypt bBjlhJVYZeE4aqUdmtRHfw 15", $1] },
            expected: .malformedHeader(line: 4, .mixedScrypt)
        ),
    ])
    func headersAreParsedStrictly(_ example: Case) throws {
        let forgery = Forgery()
        let (share, body) = try forgery.x25519()
        let file = forgery.header(lines: example.lines(share, body)) + (try forgery.payload(([1, 2, 3], 0, true)))
        let result = outcome { () throws(AgeError) in try AgeFile.decrypt(file, with: [try Forgery.identity()]) }
        #expect(result == (example.expected.map { .failure($0) } ?? .success([1, 2, 3])))
    }

    /// The last character of 32 bytes carries two bits that must be zero.
    private static func nonCanonical(_ share: String) -> Character {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        guard let last = share.last, let index = alphabet.firstIndex(of: last) else { return "?" }
        return alphabet[index + 1]
    }

    @Test(arguments: [
        ("", AgeError.notAge), ("SQLite format 3\0", .notAge), ("age-encryption.org/v", .truncated),
        ("age-encryption.org/v1", .truncated), ("age-encryption.org/v1\n", .truncated),
        ("age-encryption.org/v2\n", .unsupportedVersion), ("age-encryption.org/v1\r\n", .unsupportedVersion),
        ("age-encryption.org/v1 \n", .unsupportedVersion), ("Age-encryption.org/v1\n", .notAge),
        (" age-encryption.org/v1\n", .notAge), ("-----BEGIN AGE ENCRYPTED FILE-----\n", .armored),
    ])
    func otherFilesAreRecognisedByTheirFirstBytes(text: String, expected: AgeError) throws {
        let identity = try Forgery.identity()
        let result = outcome { () throws(AgeError) in try AgeFile.decrypt(Array(text.utf8), with: [identity]) }
        #expect(result == .failure(expected))
    }

    @Test(arguments: ["--- ", "---  ", "---", "--- \u{2d}", "---- "])
    func theMACLineIsParsedStrictly(mark: String) throws {
        let forgery = Forgery()
        let header = try forgery.header()
        var file = [UInt8](header[..<(header.count - 48)])
        file += Array(mark.utf8) + header.suffix(44)
        file += try forgery.payload(([1], 0, true))
        let result = outcome { () throws(AgeError) in try AgeFile.decrypt(file, with: [try Forgery.identity()]) }
        let fault = AgeError.malformedHeader(line: 4, .mac)
        #expect(result == (mark == "--- " ? .success([1]) : .failure(fault)))
    }

    /// Endless input must not be read without limit.
    @Test(arguments: [
        ("endless stanzas", "-> x\n\n"), ("one endless line", "-> xxxxxx"),
        ("an endless body", String(repeating: "A", count: 64) + "\n"),
        ("endless arguments", "-> x x x"), ("no newline", "A"),
    ])
    func endlessHeadersAreRejectedAtTheLimit(name: String, repeated: String) throws {
        let unit = Array(repeated.utf8)
        let start = Array("age-encryption.org/v1\n-> x\n".utf8.dropLast(name == "an endless body" ? 0 : 5))
        var handedOut = 0
        let result = outcome { () throws(AgeError) in
            try AgeFile.decrypt(
                with: [try Forgery.identity()],
                read: { count throws(AgeError) in
                    handedOut += count
                    return Array((start + (0..<(count / unit.count + 1)).flatMap { _ in unit }).prefix(count))
                },
                write: { _ throws(AgeError) in Issue.record("wrote plaintext") }
            )
        }
        let error = result.error
        #expect(error == .headerTooLarge || (name == "no newline" && error != nil))
        #expect(handedOut <= 65_536)
    }

    @Test func encryptionStaysWithinTheHeaderLimit() throws {
        let recipient = try AgeRecipient(Forgery.recipientText)
        let most = [AgeRecipient](repeating: recipient, count: 600)
        let opened = try AgeFile.decrypt(try AgeFile.encrypt([1], to: most), with: [try Forgery.identity()])
        let tooMany = outcome { () throws(AgeError) in try AgeFile.encrypt([1], to: most + most) }
        #expect(opened == [1])
        #expect(tooMany == .failure(.tooManyRecipients))
    }
}
