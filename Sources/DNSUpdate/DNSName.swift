/// An absolute domain name, stored in lower case, because DNS compares names case-insensitively (RFC 4343).
package struct DNSName: Hashable, Sendable {
    /// RFC 1035, section 2.3.4.
    static let maximumLabelByteCount = 63
    /// RFC 1035, section 2.3.4; includes the length bytes and the root label.
    static let maximumByteCount = 255

    /// From left to right; empty for the root.
    private let labels: [[UInt8]]

    /// Parses `node.example.org`, with or without a trailing dot.
    ///
    /// Accepts letters, digits, `-`, `_`, and `*` as a whole label. Other characters would need the escapes of RFC 1035,
    /// section 5.1, and no updated name has them.
    package init(_ text: some StringProtocol) throws(DNSNameError) {
        let bare = text.hasSuffix(".") ? text.dropLast() : text[...]
        guard !bare.isEmpty else { throw .empty }
        var labels: [[UInt8]] = []
        for label in bare.split(separator: ".", omittingEmptySubsequences: false) {
            guard !label.isEmpty else { throw .emptyLabel }
            for character in label where !Self.isAllowed(character) && label != "*" { throw .character(character) }
            guard label.utf8.count <= Self.maximumLabelByteCount else { throw .longLabel(String(label)) }
            labels.append(Array(label.utf8))
        }
        self.init(labels: labels)
        guard wire.count <= Self.maximumByteCount else { throw .tooLong }
    }

    /// For labels from a message, which may have any bytes and whose lengths were checked.
    init(labels: [[UInt8]]) {
        self.labels = labels.map { $0.map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 } }
    }

    /// The uncompressed encoding in lower case, which is also the canonical form for signatures (RFC 4034, section 6.2).
    package var wire: [UInt8] {
        labels.flatMap { [UInt8($0.count)] + $0 } + [0]
    }

    /// Whether the name is the zone's apex or below it.
    package func isWithin(_ zone: DNSName) -> Bool {
        labels.count >= zone.labels.count && labels.suffix(zone.labels.count).elementsEqual(zone.labels)
    }

    private static func isAllowed(_ character: Character) -> Bool {
        switch character {
        case "a"..."z", "A"..."Z", "0"..."9", "-", "_": character.isASCII
        default: false
        }
    }
}

extension DNSName: CustomStringConvertible {
    /// Without a trailing dot.
    package var description: String {
        labels.isEmpty ? "." : labels.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ".")
    }
}

/// Why a text is not a domain name.
package enum DNSNameError: Error, Equatable, Sendable {
    case empty
    case emptyLabel
    case character(Character)
    case longLabel(String)
    case tooLong
}

extension DNSNameError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .empty:
            "The domain name is empty. Use a name such as example.org."
        case .emptyLabel:
            "The domain name has an empty label. Remove the extra dot."
        case .character(let character):
            """
            A domain name must not contain \(character.debugDescription). Use letters, digits, - and _; write an \
            international name in its xn-- form.
            """
        case .longLabel(let label):
            "The label \(label) must be at most \(DNSName.maximumLabelByteCount) characters. Shorten it."
        case .tooLong:
            "The domain name must be at most \(DNSName.maximumByteCount) bytes. Shorten it."
        }
    }
}
