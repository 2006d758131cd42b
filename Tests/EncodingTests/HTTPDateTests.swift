import Encoding
import Testing

@Suite struct HTTPDateTests {
    /// Checked with Python's `email.utils.parsedate_to_datetime`.
    @Test(arguments: [
        ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777), ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("Tue, 29 Feb 2000 23:59:59 GMT", 951_868_799), ("Mon, 01 Mar 2100 00:00:00 GMT", 4_107_542_400),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799),
    ])
    func readsIMFFixdate(_ text: String, _ seconds: Int64) {
        #expect(HTTPDate.seconds(text) == seconds)
    }

    @Test(arguments: [
        "", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sun, 06 Nov 1994 08:49:37 +0000",
        "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 32 Nov 1994 08:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT",
        "Sun, 06 Nov 99999 08:49:37 GMT", "Sun 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49 GMT",
    ])
    func refusesOtherForms(_ text: String) {
        #expect(HTTPDate.seconds(text) == nil)
    }

    @Test func everyTruncationIsRefused() {
        let text = "Sun, 06 Nov 1994 08:49:37 GMT"
        for count in 0..<text.count { #expect(HTTPDate.seconds(String(text.prefix(count))) == nil) }
    }
}
