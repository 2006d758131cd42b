import Encoding

/// Identifies where a ciphertext belongs. Part of the key derivation, so a secret box moved to another place does not open.
///
/// The encoding is injective: every part is preceded by its length in two bytes, big-endian.
package struct Context: Equatable, Sendable {
    package private(set) var bytes: [UInt8]
    private static let version = Array("clav2".utf8)

    package init(_ label: String, _ parts: [UInt8]...) {
        self.init(label, parts: parts)
    }

    package init(_ label: String, parts: [[UInt8]]) {
        bytes = []
        bytes.reserveCapacity(128)
        append(Self.version)
        append(Array(label.utf8))
        for part in parts { append(part) }
    }

    /// The outer secret box's context for the same place: `root`, then the parts of the inner context, then `more`.
    package func outer(_ more: [UInt8]...) -> Context {
        var outer = Context("root")
        outer.bytes += bytes.dropFirst(2 + Self.version.count)
        for part in more { outer.append(part) }
        return outer
    }

    private mutating func append(_ part: [UInt8]) {
        precondition(part.count <= UInt16.max, "a context part is at most 65,535 bytes")
        bytes += UInt16(part.count).bigEndianBytes
        bytes += part
    }
}

/// One of an entry's values: a part of a field, title or details.
package struct PartID: Hashable, Comparable, Sendable {
    package let field: FieldID
    package let part: FieldPart

    package init(_ field: FieldID, _ part: FieldPart = .value) {
        self.field = field
        self.part = part
    }

    package static let title = PartID(.title)
    package static let details = PartID(.details)

    /// The field's id, for the `about` part with a suffix.
    package var text: String { part == .value ? field.text : "\(field.text):about" }

    package static func < (left: PartID, right: PartID) -> Bool {
        (left.field, left.part.rawValue) < (right.field, right.part.rawValue)
    }
}

/// The parts of a field, each with a data key and versions of its own.
package enum FieldPart: UInt8, Sendable, CaseIterable {
    /// The value alone. Title and details have this part only.
    case value = 0
    /// Label and kind of an L1 field, for everybody who may know of it. Written by the owner only.
    case about = 1
}

/// The place of a value and of its wraps: one version of one part.
package struct FieldPlace: Hashable, Sendable {
    package var vault: VaultID
    package var entry: EntryID
    package var field: FieldID
    package var part: FieldPart
    package var tier: Tier
    package var version: Int

    package init(
        vault: VaultID, entry: EntryID, field: FieldID, part: FieldPart = .value, tier: Tier, version: Int
    ) {
        self.vault = vault
        self.entry = entry
        self.field = field
        self.part = part
        self.tier = tier
        self.version = version
    }

    package var partID: PartID { PartID(field, part) }

    private var parts: [[UInt8]] {
        [
            vault.bytes, entry.bytes, field.bytes, [part.rawValue], [tier.rawValue], Int64(version).bigEndianBytes,
        ]
    }

    package var valueContext: Context { Context("value", parts: parts) }

    package func wrapContext(for holder: HolderID) -> Context {
        Context("wrap", parts: parts + [holder.bytes])
    }
}

/// The encryption tier of a value, which decides what can open it.
package enum Tier: UInt8, Sendable, CaseIterable {
    /// Titles, details, and the `about` parts of L1 fields.
    case metadata = 0
    /// The node can open it during a request of an authorised principal.
    case l1 = 1
    /// Encrypted on the client; the node never sees the key.
    case l2 = 2
}
