import Encoding
import Testing

@Suite struct PercentEncodingTests {
    @Test func encodesEverythingThatIsReserved() {
        #expect(PercentEncoding.encode("aZ09-._~") == "aZ09-._~")
        #expect(PercentEncoding.encode("a b/c?d=é") == "a%20b%2Fc%3Fd%3D%C3%A9")
        #expect(PercentEncoding.encode("/ü", upperCase: false, sparing: Array("/".utf8)) == "/%c3%bc")
        #expect(PercentEncoding.encode("a b", spaceAsPlus: true) == "a+b")
    }

    @Test func decodesBothCasesAndLeavesTheRest() {
        #expect(PercentEncoding.decode("a%2fb%2F+") == Array("a/b/+".utf8))
        #expect(PercentEncoding.decode("%00%ff") == [0, 255])
    }

    @Test(arguments: ["%", "%4", "%4g", "%zz", "a%"]) func refusesHalfASign(_ text: String) {
        #expect(PercentEncoding.decode(text) == nil)
    }

    @Test func everyTextComesBack() {
        let text = String(String.UnicodeScalarView((0..<0x250).compactMap(Unicode.Scalar.init)))
        #expect(PercentEncoding.decode(PercentEncoding.encode(text)) == Array(text.utf8))
    }
}
