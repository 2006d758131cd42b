import Crypto
import Encoding

/// What an entry's record names besides its columns: the current version of each part with the agents that may read it, a hash of the
/// older versions, and the index terms (docs/FORMAT.md, "State"). Values, wraps and terms that it does not name are not there.
package struct EntryRecord: Equatable, Sendable {
    package var parts: [PartID: Part] = [:]
    /// Hash of the versions that are no longer current.
    package var older = EntryRecord.hash(ofOlder: [])
    /// 16 bytes each.
    package var terms: Set<[UInt8]> = []
    /// What a later version of the program added.
    private var rest: [UInt8] = []

    package struct Part: Equatable, Sendable {
        package let value: PartVersion
        /// Agents that may read it.
        package var readers: Set<PrincipalID>

        package init(_ value: PartVersion, readers: Set<PrincipalID> = []) {
            self.value = value
            self.readers = readers
        }
    }

    package init() {}

    /// Nil for bytes that are no record.
    package init?(_ bytes: [UInt8]) {
        guard let index = EntryRecordIndex(bytes) else { return nil }
        self.init(index)
    }

    /// Nil when a part is none.
    package init?(_ index: EntryRecordIndex) {
        for number in 0..<index.count {
            guard let part = index.part(number) else { return nil }
            parts[part.value.id] = part
        }
        guard parts.count == index.count, let older = StateDigest(index.older) else { return nil }
        (self.older, terms, rest) = (older, Set(index.terms), index.rest)
    }

    /// Readers once, then each part with a bit per reader; everything in the order of its bytes.
    package var bytes: [UInt8] {
        let readers = parts.values.reduce(into: Set<PrincipalID>()) { $0.formUnion($1.readers) }.sorted()
        var bytes = [EntryRecordIndex.format] + UInt16(readers.count).bigEndianBytes + readers.flatMap(\.bytes)
        bytes += UInt16(parts.count).bigEndianBytes
        for (_, part) in parts.sorted(by: { $0.key < $1.key }) {
            bytes += part.value.bytes
            var bits = [UInt8](repeating: 0, count: (readers.count + 7) / 8)
            for (number, reader) in readers.enumerated() where part.readers.contains(reader) {
                bits[number / 8] |= 0x80 >> UInt8(number % 8)
            }
            bytes += bits
        }
        bytes += older.bytes + UInt16(terms.count).bigEndianBytes
        for term in terms.sorted(by: { $0.lexicographicallyPrecedes($1) }) { bytes += term }
        return bytes + rest
    }

    /// The versions that are no longer current among all of the entry's; nil unless they are those of the record.
    package func older(among versions: [PartVersion]) -> Set<PartVersion>? {
        let current = Set(parts.values.map(\.value))
        let older = Set(versions).subtracting(current)
        guard older.count + current.count == versions.count, Self.hash(ofOlder: older) == self.older else { return nil }
        return older
    }

    /// The hash of all versions that are no longer current, by field, part and version.
    package static func hash(ofOlder versions: some Sequence<PartVersion>) -> StateDigest {
        var hasher = SHA256()
        for version in versions.sorted(by: { ($0.id, $0.version) < ($1.id, $1.version) }) {
            hasher.update(data: version.bytes)
        }
        return StateDigest(hash: hasher.finalize())
    }
}

/// The columns of a value by which a record names it.
package struct PartVersion: Hashable, Sendable {
    package let id: PartID
    package let tier: Tier
    package let version: Int
    package let author: PrincipalID
    /// Unix seconds.
    package let written: Int64
    /// The key id in the secret box's header: the generation of an L2 entry key, else 0.
    package let key: UInt32

    package init(id: PartID, tier: Tier, version: Int, author: PrincipalID, written: Int64, key: UInt32 = 0) {
        self.id = id
        self.tier = tier
        self.version = version
        self.author = author
        self.written = written
        self.key = key
    }

    /// The same with another key id.
    package func keyed(_ key: UInt32) -> PartVersion {
        PartVersion(id: id, tier: tier, version: version, author: author, written: written, key: key)
    }

    static let byteCount = 54

    /// Field (16), part (1), tier (1), version (8), author (16), written (8), key (4).
    var bytes: [UInt8] {
        id.field.bytes + [id.part.rawValue, tier.rawValue] + Int64(version).bigEndianBytes + author.bytes
            + written.bigEndianBytes + key.bigEndianBytes
    }
}
