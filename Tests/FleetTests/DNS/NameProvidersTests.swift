import Fleet
import Foundation
import TestSupport
import Testing

@Suite struct NameProvidersTests {
    struct Case: CustomTestStringConvertible {
        var testDescription: String
        var settings: @Sendable (inout DNS) -> Void
        var expected: DNSSettingsError
    }

    @Test(arguments: [
        Case(testDescription: "no server", settings: { $0.keyFile = "k" }, expected: .missing("server", "rfc2136")),
        Case(
            testDescription: "no port", settings: { ($0.server, $0.keyFile) = ("ns:", "k") }, expected: .server("ns:")),
        Case(
            testDescription: "no health file", settings: { $0.provider = .gdnsd },
            expected: .missing("health-file", "gdnsd")),
        Case(
            testDescription: "no token", settings: { ($0.provider, $0.zoneID) = (.cloudflare, "ab") },
            expected: .missing("token-file", "cloudflare")),
    ])
    func missingSettingsOfAProviderAreNamed(_ example: Case) async throws {
        let inventory = try sampleFleet(2)
        var dns = try #require(inventory.dns)
        example.settings(&dns)
        let settings = dns
        await #expect(throws: example.expected) { try await settings.withProvider(of: inventory, now: { 0 }) { _ in } }
    }

    @Test(arguments: [
        "\u{1B}[200~s3cret\u{1B}[201~", "s3cret\0", "\u{feff}s3cret", "s3cret and more", "s\u{fffd}3cret",
    ])
    func anInvalidTokenIsRejectedAndNotPrinted(_ token: String) async throws {
        let scratch = try Scratch()
        let inventory = try sampleFleet(2)
        var dns = try #require(inventory.dns)
        (dns.provider, dns.zoneID) = (.cloudflare, "ab")
        dns.tokenFile = try scratch.write(Array(token.utf8), to: "token")
        let settings = dns
        let error = await #expect(throws: DNSSettingsError.form("token-file", scratch.file("token"))) {
            try await settings.withProvider(of: inventory, now: { 0 }) { _ in }
        }
        #expect(!"\(try #require(error))".contains("3cret"))
        _ = try scratch.write(Array("s3cret\r\n".utf8), to: "token")
        try await settings.withProvider(of: inventory, now: { 0 }) { _ in }
    }

    private static let secret = KnotServer.secret

    @Test(arguments: [
        "hmac-sha256:acme.key:\(secret)\n", "# hmac-sha256:acme.key:\(secret)\n",
        """
        # hmac-sha256:acme.key:\(secret)
        key:
          - id: acme.key
            algorithm: hmac-sha256
            secret: \(secret)

        """,
        """
        key "acme.key" {
        \talgorithm hmac-sha256;
        \tsecret "\(secret)";
        };

        """,
    ])
    func keyFileFormatsAreParsed(_ text: String) async throws {
        let knot = try KnotServer()
        let scratch = try Scratch()
        let inventory = try sampleFleet(2)
        var dns = try #require(inventory.dns)
        dns.server = "\(knot.address):\(knot.port)"
        dns.keyFile = try scratch.write(Array(text.utf8), to: "key")
        let settings = dns
        let wanted = try Records(inventory)
        try await settings.withProvider(of: inventory, now: { Int64(Date().timeIntervalSince1970) }) { names in
            try await names.apply(NamePlan(wanted: wanted, present: [:]).changes)
        }
        #expect(try knot.lookUp("n2.example.org", "A") == ["192.0.2.2"])
    }

    @Test func theFormatOfKeymgrIsParsed() async throws {
        let scratch = try Scratch()
        let keymgr = try await Tool("/usr/sbin/keymgr", ["-t", "soc.example.org", "hmac-sha256"])
        let inventory = try sampleFleet(2)
        var dns = try #require(inventory.dns)
        (dns.server, dns.keyFile) = ("127.0.0.1", try scratch.write(keymgr.output, to: "key"))
        let settings = dns
        try await settings.withProvider(of: inventory, now: { 0 }) { _ in }
    }

    @Test func anInvalidKeyIsReportedWithItsSetting() async throws {
        let scratch = try Scratch()
        let inventory = try sampleFleet(2)
        var dns = try #require(inventory.dns)
        for (file, text) in [("none", nil), ("short", "hmac-sha256:k:AAAA")] as [(String, String?)] {
            if let text { try scratch.write(Array(text.utf8), to: file) }
            (dns.server, dns.keyFile) = ("127.0.0.1", scratch.file(file))
            let settings = dns
            let error = await #expect(throws: DNSSettingsError.self) {
                try await settings.withProvider(of: inventory, now: { 0 }) { _ in }
            }
            #expect("\(try #require(error))".contains("key-file"))
        }
    }

    @Test func theSettingsWorkWithARealServer() async throws {
        let knot = try KnotServer()
        let inventory = try sampleFleet(2)
        var dns = try #require(inventory.dns)
        (dns.server, dns.keyFile) = ("\(knot.address):\(knot.port)", try knot.keyFile())
        let wanted = try Records(inventory)
        let present = try await dns.withProvider(of: inventory, now: { Int64(Date().timeIntervalSince1970) }) { names in
            try await names.apply(NamePlan(wanted: wanted, present: [:]).changes)
            return try await names.present(["n2.example.org"])
        }
        #expect(present["n2.example.org"]?.addresses == addresses(2))
    }
}
