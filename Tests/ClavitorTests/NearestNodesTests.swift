import Testing

@testable import clavitor

@Suite struct NearestNodesTests {
    private static func node(_ name: String, _ milliseconds: Double?, isReady: Bool = true, city: String = "City")
        -> MeasuredNode
    {
        MeasuredNode(
            name: name, city: city, url: "https://\(name).example.org", milliseconds: milliseconds, isReady: isReady)
    }

    @Test func theNearestReadyNodeIsRecommended() {
        let text = NearestNodes([
            Self.node("far", 90), Self.node("ill", 4, isReady: false), Self.node("near", 50),
            Self.node("gone", nil, isReady: false),
        ]).text
        let lines = text.split(separator: "\n")
        #expect(lines[1...4].map { $0.prefix { $0 != " " } } == ["ill", "near", "far", "gone"])
        #expect(lines[1].contains("not ready"))
        #expect(!lines[2].contains("not ready"))
        #expect(lines[4].contains("no answer"))
        #expect(text.contains("clavitor register --server https://near.example.org\n"))
    }

    @Test func withoutAReadyNodeNoneIsRecommended() {
        let text = NearestNodes([Self.node("ill", 4, isReady: false)]).text
        #expect(text.contains("No node is ready"))
        #expect(!text.contains("register"))
    }

    /// The queried node chooses the text.
    @Test func nodeTextIsSanitizedForTheTerminal() {
        let evil = "\u{1b}]0;owned\u{7}\u{1b}[31mNear\nFAKE LINE"
        let text = NearestNodes([Self.node("near", 4, city: evil)]).text
        #expect(!text.unicodeScalars.contains { $0.value < 32 && $0 != "\n" })
        #expect(!text.split(separator: "\n").contains { $0.hasPrefix("FAKE") })
    }
}
