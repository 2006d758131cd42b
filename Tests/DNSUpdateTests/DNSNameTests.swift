import DNSUpdate
import Testing

@Suite struct DNSNameTests {
    static let label63 = String(repeating: "a", count: 63)
    /// 253 characters, which are 255 bytes on the wire.
    static let longest = [label63, label63, label63, String(repeating: "b", count: 61)].joined(separator: ".")

    struct Case: CustomTestStringConvertible {
        var testDescription: String
        var text: String
        var expected: Result<String, DNSNameError>
    }

    @Test(arguments: [
        Case(testDescription: "plain", text: "node.example.org", expected: .success("node.example.org")),
        Case(testDescription: "a dot at the end", text: "example.org.", expected: .success("example.org")),
        Case(testDescription: "capitals", text: "Example.ORG", expected: .success("example.org")),
        Case(testDescription: "an underscore", text: "_acme-challenge.a", expected: .success("_acme-challenge.a")),
        Case(testDescription: "a wildcard", text: "*.example.org", expected: .success("*.example.org")),
        Case(testDescription: "the longest label", text: label63, expected: .success(label63)),
        Case(testDescription: "the longest name", text: longest, expected: .success(longest)),
        Case(testDescription: "empty", text: "", expected: .failure(.empty)),
        Case(testDescription: "the root", text: ".", expected: .failure(.empty)),
        Case(testDescription: "two dots", text: "a..b", expected: .failure(.emptyLabel)),
        Case(testDescription: "a dot in front", text: ".a", expected: .failure(.emptyLabel)),
        Case(testDescription: "two dots at the end", text: "a..", expected: .failure(.emptyLabel)),
        Case(testDescription: "a space", text: "a b", expected: .failure(.character(" "))),
        Case(testDescription: "an escape", text: #"a\.b"#, expected: .failure(.character("\\"))),
        Case(testDescription: "an umlaut", text: "bär", expected: .failure(.character("ä"))),
        Case(testDescription: "a Kelvin sign", text: "\u{212a}", expected: .failure(.character("\u{212a}"))),
        Case(testDescription: "a star among others", text: "a*.b", expected: .failure(.character("*"))),
        Case(testDescription: "a label too long", text: label63 + "a", expected: .failure(.longLabel(label63 + "a"))),
        Case(testDescription: "a name too long", text: longest + "b", expected: .failure(.tooLong)),
    ])
    func namesAreParsed(_ example: Case) {
        let result = Result { () throws(DNSNameError) in try DNSName(example.text).description }
        #expect(result == example.expected)
    }

    @Test func namesCompareCaseInsensitively() throws {
        let (upper, lower) = (try DNSName("EXAMPLE.org."), try DNSName("example.ORG"))
        #expect(upper == lower)
        #expect(upper.hashValue == lower.hashValue)
    }

    @Test func theEncodingHasLengthsAndLabels() throws {
        let name = try DNSName("Ab.c")
        #expect(name.wire == [2, 0x61, 0x62, 1, 0x63, 0])
        #expect(try DNSName(Self.longest).wire.count == 255)
    }

    @Test func aZoneContainsItsApexAndSubdomains() throws {
        let zone = try DNSName("example.org")
        for (text, isWithin) in [
            ("example.org", true), ("a.b.EXAMPLE.org", true), ("org", false), ("badexample.org", false),
            ("example.org.net", false),
        ] {
            let name = try DNSName(text)
            #expect(name.isWithin(zone) == isWithin, "\(text)")
        }
    }
}
