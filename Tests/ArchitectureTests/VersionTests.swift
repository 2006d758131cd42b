import Foundation
import Testing

/// The version is defined once in Sources and matches nix/package.nix.
@Suite struct VersionTests {
    @Test func isDefinedOnce() throws {
        let files = try SourceTree.files(in: "Sources")
        let home = try #require(files.first { $0.name == "Sources/Wire/Version.swift" })
        let version = try #require(home.text.firstMatch(of: /current = "([^"]+)"/)).1
        let package = try String(contentsOf: SourceTree.root.appending(path: "nix/package.nix"), encoding: .utf8)
        #expect(files.filter { $0.text.contains("\"\(version)\"") }.map(\.name) == [home.name])
        #expect(files.count > 400)
        #expect(package.contains("version ? \"\(version)\""))
    }
}
