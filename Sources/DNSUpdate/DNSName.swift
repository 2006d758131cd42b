/// An absolute domain name. Kept in lower case, since DNS compares without regard to it (RFC 4343).
package struct DNSName: Hashable, Sendable {
    /// RFC 1035, section 2.3.4.
    static let maximumLabelByteCount = 63
    /// RFC 1035, section 2.3.4; counts the length bytes and the root's.
    static let maximumByteCount = 255

    /// From the left; none for the root.
    private let labels: [[UInt8]]

    /// Reads `node.example.org`, with or without the dot at its end.
    ///
    /// Takes letters, digits, `-`, `_`, and `*` as a label of its own. Other characters would need the escapes of
    /// RFC 1035, section 5.1, and no name that we update has them.
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

    /// For labels off the wire, which may hold any bytes and whose lengths were checked.
    init(labels: [[UInt8]]) {
        self.labels = labels.map { $0.map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 } }
    }

    /// Uncompressed and in lower case, which is also the canonical form that signatures cover (RFC 4034, section 6.2).
    package var wire: [UInt8] {
        labels.flatMap { [UInt8($0.count)] + $0 } + [0]
    }

    /// Whether the name is the zone's own or below it.
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
    /// Without the dot at its end.
    package var description: String {
        labels.isEmpty ? "." : labels.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ".")
    }
}

/// Why a text is no domain name.
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
            "The domain name is empty. Give one such as example.org."
        case .emptyLabel:
            "The domain name begins with a dot or has two in a row. Take the extra dot out."
        case .character(let character):
            """
            A domain name cannot have \(character.debugDescription) in it. Use letters, digits, - and _; write an \
            international name in its xn-- form.
            """
        case .longLabel(let label):
            "\(label) is longer than \(DNSName.maximumLabelByteCount) characters. Shorten this part of the domain name."
        case .tooLong:
            "The domain name is longer than \(DNSName.maximumByteCount) bytes. Shorten it."
        }
    }
}
