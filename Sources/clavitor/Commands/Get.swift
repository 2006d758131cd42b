import ArgumentParser
import Console
import Encoding
import Wire

struct Get: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show an entry, or print one field's value.",
        discussion: """
            ENTRY shows what is known of an entry, and with --reveal its values too. ENTRY/FIELD prints that value and \
            nothing else. Entries go by title or id, fields by label or id. Each value read is in the audit log.
            """)

    @Argument(help: "ENTRY or ENTRY/FIELD.")
    var path: String

    @Flag(help: "Print all values of the entry.")
    var reveal = false

    @Flag(help: "Put the value into the terminal's clipboard (OSC 52) instead of printing it.")
    var copy = false

    @Option(help: "As it was in this version.")
    var version: Int?

    @OptionGroup(title: "Everywhere") var global: GlobalOptions

    func run() async throws {
        let workspace = try Workspace(global)
        try await workspace.signedIn { signedIn in
            let target = try await EntryFinder(signedIn: signedIn).target(path)
            // A script that means a value must not take an entry's description for one.
            if target.field == nil, path.contains("/"), !reveal, !workspace.printsJSON,
                !workspace.terminal.isOutputInteractive
            {
                throw CommandFailure(
                    .usage, "\"\(path.printable)\" names an entry, and no field of it.",
                    hint: "For what is known of the entry name it by its id: \(target.entry.id)")
            }
            let reader = FieldReader(signedIn: signedIn)
            if let field = target.field {
                let value = try await reader.value(of: field, in: target.entry, at: version)
                try show(value, of: field, workspace)
            } else if reveal || version != nil {
                guard !copy else { throw CommandFailure(.usage, "--copy takes one field: ENTRY/FIELD.") }
                try await showAll(of: target.entry, reader, workspace)
            } else {
                guard !copy else { throw CommandFailure(.usage, "--copy takes one field: ENTRY/FIELD.") }
                try workspace.show(target.entry) { target.entry.printed }
            }
        }
    }

    private func show(_ value: String, of field: FieldBody, _ workspace: Workspace) throws {
        let terminal = workspace.terminal
        if copy {
            guard terminal.isOutputInteractive else { throw CommandFailure(.usage, "--copy needs a terminal.") }
            try terminal.write("\u{1b}]52;c;\(Base64.encode(Array(value.utf8)))\u{07}")
            terminal.note("\"\(field.label.printable)\" is in the clipboard, if this terminal supports OSC 52.")
        } else if workspace.printsJSON {
            try terminal.json(RevealedField(field, value))
        } else if terminal.isOutputInteractive {
            try terminal.line(value.printable(keeping: "\n\t"))
        } else {
            try terminal.write(value)
        }
    }

    private func showAll(of entry: EntryBody, _ reader: FieldReader, _ workspace: Workspace) async throws {
        var revealed: [RevealedField] = []
        if let version {
            for field in entry.fields {
                do {
                    revealed.append(RevealedField(field, try await reader.value(of: field, in: entry, at: version)))
                } catch let problem as Problem where problem.code == .noSuchVersion {
                    // The field came later.
                }
            }
        } else {
            let values = try await reader.values(of: entry.fields.map { (entry, $0) })
            revealed = zip(entry.fields, values).map { RevealedField($0, $1) }
        }
        try workspace.show(revealed) {
            var lines = ["\(entry.title.printable)\(version.map { " in version \($0)" } ?? "")"]
            for field in revealed {
                lines.append("  \(field.label.printable): \(field.value.printable(keeping: "\n\t"))")
            }
            return lines.joined(separator: "\n")
        }
    }
}

/// A field with its value, for `--json`.
struct RevealedField: Encodable {
    let id: String
    let label: String
    let kind: String
    let tier: Int
    let value: String

    init(_ field: FieldBody, _ value: String) {
        id = field.id
        label = field.label
        kind = field.kind
        tier = field.tier
        self.value = value
    }
}
