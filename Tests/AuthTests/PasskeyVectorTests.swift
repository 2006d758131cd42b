import Auth
import Crypto
import TestSupport
import Testing
import VaultFormat

/// Assertions signed in Python, by keys of both algorithms.
@Suite struct PasskeyVectorTests {
    struct File: Decodable {
        struct Key: Decodable, CustomTestStringConvertible {
            var name: String
            var algorithm: UInt8
            var spki: Hex
            var cases: [Case]
            var testDescription: String { name }

            var key: AssertionKey {
                get throws {
                    AssertionKey(
                        algorithm: try #require(AssertionKey.Algorithm(rawValue: algorithm)), spki: spki.bytes)
                }
            }
        }

        struct Case: Decodable {
            var name: String
            var clientDataJSON: Hex
            var authenticatorData: Hex
            var signature: Hex
            var isAccepted: Bool

            var assertion: PasskeyAssertion {
                .init(
                    clientDataJSON: clientDataJSON.bytes, authenticatorData: authenticatorData.bytes,
                    signature: signature.bytes)
            }
        }

        var now: Int64
        var issued: Int64
        var rpId: String
        var assertions: [Key]
    }

    struct NodeFile: Decodable {
        var rootKey: Hex
        var storedNodeKey: Hex
    }

    static let file = Result { try Vectors.load("credential.json", as: File.self) }
    let web: WebOrigin
    let challenges: PasskeyChallenges
    let issued: Int64

    init() throws {
        let file = try Self.file.get()
        let node = try Vectors.load("email.json", as: NodeFile.self)
        let root = try #require(RootKeys(current: 1, keys: [1: SymmetricKey(data: node.rootKey.bytes)]))
        web = WebOrigin(name: file.rpId)
        issued = file.issued
        challenges = PasskeyChallenges(keys: try NodeKeys(root: root, stored: node.storedNodeKey.bytes)) { file.now }
    }

    private func answered(_ assertion: PasskeyAssertion, _ key: AssertionKey) throws -> Int64 {
        try challenges.time(of: try assertion.verify(key, at: web))
    }

    private func changed(
        _ assertion: PasskeyAssertion, _ change: (inout PasskeyAssertion) -> Void
    ) -> PasskeyAssertion {
        var copy = assertion
        change(&copy)
        return copy
    }

    @Test(arguments: try file.get().assertions) func eachIsJudgedAsInPython(_ key: File.Key) throws {
        #expect(key.cases.count > 20)
        for example in key.cases {
            let time = try? answered(example.assertion, key.key)
            #expect((time != nil) == example.isAccepted, "\(example.name)")
            if example.isAccepted { #expect(time == issued, "\(example.name)") }
        }
    }

    @Test(arguments: try file.get().assertions) func noTruncationIsAccepted(_ key: File.Key) throws {
        let good = try #require(key.cases.first { $0.isAccepted }).assertion
        let assertionKey = try key.key
        for count in 0..<good.clientDataJSON.count {
            let cut = changed(good) { $0.clientDataJSON = Array(good.clientDataJSON.prefix(count)) }
            #expect(throws: PasskeyAssertion.Refusal.self) { try cut.verify(assertionKey, at: web) }
        }
        for count in 0..<good.authenticatorData.count {
            let cut = changed(good) { $0.authenticatorData = Array(good.authenticatorData.prefix(count)) }
            #expect(throws: PasskeyAssertion.Refusal.authenticatorData) {
                try cut.verify(assertionKey, at: web)
            }
        }
        for count in 0..<good.signature.count {
            let cut = changed(good) { $0.signature = Array(good.signature.prefix(count)) }
            #expect(throws: PasskeyAssertion.Refusal.signature) { try cut.verify(assertionKey, at: web) }
        }
        for count in 0..<key.spki.bytes.count {
            let short = AssertionKey(algorithm: assertionKey.algorithm, spki: Array(key.spki.bytes.prefix(count)))
            #expect(throws: PasskeyAssertion.Refusal.signature) { try good.verify(short, at: web) }
        }
    }

    @Test(arguments: try file.get().assertions) func aFlippedBitOfTheSignatureIsRefused(_ key: File.Key) throws {
        let good = try #require(key.cases.first { $0.isAccepted }).assertion
        for index in good.signature.indices {
            let flipped = changed(good) { $0.signature[index] ^= 1 }
            #expect(throws: PasskeyAssertion.Refusal.signature) { try flipped.verify(key.key, at: web) }
        }
    }

    @Test func aKeyOfAnotherAlgorithmIsRefused() throws {
        let keys = try Self.file.get().assertions
        for (one, other) in [(keys[0], keys[1]), (keys[1], keys[0])] {
            let wrong = AssertionKey(algorithm: try one.key.algorithm, spki: other.spki.bytes)
            let good = try #require(one.cases.first { $0.isAccepted }).assertion
            #expect(throws: PasskeyAssertion.Refusal.signature) { try good.verify(wrong, at: web) }
        }
    }

    @Test func whatIsTooLongIsNotParsed() throws {
        let key = try Self.file.get().assertions[0]
        let assertionKey = try key.key
        let good = try #require(key.cases.first { $0.isAccepted }).assertion
        for path in [
            \PasskeyAssertion.clientDataJSON, \PasskeyAssertion.authenticatorData, \PasskeyAssertion.signature,
        ] {
            let long = changed(good) { $0[keyPath: path] += [UInt8](repeating: 0x20, count: 4_096) }
            #expect(throws: PasskeyAssertion.Refusal.tooLong) { try long.verify(assertionKey, at: web) }
        }
    }

    @Test func eachChallengeIsNewerThanTheLast() throws {
        var last: Int64 = 0
        for _ in 0..<1_000 {
            let time = try challenges.time(of: challenges.make())
            #expect(time > last)
            last = time
        }
    }

    @Test func aChallengeWithAnyOtherByteIsRefused() throws {
        let good = challenges.make()
        for index in good.indices {
            let changed = Array(good[..<index]) + [good[index] ^ 0x80] + Array(good[(index + 1)...])
            #expect(throws: PasskeyAssertion.Refusal.challenge) { try challenges.time(of: changed) }
        }
        for count in 0..<good.count {
            #expect(throws: PasskeyAssertion.Refusal.challenge) { try challenges.time(of: Array(good.prefix(count))) }
        }
    }
}
