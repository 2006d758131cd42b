import IPNetworks
import TestSupport
import Testing

@Suite struct IPAddressTests {
    struct Case: CustomTestStringConvertible {
        var text: String
        /// Hexadecimal bytes; nil when the text is not an address.
        var bytes: String?
        var testDescription: String { text.isEmpty ? "nothing" : text }

        init(_ text: String, _ bytes: String?) {
            self.text = text
            self.bytes = bytes
        }
    }

    @Test(arguments: [
        Case("192.0.2.7", "c0000207"), Case("0.0.0.0", "00000000"), Case("255.255.255.255", "ffffffff"),
        Case("::", "00000000000000000000000000000000"), Case("::1", "00000000000000000000000000000001"),
        Case("1::", "00010000000000000000000000000000"),
        Case("2001:db8::1", "20010db8000000000000000000000001"),
        Case("2001:DB8::A", "20010db800000000000000000000000a"),
        Case("2001:db8:1:2:3:4:5:6", "20010db8000100020003000400050006"),
        Case("1:2:3:4:5:6:7::", "00010002000300040005000600070000"),
        Case("::2:3:4:5:6:7:8", "00000002000300040005000600070008"),
        Case("fe80::1%eth0", "fe800000000000000000000000000001"),
        Case("::ffff:192.0.2.7", "c0000207"), Case("::ffff:c000:207", "c0000207"),
        Case("64:ff9b::192.0.2.7", "0064ff9b0000000000000000c0000207"),
        Case("1:2:3:4:5:6:192.0.2.7", "000100020003000400050006c0000207"),
        Case("", nil), Case("1.2.3", nil), Case("1.2.3.4.5", nil), Case("1.2.3.", nil), Case(".1.2.3", nil),
        Case("256.1.1.1", nil), Case("01.2.3.4", nil), Case("1.2.3.0004", nil), Case("+1.2.3.4", nil),
        Case("1.2.3.-4", nil), Case(" 1.2.3.4", nil), Case("1.2.3.4 ", nil), Case("1.2.3.4/32", nil),
        Case("a.b.c.d", nil),
        Case("0x1.2.3.4", nil), Case("１.2.3.4", nil),
        Case(":", nil), Case(":::", nil), Case("1::2::3", nil), Case("::1::", nil), Case("1:::2", nil),
        Case("1:2:3:4:5:6:7", nil), Case("1:2:3:4:5:6:7:8:9", nil), Case("1:2:3:4:5:6:7:8::", nil),
        Case(":1:2:3:4:5:6:7", nil),
        Case("1:2:3:4:5:6:7:", nil), Case("12345::", nil), Case("g::", nil), Case("+1::", nil), Case("-0::1", nil),
        Case("1.2.3.4::", nil), Case("1.2.3.4::1", nil), Case("1.2.3.4:1::", nil), Case("::1.2.3", nil),
        Case("::1.2.3.4:1", nil), Case("1:2:3:4:5:6:7:1.2.3.4", nil), Case("::256.0.0.1", nil),
    ])
    func reads(_ example: Case) {
        #expect(IPAddress(example.text)?.bytes.hex == example.bytes)
    }

    @Test func everyTruncationIsParsedWithoutCrashing() {
        for text in ["2001:db8:1:2:3:4:192.0.2.7", "::ffff:192.0.2.7", "fe80::1%eth0", "192.0.2.255"] {
            for count in 0...text.count {
                guard let address = IPAddress(text.prefix(count)) else { continue }
                #expect(IPAddress(address.text) == address)
            }
        }
    }

    @Test func roundTripsText() {
        for _ in 0..<200 {
            let bytes = (0..<(Bool.random() ? 4 : 16)).map { _ in
                UInt8.random(in: 0...3) == 0 ? 0 : UInt8.random(in: 0...255)
            }
            let address = IPAddress(bytes: bytes)
            #expect(address.flatMap { IPAddress($0.text) } == address)
        }
    }

    @Test func otherLengthsAreRefused() {
        for count in 0...20 where count != 4 && count != 16 {
            #expect(IPAddress(bytes: [UInt8](repeating: 1, count: count)) == nil)
        }
    }

    struct Neighbours: CustomTestStringConvertible {
        var testDescription: String
        var one: String
        var other: String
        var areNeighbours: Bool
    }

    @Test(arguments: [
        Neighbours(testDescription: "the same /24", one: "192.0.2.1", other: "192.0.2.254", areNeighbours: true),
        Neighbours(testDescription: "the next /24", one: "192.0.2.1", other: "192.0.3.1", areNeighbours: false),
        Neighbours(
            testDescription: "the same /64", one: "2001:db8::1", other: "2001:db8::ffff:0:0:1", areNeighbours: true),
        Neighbours(testDescription: "the next /64", one: "2001:db8::1", other: "2001:db8:0:1::1", areNeighbours: false),
        Neighbours(
            testDescription: "mapped and plain", one: "::ffff:192.0.2.1", other: "192.0.2.2", areNeighbours: true),
    ])
    func hasItsRateLimitPrefix(_ example: Neighbours) throws {
        let one = try #require(IPAddress(example.one))
        let other = try #require(IPAddress(example.other))
        #expect((one.rateLimitPrefix == other.rateLimitPrefix) == example.areNeighbours)
    }
}

@Suite struct IPNetworkTests {
    struct Case: CustomTestStringConvertible {
        var network: String
        var inside: [String]
        var outside: [String]
        var testDescription: String { network }
    }

    @Test(arguments: [
        Case(
            network: "10.0.0.0/8", inside: ["10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3"],
            outside: ["11.0.0.0", "9.255.255.255", "::a00:1"]),
        Case(network: "10.1.2.3/8", inside: ["10.9.9.9"], outside: ["11.0.0.1"]),
        Case(network: "192.0.2.128/25", inside: ["192.0.2.128", "192.0.2.255"], outside: ["192.0.2.127"]),
        Case(network: "192.0.2.7", inside: ["192.0.2.7"], outside: ["192.0.2.6", "192.0.2.8"]),
        Case(network: "0.0.0.0/0", inside: ["1.2.3.4"], outside: ["::1"]),
        Case(network: "2001:db8::/33", inside: ["2001:db8:7fff::1"], outside: ["2001:db8:8000::1", "2001:db9::1"]),
        Case(network: "::/0", inside: ["::1", "2001:db8::1"], outside: ["1.2.3.4", "::ffff:1.2.3.4"]),
        Case(network: "2001:db8::1", inside: ["2001:db8::1"], outside: ["2001:db8::2"]),
    ])
    func contains(_ example: Case) throws {
        let network = try #require(IPNetwork(example.network))
        for text in example.inside { #expect(network.contains(try #require(IPAddress(text))), "\(text)") }
        for text in example.outside { #expect(!network.contains(try #require(IPAddress(text))), "\(text)") }
    }

    @Test(arguments: [
        "", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/-0", "10.0.0.0/8/8",
        "10.0.0.0/08",
        "10.0.0.0/8 ", "10.0.0.0/a", "10.0.0/8", "2001:db8::/129", "::ffff:10.0.0.0/104",
        "10.0.0.0/99999999999999999999",
    ])
    func refuses(_ text: String) {
        #expect(IPNetwork(text) == nil)
    }

    @Test func dropsBitsAfterThePrefix() {
        #expect(IPNetwork("10.1.2.3/8") == IPNetwork("10.0.0.0/8"))
        #expect(IPNetwork("10.1.2.3/8")?.text == "10.0.0.0/8")
    }
}
