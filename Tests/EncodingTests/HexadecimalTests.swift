import Encoding
import Testing

@Suite struct HexadecimalTests {
    /// RFC 4648 section 10, in lower case.
    @Test(arguments: [("", ""), ("f", "66"), ("fo", "666f"), ("foobar", "666f6f626172")])
    func encodesTheStandardsExamples(_ text: String, _ digits: String) {
        #expect(Hexadecimal.encode(Array(text.utf8)) == digits)
        #expect(Hexadecimal.decode(digits) == Array(text.utf8))
        #expect(Hexadecimal.decode(digits.uppercased()) == Array(text.utf8))
    }

    @Test(arguments: ["6", "666", "6g", "66 ", "0x66", "ä6", "６６"])
    func refusesOtherCharacters(_ text: String) {
        #expect(Hexadecimal.decode(text) == nil)
    }

    @Test func roundTripsEveryByte() {
        let all = (0...255).map(UInt8.init)
        #expect(Hexadecimal.decode(Hexadecimal.encode(all)) == all)
    }
}
