import Crypto
import Foundation
import IPNetworks
import TestSupport
import Testing
import Vault
import VaultFormat

@Suite struct GrantTests {
    static let entry = EntryID.random()
    static let field = FieldID.random()

    struct Case: CustomTestStringConvertible {
        var testDescription: String
        var grant: Grant
        var covers: Bool
    }

    // Asked of `field`, labelled "API Key", of `entry`, tagged "Deploy" and "prod".
    @Test(arguments: [
        Case(testDescription: "the entry", grant: .entry(entry), covers: true),
        Case(testDescription: "another entry", grant: .entry(.random()), covers: false),
        Case(testDescription: "the field", grant: .entry(entry, [field]), covers: true),
        Case(testDescription: "the field among others", grant: .entry(entry, [.random(), field]), covers: true),
        Case(testDescription: "another field", grant: .entry(entry, [.random()]), covers: false),
        Case(testDescription: "no field", grant: .entry(entry, []), covers: false),
        Case(testDescription: "the field of another entry", grant: .entry(.random(), [field]), covers: false),
        Case(testDescription: "a tag", grant: .tag("prod"), covers: true),
        Case(testDescription: "a tag in another case", grant: .tag("dEPLOY"), covers: true),
        Case(testDescription: "another tag", grant: .tag("staging"), covers: false),
        Case(testDescription: "part of a tag", grant: .tag("pro"), covers: false),
        Case(testDescription: "an empty tag", grant: .tag(""), covers: false),
        Case(testDescription: "tag and label", grant: .tag("prod", ["API Key"]), covers: true),
        Case(testDescription: "tag and label in another case", grant: .tag("prod", ["api key"]), covers: true),
        Case(testDescription: "tag and another label", grant: .tag("prod", ["password"]), covers: false),
        Case(testDescription: "another tag and the label", grant: .tag("staging", ["API Key"]), covers: false),
        Case(
            testDescription: "an entry's grant does not go by label",
            grant: Grant(scope: .entry(entry), only: ["API Key"]), covers: false),
        Case(testDescription: "a tag's grant does not go by field", grant: .tag("prod", [field.text]), covers: false),
    ])
    func covers(_ example: Case) {
        #expect(
            GrantIndex([example.grant]).scope(of: Self.entry, tags: ["Deploy", "prod"])
                .covers(field: Self.field, label: "API Key") == example.covers)
    }

    @Test(arguments: [
        ("caf\u{e9}", "cafe\u{301}"), ("CAF\u{c9}", "cafe\u{301}"), ("stra\u{df}e", "STRASSE"),
        ("\u{3a3}\u{3a3}", "\u{3c3}\u{3c2}"), ("\u{130}x", "i\u{307}X"),
    ])
    func namesAreComparedInOneFormWithoutCase(_ one: String, _ other: String) {
        let byTag = GrantIndex([.tag(one)]).scope(of: Self.entry, tags: [other])
        let byLabel = GrantIndex([.tag("t", [one])]).scope(of: Self.entry, tags: ["t"])
        let index = BlindIndex(key: .init(size: .bits256))
        #expect(byTag.covers(field: Self.field, label: "any"))
        #expect(byLabel.covers(field: Self.field, label: other))
        #expect(index.term(tag: one) == index.term(tag: other))
        #expect(index.term(host: one) == index.term(host: other))
    }

    @Test func grantsOfOneEntryAddUp() {
        let other = FieldID.random()
        let scope = GrantIndex([.entry(Self.entry, [Self.field]), .tag("t", ["b"]), .tag("u", ["c"])])
            .scope(of: Self.entry, tags: ["T"])
        #expect(scope.covers(field: Self.field, label: "a"))
        #expect(scope.covers(field: other, label: "B"))
        #expect(!scope.covers(field: other, label: "c"))
    }

    @Test(arguments: [Grant.entry(entry), .entry(entry, [field]), .tag("prod"), .tag("prod", ["a", "b"])])
    func survivesJSON(_ grant: Grant) throws {
        let back = try JSONDecoder().decode(Grant.self, from: try JSONEncoder().encode(grant))
        #expect(back == grant)
    }

    @Test(arguments: ["{}", #"{"entry":"short"}"#, #"{"entry":7}"#, #"{"tag":7}"#, #"{"fields":[]}"#, "[]"])
    func refusesJSON(_ text: String) {
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(Grant.self, from: Data(text.utf8)) }
    }
}

@Suite struct AgentPolicyTests {
    struct Case: CustomTestStringConvertible {
        var testDescription: String
        var policy: AgentPolicy
        var now: Int64 = 1_000
        var from: String? = "192.0.2.7"
        var refusal: AgentPolicy.Refusal?
    }

    private static let office = [IPNetwork("192.0.2.0/24")!, IPNetwork("2001:db8::/32")!]

    @Test(arguments: [
        Case(testDescription: "no limits", policy: AgentPolicy(), refusal: nil),
        Case(testDescription: "no limits, no address", policy: AgentPolicy(), from: nil, refusal: nil),
        Case(testDescription: "a second early", policy: AgentPolicy(notBefore: 1_001), refusal: .notYet),
        Case(testDescription: "on the second", policy: AgentPolicy(notBefore: 1_000), refusal: nil),
        Case(testDescription: "a second before the end", policy: AgentPolicy(expiresAt: 1_001), refusal: nil),
        Case(testDescription: "at the end", policy: AgentPolicy(expiresAt: 1_000), refusal: .expired),
        Case(testDescription: "in the network", policy: AgentPolicy(cidr: office), refusal: nil),
        Case(
            testDescription: "in the other network", policy: AgentPolicy(cidr: office), from: "2001:db8::9",
            refusal: nil),
        Case(
            testDescription: "mapped into the network", policy: AgentPolicy(cidr: office), from: "::ffff:192.0.2.9",
            refusal: nil),
        Case(testDescription: "elsewhere", policy: AgentPolicy(cidr: office), from: "198.51.100.1", refusal: .network),
        Case(testDescription: "from nowhere", policy: AgentPolicy(cidr: office), from: nil, refusal: .network),
    ])
    func refuses(_ example: Case) {
        let address = example.from.flatMap { IPAddress($0) }
        #expect(example.policy.refusal(at: example.now, from: address) == example.refusal)
    }

    @Test func survivesJSON() throws {
        let policy = AgentPolicy(
            verbs: [.read, .totp], notBefore: 1, expiresAt: 2, cidr: Self.office, maxUses: 3, ratePerMinute: 4)
        let back = try JSONDecoder().decode(AgentPolicy.self, from: try JSONEncoder().encode(policy))
        #expect(back == policy)
    }
}
