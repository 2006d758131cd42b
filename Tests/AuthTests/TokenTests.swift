import Auth
import Crypto
import Secrets
import TestSupport
import Testing
import VaultFormat

@Suite struct TokenTests {
    @Test(arguments: Token.Kind.allCases) func roundTrips(_ kind: Token.Kind) throws {
        for _ in 0..<100 {
            let token = Token(kind)
            let back = try #require(Token(token.text))
            #expect(back.kind == kind)
            #expect(back.secret == token.secret)
        }
    }

    @Test(arguments: Token.Kind.allCases) func matchesTheScannersPattern(_ kind: Token.Kind) {
        let text = Token(kind).text
        #expect(text.hasPrefix("clv_\(kind.rawValue)_"))
        #expect(text.utf8.count == "clv__".utf8.count + kind.rawValue.utf8.count + 43 + 6)
        #expect(text.dropFirst(4).allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") })
    }

    @Test func everyTruncationIsRefused() {
        let text = Token(.agent).text
        for count in 0..<text.count { #expect(Token(text.prefix(count)) == nil) }
    }

    @Test func everyCharacterTooManyIsRefused() {
        let text = Token(.agent).text
        for extra in ["0", "a", " ", "\n", "=", "_"] {
            #expect(Token(text + extra) == nil)
            #expect(Token(extra + text) == nil)
        }
    }

    @Test(arguments: [Token.Kind.session, .rootKey]) func everyChangeOfOneCharacterIsRefused(_ kind: Token.Kind) {
        let characters = Array(Token(kind).text.utf8)
        let others = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-/ ".utf8)
        for index in characters.indices {
            for other in others where other != characters[index] {
                var changed = characters
                changed[index] = other
                #expect(Token(String(decoding: changed, as: UTF8.self)) == nil)
            }
        }
    }

    @Test func everySwapOfAdjacentCharactersIsRefused() {
        let characters = Array(Token(.agent).text)
        for index in characters.indices.dropLast() where characters[index] != characters[index + 1] {
            var changed = characters
            changed.swapAt(index, index + 1)
            #expect(Token(String(changed)) == nil)
        }
    }

    struct Bound: CustomTestStringConvertible {
        var testDescription: String
        var secret: [UInt8]
        var digits: String
    }

    @Test(arguments: [
        Bound(
            testDescription: "the least", secret: [UInt8](repeating: 0, count: 32),
            digits: String(repeating: "0", count: 43)),
        Bound(
            testDescription: "one", secret: [UInt8](repeating: 0, count: 31) + [1],
            digits: String(repeating: "0", count: 42) + "1"),
        Bound(
            testDescription: "62", secret: [UInt8](repeating: 0, count: 31) + [62],
            digits: String(repeating: "0", count: 41) + "10"),
        // 2^256 - 1 in base 62, computed in Python.
        Bound(
            testDescription: "the largest", secret: [UInt8](repeating: 255, count: 32),
            digits: "yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1"),
    ])
    func encodesNumbers(_ example: Bound) {
        let text = Token(.session, secret: SymmetricKey(data: example.secret)).text
        #expect(text.dropFirst(8).dropLast(6) == example.digits)
        #expect((Token(text)?.secret.bytes).map(Array.init) == example.secret)
    }

    @Test func aNumberBeyond32BytesWithACorrectChecksumIsRefused() {
        // The largest and one more; "zzz…", with the CRC-32 of Python's zlib in base 62.
        for text in Self.tooLarge { #expect(Token(text) == nil) }
        #expect(Token(Self.largest) != nil, "or the checksums below are wrong")
    }

    static let largest = "clv_ses_yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp138CJzD"
    static let tooLarge = [
        "clv_ses_yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp20ulwIP",
        "clv_ses_zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz1pWjWA",
    ]

    @Test func thePrefixIsPartOfTheChecksum() {
        let text = Token(.session).text
        #expect(Token("clv_agt_" + text.dropFirst(8)) == nil)
    }

    @Test func theLookUpValueDiffersFromTheSecret() {
        let token = Token(.session)
        #expect(token.lookup.count == 32)
        #expect(token.lookup != Array(token.secret.bytes))
        #expect(token.lookup != Token(.session).lookup)
    }
}
