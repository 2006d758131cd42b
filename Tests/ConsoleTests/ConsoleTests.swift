import Console
import Testing

@Suite struct ConsoleTests {
    @Test func controlCharactersAreReplaced() {
        #expect("a\u{1b}]52;c;x\u{07}\u{9b}m\u{202e}b".printable == "a\u{fffd}]52;c;x\u{fffd}\u{fffd}m\u{fffd}b")
        #expect("a\nb\r\n\tc".printable(keeping: "\n\t") == "a\nb\u{fffd}\n\tc")
    }

    @Test func aSanitizedLineIsOneLineOfLimitedLength() {
        #expect(
            "disk\r\n2026 all is well\u{2028}\u{1b}[2J".sanitizedLine()
                == "disk\u{fffd}\u{fffd}2026 all is well\u{fffd}\u{fffd}[2J")
        #expect(String(repeating: "e\u{301}", count: 400).sanitizedLine(limit: 10).unicodeScalars.count == 10)
    }

    @Test func columnsAreAligned() {
        var table = Table("node", "unit")
        table.add("tokyo", "active")
        table.add("new-jersey", "fai\u{1b}led")
        table.add("東京", "")
        #expect(table.text == "NODE        UNIT\ntokyo       active\nnew-jersey  fai\u{fffd}led\n東京")
    }
}
