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
    func whatAProviderNeedsIsNamed(_ example: Case) async throws {
        let inventory = try sampleFleet(2)
        var dns = try #require(inventory.dns)
        example.settings(&dns)
        let settings = dns
        await #expect(throws: example.expected) { try await settings.withNames(of: inventory, now: { 0 }) { _ in } }
    }

    @Test func theSettingsReachARealServer() async throws {
        let knot = try KnotServer()
        let inventory = try sampleFleet(2)
        var dns = try #require(inventory.dns)
        (dns.server, dns.keyFile) = ("\(knot.address):\(knot.port)", try knot.keyFile())
        let wanted = try Records(inventory)
        let present = try await dns.withNames(of: inventory, now: { Int64(Date().timeIntervalSince1970) }) { names in
            try await names.apply(NamePlan(wanted: wanted, present: [:]).changes)
            return try await names.present(["n2.example.org"])
        }
        #expect(present["n2.example.org"]?.addresses == addresses(2))
    }
}
