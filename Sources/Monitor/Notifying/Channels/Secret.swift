/// A word that opens something: a key, a token, a password, or a URL with one of these in it.
///
/// It has a description that says nothing and no mirror, so that it cannot get into a log by way of what it is part of.
package struct Secret: Equatable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// To be handed to the wire alone.
    package let exposed: String

    package init(_ text: String) {
        exposed = text
    }

    package var description: String { "(secret)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

extension String {
    /// What somebody else wrote, fit for an error: no secret, one line, at most so many characters.
    ///
    /// Answers and libraries repeat what they were given, the token in a URL among it.
    func quotable(hiding secrets: [Secret], most: Int = 200) -> String {
        var text = self
        // The longest first: a URL's path is a part of the URL.
        for secret in secrets.map(\.exposed).filter({ $0.count >= 4 }).sorted(by: { $0.count > $1.count }) {
            text = text.split(separator: secret, omittingEmptySubsequences: false).joined(separator: "…")
        }
        let line = text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : Character($0) }
        return String(line.prefix(most)).trimmed
    }

    var trimmed: String {
        let isBlank: (Character) -> Bool = { $0.isWhitespace || $0.isNewline }
        var text = self[...]
        while let first = text.first, isBlank(first) { text.removeFirst() }
        while let last = text.last, isBlank(last) { text.removeLast() }
        return String(text)
    }
}
