import ArgumentParser
import Foundation
import TestSupport
import Testing

@testable import clavitor_soc

/// Parses every `clavitor-soc` command line in the fleet's documentation.
@Suite struct RunbookTests {
    private static let document = Project.folder.appending(path: "docs/INFRASTRUCTURE.md")

    /// Lines of code blocks and code spans. `…` stands for a valid value.
    private static func lines() throws -> [[String]] {
        let text = try String(contentsOf: document, encoding: .utf8).replacing(/\\\n\s*/, with: "")
        let spans = text.matches(of: /`(clavitor-soc [^`\n]+)`/).map { String($0.1) }
        let blocks = text.split(separator: "\n").filter { $0.hasPrefix("clavitor-soc ") }.map { line in
            String(line.prefix { $0 != "#" && $0 != "<" })
        }
        return (spans + blocks).map { line in
            line.split(separator: " ").dropFirst().map { $0 == "…" ? String(repeating: "0", count: 64) : String($0) }
        }
    }

    @Test func everyLineIsACommand() throws {
        let lines = try Self.lines()
        #expect(lines.count > 30)
        for words in lines {
            do {
                _ = try ClavitorSOC.parseAsRoot(words)
            } catch {
                Issue.record("clavitor-soc \(words.joined(separator: " ")): \(ClavitorSOC.message(for: error))")
            }
        }
    }
}
