import Encoding
import TestSupport
import Testing
import VaultFormat

/// Name normalization, compared with Python's Unicode tables.
@Suite struct CaselessTests {
    struct Case: Decodable, Sendable, CustomTestStringConvertible {
        let text: String
        let caseless: String
        var testDescription: String { text.unicodeScalars.map { String($0.value, radix: 16) }.joined(separator: " ") }
    }

    @Test(arguments: try Vectors.load("caseless.json", as: [Case].self)) func matchesPython(_ example: Case) {
        // Bytes: two spellings of one name are equal as Swift strings before anything is done.
        #expect(Array(example.text.caseless.utf8) == Array(example.caseless.utf8))
    }

    @Test(arguments: try Vectors.load("caseless.json", as: [Case].self)) func isIdempotent(
        _ example: Case
    ) {
        #expect(Array(example.caseless.caseless.utf8) == Array(example.caseless.utf8))
    }

    /// An arrow is unchanged by folding and forces the slow path for the whole text.
    @Test func theFastPathEqualsTheSlowPath() {
        let scalars = [
            0x80..<0x590, 0x1100..<0x1200, 0x2010..<0x2040, 0x3000..<0x3100, 0xac00..<0xac40, 0xff00..<0xff60,
        ]
        .flatMap { $0.compactMap { Unicode.Scalar(UInt32($0)) } }
        let neighbours: [Unicode.Scalar] = [
            "a", "I", "é", "İ", "ı", "ß", "ŉ", "ǰ", "ΐ", "ς", "Σ", "ά", "й", "և", "\u{301}", "\u{345}", "\u{307}",
            "\u{11a8}", "か", "字", "가", "\u{3099}", "😀",
        ]
        for scalar in scalars {
            for neighbour in neighbours {
                for text in [[scalar, neighbour], [neighbour, scalar], [scalar]] {
                    let text = String(String.UnicodeScalarView(text))
                    #expect(Array((text + "→").caseless.utf8) == Array((text.caseless + "→").utf8))
                }
            }
        }
    }

    @Test(arguments: [
        "a\u{200b}da@example.org", "ada@exam\u{00ad}ple.org", "ada\u{202e}@example.org", "ada@example\u{2066}.org",
        "ad\u{feff}a@example.org", "ada\u{2060}@example.org", "ada@example.org\u{e0041}", "ada\u{3164}@example.org",
        "ada\u{0}@example.org", "ada\u{85}@example.org", "a da@example.org", "a\u{a0}da@example.org",
        "ada\u{2028}@example.org", "\u{180e}ada@example.org", "ada\u{115f}@example.org", "ada\u{34f}@example.org",
        "ada\u{e000}@example.org", "ada\u{fff0}@example.org",
    ])
    func anAddressWithInvisibleCharactersIsRefused(_ text: String) {
        #expect(EmailAddress(text) == nil)
    }

    @Test(arguments: [
        "ada@example.org", "ren\u{e9}@ex\u{e4}mple.org", "\u{5b57}@\u{4f8b}.jp", "a+b_c@x.y", "\u{1f600}@x.y",
    ])
    func visibleCharactersAreAccepted(_ text: String) {
        #expect(EmailAddress(text) != nil)
    }
}
