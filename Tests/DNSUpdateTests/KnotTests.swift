import DNSUpdate
import Foundation
import TestSupport
import Testing

/// Interoperability with Debian's `knotd`; `kdig` reads the records back.
@Suite(.timeLimit(.minutes(15))) struct KnotTests {
    let knot: KnotServer
    let challenge: DNSName
    let node: DNSName

    init() throws {
        knot = try KnotServer()
        challenge = try DNSName("_acme-challenge.node.example.org")
        node = try DNSName("node.example.org")
    }

    @Test func aTextRecordIsAddedAndRemoved() async throws {
        let updater = try knot.updater()
        try await updater.setTXT(challenge, ["first", "second"], ttl: 60)
        let both = try knot.lookUp("\(challenge)", "TXT")
        try await updater.removeTXT(challenge, "first")
        let one = try knot.lookUp("\(challenge)", "TXT")
        try await updater.setTXT(challenge, ["third"], ttl: 60)
        let other = try knot.lookUp("\(challenge)", "TXT")
        #expect(both == [#""first""#, #""second""#])
        #expect(one == [#""second""#])
        #expect(other == [#""third""#])
    }

    @Test func removingAMissingRecordIsNoError() async throws {
        try await knot.updater().removeTXT(challenge, "never there")
        let texts = try knot.lookUp("\(challenge)", "TXT")
        #expect(texts.isEmpty)
    }

    @Test func aLongTextIsSplit() async throws {
        try await knot.updater().setTXT(challenge, [String(repeating: "a", count: 300)], ttl: 60)
        let texts = try knot.lookUp("\(challenge)", "TXT")
        let (first, rest) = (String(repeating: "a", count: 255), String(repeating: "a", count: 45))
        #expect(texts == [#""\#(first)" "\#(rest)""#])
    }

    @Test func addressesAreReplacedAtomically() async throws {
        let updater = try knot.updater()
        try await updater.perform([
            .add(node, ttl: 30, .a(0xc000_0201)),
            .add(node, ttl: 30, .aaaa(0x2001_0db8_0000_0000_0000_0000_0000_0001)),
        ])
        let before = try (knot.lookUp("\(node)", "A"), knot.lookUp("\(node)", "AAAA"))
        try await updater.perform([.removeSet(node, .a), .add(node, ttl: 30, .a(0xc000_0202))])
        try await updater.perform([.removeSet(node, .aaaa)])
        let after = try (knot.lookUp("\(node)", "A"), knot.lookUp("\(node)", "AAAA"))
        #expect(before == (["192.0.2.1"], ["2001:db8::1"]))
        #expect(after == (["192.0.2.2"], []))
    }

    @Test func aKeyWithSHA512Works() async throws {
        try await knot.updater(key: "hmac-sha512:long.key:\(KnotServer.secret)").setTXT(challenge, ["long"], ttl: 60)
        let texts = try knot.lookUp("\(challenge)", "TXT")
        #expect(texts == [#""long""#])
    }

    @Test func anEmptyUpdateChecksForPermission() async throws {
        try await knot.updater().perform([])
        let reader = try knot.updater(key: "hmac-sha256:reader.key:\(KnotServer.secret)")
        await #expect(throws: DNSUpdateError.tsigError(.unknownKey)) { try await reader.perform([]) }
    }

    struct Refusal: CustomTestStringConvertible {
        var testDescription: String
        var zone = "example.org"
        var key: String?
        var expected: DNSUpdateError
    }

    @Test(arguments: [
        Refusal(
            testDescription: "a wrong secret", key: "hmac-sha256:acme.key:\(KnotServer.otherSecret)",
            expected: .tsigError(.badSignature)),
        Refusal(
            testDescription: "an unknown key", key: "hmac-sha256:nobody:\(KnotServer.secret)",
            expected: .tsigError(.unknownKey)),
        Refusal(
            testDescription: "another algorithm", key: "hmac-sha512:acme.key:\(KnotServer.secret)",
            expected: .tsigError(.unknownKey)),
        Refusal(
            testDescription: "a key that may not update", key: "hmac-sha256:reader.key:\(KnotServer.secret)",
            expected: .tsigError(.unknownKey)),
        Refusal(testDescription: "no key", key: nil, expected: .refused(.notAuthorised)),
        Refusal(
            testDescription: "a missing zone", zone: "node.example.org",
            key: "hmac-sha256:acme.key:\(KnotServer.secret)", expected: .refused(.notAuthorised)),
    ])
    func aRefusedUpdateChangesNothing(_ example: Refusal) async throws {
        let updater = try knot.updater(zone: example.zone, key: example.key)
        await #expect(throws: example.expected) { try await updater.setTXT(challenge, ["forged"], ttl: 60) }
        let texts = try knot.lookUp("\(challenge)", "TXT")
        #expect(texts.isEmpty)
    }

    @Test func aLargeClockSkewIsReported() async throws {
        let updater = try knot.updater(late: 3600)
        await #expect(throws: DNSUpdateError.tsigError(.badTime)) { try await updater.perform([]) }
    }
}

extension DNSUpdater {
    /// Replaces the name's TXT records with `values`.
    fileprivate func setTXT(_ name: DNSName, _ values: [String], ttl: UInt32) async throws {
        try await perform([.removeSet(name, .txt)] + values.map { .add(name, ttl: ttl, .txt($0)) })
    }
}
