import Crypto
import DNSUpdate
import Foundation
import Testing

@Suite struct TSIGKeyTests {
    static let secret = Data((0..<32).map { UInt8($0) }).base64EncodedString()

    @Test(arguments: ["hmac-sha256", "hmac-sha512"]) func theTextFormIsParsed(algorithm: String) throws {
        let key = try TSIGKey("\(algorithm):Acme.Key.:\(Self.secret)")
        let name = try DNSName("acme.key")
        #expect(key.algorithm.rawValue == algorithm)
        #expect(key.name == name)
    }

    struct Case: CustomTestStringConvertible {
        var testDescription: String
        var text: String
        var expected: TSIGKeyError
    }

    @Test(arguments: [
        Case(testDescription: "empty", text: "", expected: .form),
        Case(testDescription: "no algorithm", text: "acme:\(secret)", expected: .form),
        Case(testDescription: "a fourth part", text: "hmac-sha256:acme:\(secret):", expected: .form),
        Case(testDescription: "an old algorithm", text: "hmac-md5:acme:\(secret)", expected: .algorithm),
        Case(testDescription: "no name", text: "hmac-sha256::\(secret)", expected: .name),
        Case(testDescription: "not base64", text: "hmac-sha256:acme:%%%", expected: .secret),
        Case(testDescription: "base64 cut short", text: "hmac-sha256:acme:\(secret.dropLast())", expected: .secret),
        Case(testDescription: "no secret", text: "hmac-sha256:acme:", expected: .shortSecret),
        Case(testDescription: "15 bytes", text: "hmac-sha256:acme:AAECAwQFBgcICQoLDA0O", expected: .shortSecret),
    ])
    func anInvalidKeyIsRejected(_ example: Case) {
        #expect(throws: example.expected) { _ = try TSIGKey(example.text) }
    }

    @Test func noErrorQuotesTheText() {
        // With the parts in the wrong order, any of them may be the secret.
        for text in ["\(Self.secret):a:b", "hmac-sha256:\(Self.secret):a", "hmac-sha256:a:\(Self.secret)!"] {
            let error = #expect(throws: TSIGKeyError.self) { _ = try TSIGKey(text) }
            #expect(error?.description.contains(Self.secret) == false)
        }
    }

    @Test func nothingPrintsTheSecret() throws {
        let bytes = (0..<32).map { UInt8($0) }
        let key = TSIGKey(name: try DNSName("acme"), secret: SymmetricKey(data: bytes))
        var dumped = ""
        dump(key, to: &dumped)
        dump([key], to: &dumped)
        #expect("\(key)" == "hmac-sha256:acme")
        #expect(String(reflecting: key) == "hmac-sha256:acme")
        #expect(Mirror(reflecting: key).children.isEmpty)
        #expect(!dumped.contains("secret"))
    }
}
