import Foundation
import Glibc
import ServerRuntime
import TestSupport

/// Every writable memory mapping of a process, read while it is stopped.
struct ProcessMemory {
    private let mappings: [(name: String, bytes: [UInt8])]

    init(of process: Int32) throws {
        guard kill(process, SIGSTOP) == 0 else { throw Failure("process \(process) cannot be stopped") }
        defer { kill(process, SIGCONT) }
        try eventually("process \(process) is stopped") { try Self.state(of: process) == "T" }
        let maps = try String(contentsOf: URL(filePath: "/proc/\(process)/maps"), encoding: .utf8)
        let memory = try FileHandle(forReadingFrom: URL(filePath: "/proc/\(process)/mem"))
        var mappings: [(String, [UInt8])] = []
        for line in maps.split(separator: "\n") where line.contains(" rw") {
            let bounds = line.prefix { $0 != " " }.split(separator: "-").compactMap { UInt64($0, radix: 16) }
            guard bounds.count == 2, bounds[1] - bounds[0] < 256 << 20 else { continue }
            try memory.seek(toOffset: bounds[0])
            guard let bytes = try? memory.read(upToCount: Int(bounds[1] - bounds[0])) else { continue }
            mappings.append((line.split(separator: " ").dropFirst(5).joined(separator: " "), Array(bytes)))
        }
        self.mappings = mappings
    }

    /// Total size in bytes.
    var count: Int { mappings.reduce(0) { $0 + $1.bytes.count } }

    /// The names of the mappings that contain the bytes, once for each occurrence.
    func places(of secret: some Collection<UInt8>) -> [String] {
        let secret = Array(secret)
        return mappings.flatMap { mapping in
            mapping.bytes.offsets(of: secret).map { _ in mapping.name.isEmpty ? "anonymous" : mapping.name }
        }
    }

    func contains(_ text: String) -> Bool { !places(of: text.utf8).isEmpty }

    private static func state(of process: Int32) throws -> Substring {
        let text = try String(contentsOf: URL(filePath: "/proc/\(process)/stat"), encoding: .utf8)
        // The name before it is in parentheses and may contain spaces.
        return text.suffix(from: text.lastIndex(of: ")") ?? text.startIndex).dropFirst(2).prefix(1)
    }
}

extension [UInt8] {
    fileprivate func offsets(of needle: [UInt8]) -> [Int] {
        guard let first = needle.first else { return [] }
        return unsafe withUnsafeBytes { bytes in
            var (found, offset): ([Int], Int) = ([], 0)
            while let start = bytes.baseAddress, offset + needle.count <= bytes.count,
                let match = unsafe memchr(start + offset, Int32(first), bytes.count - needle.count - offset + 1)
            {
                offset = unsafe UnsafeRawPointer(match) - start
                if unsafe memcmp(match, needle, needle.count) == 0 { found.append(offset) }
                offset += 1
            }
            return found
        }
    }
}
