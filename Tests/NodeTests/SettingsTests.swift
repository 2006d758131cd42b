import Foundation
import ServerRuntime
import TestSupport
import Testing

@testable import clavitor_monitor
@testable import clavitor_node

/// A setting is a flag, a key of the TOML file, and a row of docs/SETTINGS.md. The programs are asked for their flags.
@Suite(.timeLimit(.minutes(2))) struct SettingsTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let program: String
        let keys: Set<String>
        /// Flags that are no settings: where things are, and what a trial or a start needs.
        let notInTheFile: Set<String>
        /// Keys without a flag, with their rows.
        let fileOnly: [String: String]
        var testDescription: String { program }
    }

    static let cases = [
        Case(
            program: "clavitor-node",
            keys: Set(clavitor_node.SettingsFile.CodingKeys.allCases.map(\.rawValue) + CertificateKeys.names),
            notInTheFile: ["data", "root-key", "config", "dev"], fileOnly: [:]),
        Case(
            program: "clavitor-monitor",
            keys: Set(clavitor_monitor.Settings.Keys.CodingKeys.allCases.map(\.rawValue) + CertificateKeys.names),
            notInTheFile: ["data", "config", "dev", "hurry"],
            fileOnly: [
                "dead-man-url-file":
                    "File with the push URL of another monitor, which reports when this one is silent.",
                "https-proxy-file": "File with the URL of a proxy for notifications.",
            ]),
    ]

    /// Names and help of the program's own flags.
    private static func flags(of program: String) throws -> [(name: String, help: String)] {
        (try ProgramDescription.read(program, "serve").arguments ?? []).compactMap { argument in
            guard let name = argument.names?.first(where: { $0.kind == "long" })?.name,
                name != "help", name != "version"
            else { return nil }
            let words = [argument.abstract, argument.discussion].compactMap(\.self).joined(separator: " ")
            return (name, words.split(whereSeparator: \.isWhitespace).joined(separator: " "))
        }
    }

    @Test(arguments: cases) func everyFlagIsAKeyOfTheFileAndTheOtherWayRound(_ example: Case) throws {
        let flags = Set(try Self.flags(of: example.program).map(\.name))
        #expect(example.notInTheFile.isSubset(of: flags))
        #expect(flags.subtracting(example.notInTheFile) == example.keys.subtracting(example.fileOnly.keys))
    }

    @Test(arguments: cases) func theDocumentHasARowForEach(_ example: Case) throws {
        let page = try String(contentsOf: Project.folder.appending(path: "docs/SETTINGS.md"), encoding: .utf8)
        let section = try #require(page.components(separatedBy: "\n## \(example.program)\n").dropFirst().first)
            .components(separatedBy: "\n## ")[0]
        let rows = Set(section.split(separator: "\n").map(String.init).filter { $0.hasPrefix("| `") })
        let flags = try Self.flags(of: example.program).filter { !example.notInTheFile.contains($0.name) }
        let expected = flags + example.fileOnly.map { (name: $0.key, help: $0.value) }
        #expect(rows == Set(expected.map { "| `\($0.name)` | \($0.help) |" }))
    }
}
