/// The URL of a node, as given by the user. HTTPS only, because keys are bound to a name verified by TLS.
struct ServerAddress: Equatable, Sendable {
    /// In lower case, without brackets.
    let host: String
    let port: Int?

    /// Parses `https://host[:port]`, or the same without a scheme. Nil for other text, also with a path.
    init?(_ text: String) {
        var rest = text[...]
        if let scheme = rest.firstRange(of: "://") {
            guard rest[..<scheme.lowerBound].lowercased() == "https" else { return nil }
            rest = rest[scheme.upperBound...]
        }
        while rest.last == "/" { rest.removeLast() }
        guard !rest.isEmpty, !rest.contains(where: { "/?#@\\ ".contains($0) || !$0.isASCII }) else { return nil }
        var port: Int?
        if rest.first == "[" {
            guard let end = rest.firstIndex(of: "]") else { return nil }
            let after = rest[rest.index(after: end)...]
            if !after.isEmpty {
                guard after.first == ":", let number = Self.port(after.dropFirst()) else { return nil }
                port = number
            }
            rest = rest[rest.index(after: rest.startIndex)..<end]
        } else if let colon = rest.firstIndex(of: ":") {
            guard let number = Self.port(rest[rest.index(after: colon)...]) else { return nil }
            port = number
            rest = rest[..<colon]
        }
        guard !rest.isEmpty else { return nil }
        host = rest.lowercased()
        self.port = port == 443 ? nil : port
    }

    /// `https://host[:port]`, without a slash at the end.
    var text: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return "https://\(name)" + (port.map { ":\($0)" } ?? "")
    }

    var isLoopback: Bool { ["localhost", "127.0.0.1", "::1"].contains(host) }

    /// Whether a node with this address may request keys bound to `origin`.
    ///
    /// Without this check a node could obtain the password proof for another node, and use it there. Loopback addresses are
    /// exempt.
    func mayClaim(origin: String) -> Bool {
        isLoopback ? !origin.isEmpty : origin == host
    }

    private static func port(_ text: Substring) -> Int? {
        guard let number = Int(text), (1...65_535).contains(number) else { return nil }
        return number
    }
}
