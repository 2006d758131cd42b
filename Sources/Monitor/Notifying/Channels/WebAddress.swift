/// A parsed URL: where it leads, and which parts must not be repeated.
struct WebAddress: Equatable, Sendable {
    enum Scheme: String, Sendable { case https, http }

    let scheme: Scheme
    /// Host and port, if there is one. Not secret.
    let authority: String
    /// In lower case, without the port.
    let host: String
    /// From the first slash on, query included. May be secret.
    let path: String

    /// Returns nil for anything but an http or https URL in printable ASCII without user information.
    init?(_ url: String) {
        guard url.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), !url.contains("#") else { return nil }
        guard let colon = url.firstIndex(of: ":"), let scheme = Scheme(rawValue: url[..<colon].lowercased()) else {
            return nil
        }
        guard url[colon...].hasPrefix("://") else { return nil }
        let rest = url[url.index(colon, offsetBy: 3)...]
        let end = rest.firstIndex { "/?".contains($0) } ?? rest.endIndex
        let authority = rest[..<end]
        guard !authority.isEmpty, !authority.contains("@") else { return nil }
        if authority.hasPrefix("[") {
            guard let bracket = authority.firstIndex(of: "]") else { return nil }
            host = authority[authority.index(after: authority.startIndex)..<bracket].lowercased()
        } else {
            host = String(authority.prefix { $0 != ":" }).lowercased()
        }
        guard !host.isEmpty else { return nil }
        self.scheme = scheme
        self.authority = String(authority)
        path = String(rest[end...])
    }

    /// Whether the connection cannot be read on the network.
    var isConfidential: Bool { scheme == .https || Self.isLoopback(host) }

    static func isLoopback(_ host: String) -> Bool {
        ["localhost", "127.0.0.1", "::1", "[::1]"].contains(host.lowercased())
    }
}
