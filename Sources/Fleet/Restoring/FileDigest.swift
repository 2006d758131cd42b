import Crypto
import Encoding
import Files

/// Size and SHA-256 of a file of any size.
struct FileDigest: Equatable {
    let count: Int
    /// In lower-case hexadecimal.
    let sha256: String

    init(_ path: String) throws {
        let file = try OpenFile(reading: path)
        var (hash, count) = (SHA256(), 0)
        while true {
            let bytes = try file.read(1 << 20)
            guard !bytes.isEmpty else { break }
            hash.update(data: bytes)
            count += bytes.count
        }
        (self.count, sha256) = (count, Hexadecimal.encode(hash.finalize()))
    }
}
