import FoundationEssentials
import Testing

/// A file of `Tests/Vectors`.
func vectors<File: Decodable>(_ name: String, as type: File.Type = File.self, at path: String = #filePath) throws
    -> File
{
    let tests = path.split(separator: "/").dropLast(2).joined(separator: "/")
    let data = try Data(contentsOf: URL(filePath: "/\(tests)/Vectors/\(name).json"))
    return try JSONDecoder().decode(File.self, from: data)
}

func bytes(hex: String) -> [UInt8] {
    let digits = Array(hex.utf8)
    return stride(from: 0, to: digits.count - 1, by: 2).map { index in
        UInt8(String(decoding: digits[index...(index + 1)], as: UTF8.self), radix: 16) ?? 0
    }
}
