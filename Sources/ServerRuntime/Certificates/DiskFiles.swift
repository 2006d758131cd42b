import Autocert
import Files

/// Stores certificate files in a directory with mode 0700, each file with mode 0600 and replaced atomically.
package struct DiskFiles: CertificateFiles {
    private let folder: String
    private static let most = 1 << 20

    package init(_ folder: String) throws {
        try File.makeDirectory(folder)
        self.folder = folder
    }

    package func read(_ name: String) throws -> [UInt8]? {
        guard File.exists(path(name)) else { return nil }
        return Array(try File.read(path(name), most: Self.most).utf8)
    }

    package func replace(_ name: String, with bytes: [UInt8]) throws {
        try File.replace(path(name), with: String(decoding: bytes, as: UTF8.self), mode: 0o600)
    }

    package func rename(_ name: String, to other: String) throws { try File.move(path(name), to: path(other)) }
    package func remove(_ name: String) throws { File.remove(path(name)) }
    package func names() throws -> [String] { try Directory.names(in: folder) }

    private func path(_ name: String) -> String { "\(folder)/\(name)" }
}
