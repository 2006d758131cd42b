import Encoding
import Testing

@Suite struct StreamSafeTextTests {
    private static let marks = ["\u{301}\u{323}", "\u{316}", "\u{5b0}\u{5b1}", "\u{1d165}"]

    private func run(of marks: String, _ count: Int) -> String {
        String(String(repeating: marks, count: count).unicodeScalars.prefix(count))
    }

    private func percentEncoded(_ text: String) -> String {
        text.utf8.map { "%" + String(0x100 + Int($0), radix: 16).dropFirst() }.joined()
    }

    @Test(arguments: marks) func thirtyMarksAreAccepted(_ marks: String) {
        let (most, more) = (run(of: marks, 30), run(of: marks, 31))
        for text in [most, "e" + most + "e" + most] { #expect(StreamSafeText.check(text)) }
        for text in [more, "e" + more, "ee" + most + "e" + more + "e"] { #expect(!StreamSafeText.check(text)) }
    }

    @Test(arguments: marks) func aTargetIsCheckedAfterPercentDecoding(_ marks: String) {
        let (most, more) = (run(of: marks, 30), run(of: marks, 31))
        for prefix in ["/", "/entries/", "/entries?tag=", "/?"] {
            #expect(StreamSafeText.check(target: prefix + percentEncoded(most)))
            #expect(StreamSafeText.check(target: prefix + most))
            #expect(!StreamSafeText.check(target: prefix + percentEncoded(more)))
            #expect(!StreamSafeText.check(target: prefix + percentEncoded(more).uppercased()))
            #expect(!StreamSafeText.check(target: prefix + more))
            // Half of them written one way and half the other.
            #expect(!StreamSafeText.check(target: prefix + most + percentEncoded(most)))
        }
    }

    @Test(arguments: ["%", "%c", "%zz", "/a%", "%%41", "%c3%28", "/ä?ö=%e4"])
    func anInvalidEscapeIsText(_ target: String) {
        for length in 0...target.count { #expect(StreamSafeText.check(target: String(target.prefix(length)))) }
    }
}
