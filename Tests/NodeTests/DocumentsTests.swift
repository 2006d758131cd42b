import Foundation
import TestSupport
import Testing
import Vault
import VaultFormat

/// Every command in the documents exists, according to the programs' own help.
@Suite(.timeLimit(.minutes(5))) struct DocumentsTests {
    static let documents = [
        "README.md", "docs/OPERATIONS.md", "docs/INFRASTRUCTURE.md", "docs/observability/README.md", "docs/API-TOUR.md",
        "docs/BACKUP.md", "docs/INSTALL.md",
    ]
    private static let programs = ["clavitor", "clavitor-node", "clavitor-monitor", "clavitor-soc"]

    private static let trees: [String: ProgramDescription] = {
        var trees: [String: ProgramDescription] = [:]
        for name in programs {
            trees[name] = try? .read(name)
        }
        // The same commands, as the service's user.
        trees["clavitor-admin"] = trees["clavitor-node"]
        return trees
    }()

    /// The unknown part of a line; nil if all of it exists.
    private static func fault(_ line: [String]) -> String? {
        guard var command = trees[line[0]] else { return "there is no program \(line[0])" }
        var words = line.dropFirst()
        while let next = words.first, let subcommands = command.subcommands, !next.hasPrefix("-") {
            // A list of several: the first stands for all.
            let name = next.split(separator: "|").first.map(String.init) ?? next
            guard name.allSatisfy({ $0.isLowercase || $0 == "-" }) else { break }
            guard let found = subcommands.first(where: { $0.commandName == name }) else {
                return "\(line.joined(separator: " ")): \(command.commandName) has no \(name)"
            }
            command = found
            words = words.dropFirst()
        }
        for flag in words.prefix(while: { $0 != "--" }) where flag.hasPrefix("--") && flag.count > 2 {
            let name = String(flag.prefix { $0 != "=" })
            guard command.has(name) || name == "--help" || name == "--version" else {
                return "\(line.joined(separator: " ")): \(command.commandName) has no \(name)"
            }
        }
        return nil
    }

    /// Command lines of a document, from code blocks and code spans.
    private static func lines(in text: String) -> [[String]] {
        let joined = text.replacing(/\\\n\s*/, with: "")
        let spans = joined.matches(of: /`([^`\n]+)`/).map { String($0.1) }
        let blocks = joined.split(separator: "\n").map { line in
            String(line.prefix { $0 != "#" }).replacing(#/^\s*\$\s/#, with: "").trimmingCharacters(in: .whitespaces)
        }
        return (spans + blocks).map { $0.split(whereSeparator: \.isWhitespace).map(String.init) }.filter { words in
            words.first.map { ($0 == "clavitor-admin" || programs.contains($0)) && words.count > 1 } ?? false
        }
    }

    @Test func theFormatNamesEveryTypeAndKind() throws {
        let text = try String(contentsOf: Project.folder.appending(path: "docs/FORMAT.md"), encoding: .utf8)
        for name in EntryType.allCases.map(\.rawValue) + FieldKind.allCases.map(\.rawValue) {
            #expect(text.contains("`\(name)`"), "\(name)")
        }
    }

    @Test func theProgramsDescribeThemselves() {
        #expect(Set(Self.trees.keys) == Set(Self.programs + ["clavitor-admin"]))
    }

    @Test(arguments: documents) func everyCommandOfTheDocumentsExists(_ document: String) throws {
        let text = try String(contentsOf: Project.folder.appending(path: document), encoding: .utf8)
        let lines = Self.lines(in: text)
        #expect(lines.count >= 1, "nothing was found to look at")
        for line in lines {
            if let fault = Self.fault(line) { Issue.record("\(document): \(fault)") }
        }
    }

    @Test(arguments: [
        "clavitor-soc dance", "clavitor-soc fleet paint", "clavitor-node serve --faster", "clavitor-admin audit forget",
    ])
    func unknownCommandsAreFound(_ line: String) {
        #expect(Self.fault(line.split(separator: " ").map(String.init)) != nil)
    }

    /// The table of quotas in OPERATIONS.md matches the code.
    @Test func everyQuotaIsDocumented() throws {
        let text = try String(contentsOf: Project.folder.appending(path: "docs/OPERATIONS.md"), encoding: .utf8)
        let rows = text.split(separator: "\n").filter { $0.hasPrefix("| `") }.map(String.init)
        for quota in Quota.allCases {
            #expect(
                rows.contains("| `\(quota.rawValue)` | \(quota.standard) | \(quota.meaning) |"), "\(quota.rawValue)")
        }
    }
}
