import Foundation
import Testing

/// The version stands in one place, and Nix names the same.
@Suite struct VersionTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static func text(_ path: String) throws -> String {
        String(decoding: try Data(contentsOf: folder.appending(path: path)), as: UTF8.self)
    }

    @Test func standsOnce() throws {
        let home = "Sources/Wire/Version.swift"
        let version = try #require(try Self.text(home).firstMatch(of: /current = "([^"]+)"/)).1
        let sources = Self.folder.appending(path: "Sources").path
        let files = try #require(FileManager.default.enumerator(atPath: sources)).compactMap { $0 as? String }
        let others = try files.filter { $0.hasSuffix(".swift") && "Sources/\($0)" != home }.filter {
            try Self.text("Sources/\($0)").contains("\"\(version)\"")
        }
        #expect(files.count > 400)
        #expect(others == [])
        #expect(try Self.text("nix/package.nix").contains("version ? \"\(version)\""))
    }
}
