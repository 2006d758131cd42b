import Crypto
import Encoding

/// The keys and digests of all records of one vault, with a digest over all of them.
///
/// Two levels: 256 buckets by a key's first byte, so that a change hashes one bucket and the list of buckets. A bucket is one
/// sorted array of 48 bytes per record.
package struct RecordSet: Sendable {
    private static let stride = Record.Key.count + StateDigest.count

    private var buckets = [[UInt8]](repeating: [], count: 256)
    private var hashes = [[UInt8]?](repeating: nil, count: 256)
    package private(set) var count = 0

    package init() {}

    /// The digest of a record; nil when the set has none with this key.
    package subscript(key: Record.Key) -> StateDigest? {
        get {
            let bucket = Int(key.bytes[0])
            let (offset, isPresent) = find(key, in: bucket)
            guard isPresent else { return nil }
            return StateDigest(hash: buckets[bucket][(offset + Record.Key.count)..<(offset + Self.stride)])
        }
        set {
            let bucket = Int(key.bytes[0])
            let (offset, isPresent) = find(key, in: bucket)
            let end = isPresent ? offset + Self.stride : offset
            buckets[bucket].replaceSubrange(offset..<end, with: newValue.map { key.bytes + $0.bytes } ?? [])
            count += (newValue == nil ? 0 : 1) - (isPresent ? 1 : 0)
            hashes[bucket] = nil
        }
    }

    /// The digest of the set: its number of records, and each bucket's first byte and hash.
    package mutating func digest() -> StateDigest {
        var hasher = SHA256()
        hasher.update(data: Self.label + Int64(count).bigEndianBytes)
        for bucket in 0..<256 where !buckets[bucket].isEmpty {
            let hash = hashes[bucket] ?? Array(SHA256.hash(data: buckets[bucket]))
            hashes[bucket] = hash
            hasher.update(data: [UInt8(bucket)] + hash)
        }
        return StateDigest(hash: hasher.finalize())
    }

    private static let label = Array("clav2/set".utf8)

    /// The offset of a key in its bucket, or the one at which it belongs.
    private func find(_ key: Record.Key, in bucket: Int) -> (offset: Int, isPresent: Bool) {
        let bytes = buckets[bucket]
        var (low, high) = (0, bytes.count / Self.stride)
        while low < high {
            let middle = (low + high) / 2
            let candidate = bytes[(middle * Self.stride)..<(middle * Self.stride + Record.Key.count)]
            if candidate.elementsEqual(key.bytes) { return (middle * Self.stride, true) }
            if candidate.lexicographicallyPrecedes(key.bytes) { low = middle + 1 } else { high = middle }
        }
        return (low * Self.stride, false)
    }
}
