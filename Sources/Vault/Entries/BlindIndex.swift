package import Crypto
import Encoding

/// A blind index for finding entries by title, host or tag: HMACs under a key that only the owner can open, so that the file does
/// not reveal the terms.
package struct BlindIndex: Sendable {
    private let key: SymmetricKey

    package init(key: SymmetricKey) {
        self.key = key
    }

    /// 16 bytes for `title:` and a title.
    package func term(title: String) -> [UInt8] { term("title:" + title.caseless) }

    /// 16 bytes for `host:` and a URL's host.
    package func term(host: String) -> [UInt8] { term("host:" + host.caseless) }

    /// 16 bytes for `tag:` and a tag.
    package func term(tag: String) -> [UInt8] { term("tag:" + tag.caseless) }

    private func term(_ text: String) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: key).prefix(16))
    }

    /// The terms of an entry, without duplicates.
    func terms(title: String, urls: [String], tags: [String]) -> [[UInt8]] {
        let hosts = Set(urls.compactMap(Self.host(of:)).flatMap(Self.domains(of:)))
        return [term(title: title)] + hosts.map(term(host:)) + Set(tags.map(\.caseless)).map(term(tag:))
    }

    /// The host and its parent domains, down to two labels, so that a search for `example.org` finds `www.example.org`.
    package static func domains(of host: String) -> [String] {
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        // An IP address has no parent domains.
        guard !host.contains(":"), labels.last?.contains(where: { !$0.isASCII || $0.isLetter }) == true else {
            return [host]
        }
        let counts = (2..<max(2, min(labels.count, mostLabels + 1)))
        return [host] + counts.map { labels.suffix($0).joined(separator: ".") }
    }

    /// Each parent domain takes a row.
    private static let mostLabels = 8

    /// Extracts the host from a URL or from input such as `example.com/login`.
    package static func host(of url: String) -> String? {
        var rest = url[...]
        if let scheme = rest.range(of: "://") { rest = rest[scheme.upperBound...] }
        rest = rest.prefix { !"/?#".contains($0) }
        if let at = rest.lastIndex(of: "@") { rest = rest[rest.index(after: at)...] }
        if rest.hasPrefix("[") {
            rest = rest.dropFirst().prefix { $0 != "]" }
        } else {
            rest = rest.prefix { $0 != ":" }
        }
        return rest.isEmpty || rest.contains(where: \.isWhitespace) ? nil : rest.caseless
    }
}

extension Substring {
    /// The first occurrence of `other`.
    fileprivate func range(of other: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(other) { return start..<index(start, offsetBy: other.count) }
            formIndex(after: &start)
        }
        return nil
    }
}
