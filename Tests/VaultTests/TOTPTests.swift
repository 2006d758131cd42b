import Encoding
import OneTimePasswords
import TestSupport
import Testing

struct TOTPFile: Decodable {
    struct Code: Decodable, CustomTestStringConvertible {
        var source: String
        var secret: Hex
        var algorithm: String
        var digits: Int
        var period: Int64
        var time: Int64
        var code: String
        var testDescription: String { "\(source), \(algorithm), at \(time)" }
    }
    struct URI: Decodable, CustomTestStringConvertible {
        struct Expected: Decodable {
            var secret: Hex
            var algorithm: String
            var digits: Int
            var period: Int64
        }
        var name: String
        var uri: String
        var expected: Expected
        var testDescription: String { name }
    }
    struct Refused: Decodable, CustomTestStringConvertible {
        var name: String
        var uri: String
        var testDescription: String { name }
    }
    var codes: [Code]
    var uris: [URI]
    var refusedURIs: [Refused]
}

@Suite struct TOTPTests {
    static let file = Result { try Vectors.load("totp.json", as: TOTPFile.self) }
    let generator = TOTP(secret: Array("12345678901234567890".utf8))

    @Test(arguments: try file.get().codes) func generatesTheCode(_ example: TOTPFile.Code) throws {
        let generator = TOTP(
            secret: example.secret.bytes, algorithm: try #require(.init(rawValue: example.algorithm)),
            digits: example.digits, period: example.period)
        #expect(generator.code(at: example.time) == example.code)
    }

    @Test(arguments: try file.get().uris) func readsTheURI(_ example: TOTPFile.URI) throws {
        let expected = TOTP(
            secret: example.expected.secret.bytes, algorithm: try #require(.init(rawValue: example.expected.algorithm)),
            digits: example.expected.digits, period: example.expected.period)
        #expect(TOTP(example.uri) == expected)
    }

    @Test(arguments: try file.get().refusedURIs) func refusesTheURI(_ example: TOTPFile.Refused) {
        #expect(TOTP(example.uri) == nil)
    }

    @Test func everyTruncationOfAURIIsReadWithoutCrashing() {
        let uri = "otpauth://totp/Example:ada?secret=GEZDGNBVGY3TQOJQ&issuer=Example&algorithm=SHA1&digits=6&period=30"
        for count in 0...uri.count {
            guard let generator = TOTP(String(uri.prefix(count))) else { continue }
            #expect(!generator.secret.isEmpty)
        }
    }

    @Test(arguments: ["GEZD GNBV GY3T QOJQ", "gezdgnbvgy3tqojq", "GEZD-GNBV-GY3T-QOJQ", "GEZDGNBVGY3TQOJQ======"])
    func parsesAPastedSeed(_ text: String) {
        #expect(TOTP(text)?.secret == Array("1234567890".utf8))
    }

    struct Acceptance: CustomTestStringConvertible {
        var testDescription: String
        /// The code's step relative to now.
        var step: Int64
        /// The last accepted step relative to now.
        var last: Int64
        var isAccepted: Bool
    }

    @Test(arguments: [
        Acceptance(testDescription: "the current code", step: 0, last: -9, isAccepted: true),
        Acceptance(testDescription: "a slow clock", step: -1, last: -9, isAccepted: true),
        Acceptance(testDescription: "a fast clock", step: 1, last: -9, isAccepted: true),
        Acceptance(testDescription: "two periods old", step: -2, last: -9, isAccepted: false),
        Acceptance(testDescription: "two periods early", step: 2, last: -9, isAccepted: false),
        Acceptance(testDescription: "the same again", step: 0, last: 0, isAccepted: false),
        Acceptance(testDescription: "an older one after a newer one", step: -1, last: 0, isAccepted: false),
        Acceptance(testDescription: "the current one after the one before", step: 0, last: -1, isAccepted: true),
        Acceptance(testDescription: "the current one after a fast clock's", step: 0, last: 1, isAccepted: false),
    ])
    func accepts(_ example: Acceptance) {
        let time: Int64 = 1_709_312_400
        let now = generator.step(at: time)
        let code = generator.code(step: now + example.step)
        let step = generator.accepts(code, at: time, after: now + example.last)
        #expect(step == (example.isAccepted ? now + example.step : nil))
    }

    @Test(arguments: ["", "12345", "1234567", "abcdef", "000000 "])
    func otherTextIsNotAccepted(_ text: String) {
        #expect(generator.accepts(text, at: 1_709_312_400, after: 0) == nil)
    }

    /// Upper-casing these gives FF, SS and S.
    @Test(arguments: ["\u{FB00}", "stra\u{DF}e", "\u{17F}a"]) func lettersBeyondASCIIAreRefused(_ text: String) {
        #expect(TOTP(text) == nil)
    }

    @Test func base32RoundTrips() {
        for count in 0..<50 {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255) }
            #expect(Base32.decode(Base32.encode(bytes)) == bytes)
        }
    }
}
