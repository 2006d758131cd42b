package import Foundation
import Glibc

/// A temporary directory for one test, removed at its end and at the latest when this process ends.
package final class Scratch: Sendable {
    package let path: String

    /// The directory of all of them. The path is short, because a Unix socket's has at most 107 bytes.
    private static let root = Result {
        let path = NSTemporaryDirectory() + "clavitor-test-\(getpid())"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        // Programs that the tests started are killed at the same moment, and may write until then.
        return (path: path, guardian: try Guardian(#"rm -rf "$1" || { sleep 1; rm -rf "$1"; }"#, path))
    }

    package init() throws {
        path = "\(try Self.root.get().path)/\(String(UInt32.random(in: 0 ... .max), radix: 36))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    deinit { remove() }

    /// For tests in which other things use the directory longer than the test's last mention of it: `defer { scratch.remove() }`.
    package func remove() { try? FileManager.default.removeItem(atPath: path) }

    package var folder: URL { URL(filePath: path) }
    package func file(_ name: String) -> String { "\(path)/\(name)" }
    package func url(_ name: String) -> URL { URL(filePath: file(name)) }

    @discardableResult
    package func write(_ bytes: [UInt8], to name: String) throws -> String {
        let folder = url(name).deletingLastPathComponent()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data(bytes).write(to: url(name))
        return file(name)
    }

    @discardableResult
    package func write(_ text: String, to name: String) throws -> String { try write(Array(text.utf8), to: name) }

    package func read(_ name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: url(name))) }

    package func text(_ name: String) throws -> String { String(decoding: try read(name), as: UTF8.self) }

    /// All names in a directory, hidden ones too, sorted; nil for a missing directory.
    package func names(in directory: String = "") -> [String]? {
        try? FileManager.default.contentsOfDirectory(atPath: file(directory)).sorted()
    }

    /// A file's permission bits.
    package func mode(_ name: String) -> Int? {
        try? FileManager.default.attributesOfItem(atPath: file(name))[.posixPermissions] as? Int
    }

    /// Concatenates the files with this prefix: a database with its WAL and shared memory.
    package func everything(beginning prefix: String) throws -> [UInt8] {
        try (names() ?? []).filter { $0.hasPrefix(prefix) }.flatMap { try read($0) }
    }
}

extension Collection<UInt8> {
    /// Whether these bytes occur anywhere in it.
    package func holds(_ needle: some Collection<UInt8>) -> Bool {
        Data(self).range(of: Data(needle)) != nil
    }
}
