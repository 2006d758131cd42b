import Testing

@testable import clavitor

@Suite struct SecretMaskTests {
    /// Passes `text` in pieces of `size` bytes.
    private func masked(_ text: String, hiding secrets: [String], inPiecesOf size: Int = .max) -> String {
        var mask = SecretMask(secrets: secrets)
        var shown: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            shown += mask.pass(rest.prefix(size))
            rest = rest.dropFirst(size)
        }
        return String(decoding: shown + mask.finish(), as: UTF8.self)
    }

    struct Case: CustomTestStringConvertible {
        var testDescription: String
        var secrets: [String]
        var text: String
        var expected: String
    }

    static let cases = [
        Case(testDescription: "alone", secrets: ["hunter22"], text: "hunter22", expected: "•••"),
        Case(testDescription: "amid", secrets: ["hunter22"], text: "a hunter22 b", expected: "a ••• b"),
        Case(testDescription: "twice", secrets: ["hunter22"], text: "hunter22 hunter22", expected: "••• •••"),
        Case(testDescription: "a false start", secrets: ["aab!"], text: "aaab!c", expected: "a•••c"),
        Case(testDescription: "cut off at the end", secrets: ["hunter22"], text: "x hunter2", expected: "x hunter2"),
        Case(testDescription: "overlapping", secrets: ["abcde", "defgh"], text: "-abcdefgh-", expected: "-•••-"),
        Case(
            testDescription: "one in another", secrets: ["abcd", "abcdefgh"], text: "abcd abcdefgh.",
            expected: "••• •••."),
        Case(
            testDescription: "one in another, cut", secrets: ["abcd", "abcdefgh"], text: "abcdefgx", expected: "•••efgx"
        ),
        Case(testDescription: "overlapping itself", secrets: ["abab"], text: "xababab", expected: "x•••"),
        Case(testDescription: "short ones are left", secrets: ["abc"], text: "abcabc", expected: "abcabc"),
        Case(testDescription: "none", secrets: [], text: "plain", expected: "plain"),
        Case(testDescription: "not ASCII", secrets: ["pässwört"], text: "«pässwört»", expected: "«•••»"),
        Case(testDescription: "base64", secrets: ["hunter22?>"], text: "aHVudGVyMjI/Pg==", expected: "•••=="),
        Case(testDescription: "base64url", secrets: ["hunter22?>"], text: "(aHVudGVyMjI_Pg)", expected: "(•••)"),
        Case(testDescription: "in a URL", secrets: ["a/b c+d"], text: "?q=a%2Fb%20c%2Bd&r", expected: "?q=•••&r"),
        Case(testDescription: "in a URL, lower case", secrets: ["a/b c+d"], text: "a%2fb%20c%2bd", expected: "•••"),
        Case(testDescription: "in a form", secrets: ["a/b c+d"], text: "a%2Fb+c%2Bd", expected: "•••"),
        Case(testDescription: "in a path of a URL", secrets: ["a/b c+d"], text: "/a/b%20c%2Bd/", expected: "/•••/"),
        Case(testDescription: "as browsers quote", secrets: ["it's (9)!*"], text: "it's%20(9)!*", expected: "•••"),
        Case(
            testDescription: "in JSON", secrets: ["q\"b\\s\nt"], text: #"{"k":"q\"b\\s\nt"}"#, expected: #"{"k":"•••"}"#
        ),
        Case(testDescription: "in JSON with slashes", secrets: ["a/b/c"], text: #""a\/b\/c""#, expected: #""•••""#),
        Case(
            testDescription: "in JSON in ASCII", secrets: ["pässwört"], text: #""p\u00e4ssw\u00f6rt""#,
            expected: #""•••""#),
        Case(
            testDescription: "in JSON in a page", secrets: ["<tag>&x"], text: #""\u003ctag\u003e\u0026x""#,
            expected: #""•••""#),
        // user:hunter22, and hunter22 alone two bytes further on; what the neighbours share in is left.
        Case(
            testDescription: "of HTTP Basic", secrets: ["hunter22"], text: "Basic dXNlcjpodW50ZXIyMg==",
            expected: "Basic dXNlcjp•••=="),
        Case(
            testDescription: "of HTTP Basic, for a longer name", secrets: ["hunter22"], text: "dXNlcjE6aHVudGVyMjI=",
            expected: "dXNlcjE6•••="),
        Case(testDescription: "in a shell", secrets: ["it's $5"], text: #"'it'\''s $5'"#, expected: "'•••'"),
        Case(
            testDescription: "escaped in a shell", secrets: ["a b$c"], text: #"+ echo a\ b\$c"#, expected: "+ echo •••"),
        Case(testDescription: "hexadecimal", secrets: ["hunter22"], text: "68756e7465723232.", expected: "•••."),
        Case(
            testDescription: "line by line", secrets: ["first line\nsecond line\n"],
            text: "  first line\r\n  second line", expected: "  •••\r\n  •••"),
    ]

    @Test(arguments: cases)
    func hidesInOnePiece(_ example: Case) {
        #expect(masked(example.text, hiding: example.secrets) == example.expected)
    }

    @Test(arguments: cases, [1, 2, 3, 5, 7])
    func hidesAcrossTheBordersOfReads(_ example: Case, _ size: Int) {
        #expect(masked(example.text, hiding: example.secrets, inPiecesOf: size) == example.expected)
    }

    @Test func aPromptWithoutALineEndIsShownAtOnce() {
        var mask = SecretMask(secrets: ["hunter22"])
        #expect(mask.pass(Array("Continue? ".utf8)) == Array("Continue? ".utf8))
    }

    @Test func onlyABeginningOfASecretIsBuffered() {
        var mask = SecretMask(secrets: ["hunter22"])
        #expect(mask.pass(Array("say hun".utf8)) == Array("say ".utf8))
        #expect(mask.pass(Array("ger".utf8)) == Array("hunger".utf8))
    }
}
