/// A credential: a key, a token, a password, or a URL that contains one.
///
/// Its description and mirror are empty, so that it cannot get into a log as part of another value.
package struct Secret: Equatable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The secret text. For requests only.
    package let exposed: String

    package init(_ text: String) {
        exposed = text
    }

    package var description: String { "(secret)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

extension String {
    /// Makes text from another party safe for errors: without secrets, on one line, with at most `limit` characters.
    ///
    /// Responses and libraries repeat what they were given, such as the token in a URL.
    func redacted(of secrets: [Secret], limit: Int = 200) -> String {
        var text = self
        // Longest first: a URL's path is part of the URL.
        for secret in secrets.map(\.exposed).filter({ $0.count >= 4 }).sorted(by: { $0.count > $1.count }) {
            text = text.split(separator: secret, omittingEmptySubsequences: false).joined(separator: "…")
        }
        let line = text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : Character($0) }
        return String(line.prefix(limit)).trimmed
    }

    var trimmed: String {
        let isBlank: (Character) -> Bool = { $0.isWhitespace || $0.isNewline }
        var text = self[...]
        while let first = text.first, isBlank(first) { text.removeFirst() }
        while let last = text.last, isBlank(last) { text.removeLast() }
        return String(text)
    }
}
