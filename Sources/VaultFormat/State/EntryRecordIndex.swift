import Encoding

/// Finds single parts in the bytes of an entry's record without decoding the others.
package struct EntryRecordIndex: Sendable {
    static let format: UInt8 = 2
    private static let idLength = 16

    private let bytes: [UInt8]
    private let readerCount: Int
    /// Parts in the record.
    let count: Int
    private let firstPart: Int
    private let stride: Int
    private let firstTerm: Int
    private let termCount: Int

    /// Nil for bytes that are no record.
    package init?(_ bytes: [UInt8]) {
        self.bytes = bytes
        guard bytes.first == Self.format, let readers = Self.count(in: bytes, at: 1) else { return nil }
        readerCount = readers
        let partsCounted = 3 + readers * Self.idLength
        guard let parts = Self.count(in: bytes, at: partsCounted) else { return nil }
        count = parts
        firstPart = partsCounted + 2
        stride = PartVersion.byteCount + (readers + 7) / 8
        let termsCounted = firstPart + parts * stride + StateDigest.count
        guard let terms = Self.count(in: bytes, at: termsCounted) else { return nil }
        firstTerm = termsCounted + 2
        termCount = terms
        guard bytes.count >= firstTerm + terms * Self.idLength else { return nil }
    }

    /// A part; nil when the entry does not have it.
    package func part(_ id: PartID) -> EntryRecord.Part? {
        let wanted = id.field.bytes + [id.part.rawValue]
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            let start = firstPart + middle * stride
            let candidate = bytes[start..<(start + wanted.count)]
            if candidate.elementsEqual(wanted) { return part(middle) }
            if candidate.lexicographicallyPrecedes(wanted) { low = middle + 1 } else { high = middle }
        }
        return nil
    }

    package func contains(term: [UInt8]) -> Bool { terms.contains(term) }

    func part(_ number: Int) -> EntryRecord.Part? {
        let start = firstPart + number * stride
        guard let field: FieldID = id(at: start), let part = FieldPart(rawValue: bytes[start + 16]),
            let tier = Tier(rawValue: bytes[start + 17]), let version = Int(exactly: integer(at: start + 18)),
            let author: PrincipalID = id(at: start + 26)
        else { return nil }
        let value = PartVersion(
            id: PartID(field, part), tier: tier, version: version, author: author,
            written: Int64(truncatingIfNeeded: integer(at: start + 42)),
            key: bytes[(start + 50)..<(start + 54)].reduce(0) { $0 << 8 | UInt32($1) })
        return EntryRecord.Part(value, readers: readers(bitsAt: start + PartVersion.byteCount))
    }

    private func readers(bitsAt start: Int) -> Set<PrincipalID> {
        var readers: Set<PrincipalID> = []
        for number in 0..<readerCount where bytes[start + number / 8] & 0x80 >> UInt8(number % 8) != 0 {
            if let reader: PrincipalID = id(at: 3 + number * Self.idLength) { readers.insert(reader) }
        }
        return readers
    }

    var older: [UInt8] { Array(bytes[(firstTerm - 2 - StateDigest.count)..<(firstTerm - 2)]) }

    var terms: [[UInt8]] {
        (0..<termCount).map { Array(bytes[(firstTerm + $0 * Self.idLength)...].prefix(Self.idLength)) }
    }

    var rest: [UInt8] { Array(bytes[(firstTerm + termCount * Self.idLength)...]) }

    private func id<Kind>(at start: Int) -> Identifier<Kind>? {
        Identifier(Array(bytes[start..<(start + Self.idLength)]))
    }

    private func integer(at start: Int) -> UInt64 {
        bytes[start..<(start + 8)].reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Two bytes; nil when there are no more.
    private static func count(in bytes: [UInt8], at start: Int) -> Int? {
        guard start + 2 <= bytes.count else { return nil }
        return Int(bytes[start]) << 8 | Int(bytes[start + 1])
    }
}
