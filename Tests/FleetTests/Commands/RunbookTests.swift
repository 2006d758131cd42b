import ArgumentParser
import Foundation
import TestSupport
import Testing

@testable import clavitor_soc

/// What the fleet's document tells people to type at night is a whole command, with all that it wants.
@Suite struct RunbookTests {
    private static let document = Project.folder.appending(path: "docs/INFRASTRUCTURE.md")

    /// Of its blocks and between its backticks. `…` is something that fits.
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
