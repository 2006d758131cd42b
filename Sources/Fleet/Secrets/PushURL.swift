import Wire

/// The URL to which a node or a job sends its heartbeats. A credential: its last component is the token.
package struct PushURL: Equatable, Sendable {
    package let text: String

    package init(_ text: some StringProtocol) { self.text = String(text.filter { !$0.isWhitespace }) }

    /// Makes a URL with a new token, at the monitor of this name.
    package static func make(at monitor: String) -> PushURL {
        PushURL("https://\(monitor)/api/push/\(PushToken().text)")
    }

    /// The SHA-256 of its token, as stored in the inventory.
    package var digest: String { PushToken.digest(text.split(separator: "/").last ?? "") }
}
