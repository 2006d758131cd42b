import Crypto
import Testing
import Vault
import VaultFormat

@Suite struct BlindIndexTests {
    struct Case: CustomTestStringConvertible {
        var url: String
        var host: String?
        var testDescription: String { url.isEmpty ? "nothing" : url }

        init(_ url: String, _ host: String?) {
            self.url = url
            self.host = host
        }
    }

    @Test(arguments: [
        Case("https://example.com", "example.com"), Case("https://example.com/login?next=/a#b", "example.com"),
        Case("example.com", "example.com"), Case("example.com/login", "example.com"),
        Case("EXAMPLE.com", "example.com"),
        Case("example.com:8443", "example.com"), Case("https://ada:secret@example.com:8443/x", "example.com"),
        Case("https://ada@home@example.com", "example.com"), Case("https://evil.com/@example.com", "evil.com"),
        Case("https://evil.com?@example.com", "evil.com"), Case("https://evil.com#@example.com", "evil.com"),
        Case("ssh://git@example.com/repo", "example.com"), Case("https://[2001:DB8::1]:8443/x", "2001:db8::1"),
        Case("https://192.0.2.7/x", "192.0.2.7"), Case("https://zürich.example", "zürich.example"),
        Case("localhost", "localhost"), Case("//example.com/x", nil),
        Case("", nil), Case("https://", nil), Case("https:///path", nil), Case("two words", nil), Case("/path", nil),
        Case("?x", nil), Case("://", nil), Case("[", nil), Case("[]", nil), Case(":8080", nil), Case("@", nil),
    ])
    func findsTheHost(_ example: Case) {
        #expect(BlindIndex.host(of: example.url) == example.host)
    }

    @Test(arguments: [
        ("example.org", ["example.org"]),
        ("www.Example.org", ["www.Example.org", "Example.org"]),
        ("a.b.example.co.uk", ["a.b.example.co.uk", "co.uk", "example.co.uk", "b.example.co.uk"]),
        ("localhost", ["localhost"]), ("192.0.2.7", ["192.0.2.7"]), ("2001:db8::1", ["2001:db8::1"]), ("", [""]),
        ("例え.テスト.jp", ["例え.テスト.jp", "テスト.jp"]), (".", ["."]),
    ])
    func aHostIsInItsDomains(_ host: String, _ domains: [String]) {
        #expect(Set(BlindIndex.domains(of: host)) == Set(domains))
    }

    @Test func aHostOfManyLabelsHasFewDomains() {
        let host = [String](repeating: "a", count: 120).joined(separator: ".")
        #expect(BlindIndex.domains(of: host).count == 8)
    }

    @Test func everyTruncationOfAURLIsReadWithoutCrashing() {
        let url = "https://ada:secret@[2001:db8::1]:8443/path?query#fragment"
        for count in 0...url.count { _ = BlindIndex.host(of: String(url.prefix(count))) }
    }

    @Test func termsAreKeyedTruncatedAndCaseInsensitive() {
        let one = BlindIndex(key: SymmetricKey(size: .bits256))
        let other = BlindIndex(key: SymmetricKey(size: .bits256))
        #expect(one.term(host: "example.com").count == 16)
        #expect(one.term(host: "Example.COM") == one.term(host: "example.com"))
        #expect(one.term(tag: "Work") == one.term(tag: "work"))
        #expect(one.term(host: "example.com") != other.term(host: "example.com"))
        #expect(one.term(host: "work") != one.term(tag: "work"))
    }
}

@Suite struct EmailAddressTests {
    struct Case: CustomTestStringConvertible {
        var text: String
        var normalized: String?
        var testDescription: String { text.isEmpty ? "nothing" : text }

        init(_ text: String, _ normalized: String?) {
            self.text = text
            self.normalized = normalized
        }
    }

    @Test(arguments: [
        Case("ada@example.org", "ada@example.org"), Case("  Ada@Example.ORG\n", "ada@example.org"),
        Case("ada+vault@example.org", "ada+vault@example.org"), Case("zoë@example.org", "zoë@example.org"),
        Case(String(repeating: "a", count: 242) + "@example.org", String(repeating: "a", count: 242) + "@example.org"),
        Case(String(repeating: "a", count: 243) + "@example.org", nil),
        Case("", nil), Case("ada", nil), Case("@example.org", nil), Case("ada@", nil), Case("ada@b@c", nil),
        Case("a da@example.org", nil), Case("ada\t@example.org", nil), Case("ada\0@example.org", nil),
        Case("ada\u{7f}@example.org", nil), Case("   ", nil),
    ])
    func reads(_ example: Case) {
        #expect(EmailAddress(example.text)?.normalized == example.normalized)
    }
}
