import ArgumentParser
import Console
import Encoding
import Wire

struct Get: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show an entry, or print the value of a field.",
        discussion: """
            ENTRY shows the metadata of an entry, with --reveal its values too. ENTRY/FIELD prints the value and \
            nothing else. Entries are named by title or id, fields by label or id. Every read is in the audit log.
            """)

    @Argument(help: "ENTRY or ENTRY/FIELD.")
    var path: String

    @Flag(help: "Print all values of the entry.")
    var reveal = false

    @Flag(help: "Copy the value to the terminal's clipboard (OSC 52) instead of printing it.")
    var copy = false

    @Option(help: "Version to read.")
    var version: Int?

    @OptionGroup(title: "Global options") var global: GlobalOptions

    func run() async throws {
        let context = try CommandContext(global)
        try await context.signedIn { signedIn in
            let target = try await EntryFinder(signedIn: signedIn).target(path)
            // A script that expects a value must not get an entry's metadata.
            if target.field == nil, path.contains("/"), !reveal, !context.printsJSON,
                !context.terminal.isOutputInteractive
            {
                throw CommandFailure(
                    .usage, "\"\(path.printable)\" is an entry, not a field.",
                    hint: "To show the entry, use its id: \(target.entry.id)")
            }
            let reader = FieldReader(signedIn: signedIn)
            if let field = target.field {
                let value = try await reader.value(of: field, in: target.entry, at: version)
                try show(value, of: field, context)
            } else if reveal || version != nil {
                guard !copy else { throw CommandFailure(.usage, "--copy requires one field: ENTRY/FIELD.") }
                try await showAll(of: target.entry, reader, context)
            } else {
                guard !copy else { throw CommandFailure(.usage, "--copy requires one field: ENTRY/FIELD.") }
                try context.show(target.entry) { target.entry.printed }
            }
        }
    }

    private func show(_ value: String, of field: FieldBody, _ context: CommandContext) throws {
        let terminal = context.terminal
        if copy {
            guard terminal.isOutputInteractive else { throw CommandFailure(.usage, "--copy requires a terminal.") }
            try terminal.write("\u{1b}]52;c;\(Base64.encode(Array(value.utf8)))\u{07}")
            terminal.note("\"\(field.label.printable)\" is in the clipboard, if this terminal supports OSC 52.")
        } else if context.printsJSON {
            try terminal.json(RevealedField(field, value))
        } else if terminal.isOutputInteractive {
            try terminal.line(value.printable(keeping: "\n\t"))
        } else {
            try terminal.write(value)
        }
    }

    private func showAll(of entry: EntryBody, _ reader: FieldReader, _ context: CommandContext) async throws {
        var revealed: [RevealedField] = []
        if let version {
            for field in entry.fields {
                do {
                    revealed.append(RevealedField(field, try await reader.value(of: field, in: entry, at: version)))
                } catch let problem as Problem where problem.code == .noSuchVersion {
                    // The field was added later.
                }
            }
        } else {
            let values = try await reader.values(of: entry.fields.map { (entry, $0) })
            revealed = zip(entry.fields, values).map { RevealedField($0, $1) }
        }
        try context.show(revealed) {
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
