import Wire

/// Where a node or a job tells the monitor that it is there. A credential: its last part is the token.
package struct PushURL: Equatable, Sendable {
    package let text: String

    package init(_ text: some StringProtocol) { self.text = String(text.filter { !$0.isWhitespace }) }

    /// With a new token, at the monitor of that name.
    package static func make(at monitor: String) -> PushURL {
        PushURL("https://\(monitor)/api/push/\(PushToken().text)")
    }

    /// The hash of its token, as the inventory has it.
    package var digest: String { PushToken.digest(text.split(separator: "/").last ?? "") }
}
