import ArgumentParser
import Console
import VaultFormat
import Wire

struct Add: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Add an entry.",
        discussion: """
            Two tiers protect a field. L2 (--password, --l2) is encrypted on this machine; nobody else can open it. L1 \
            (everything else) is encrypted on the node, which opens it for you and for agents that were granted it.
            """)

    @Argument(help: "Its title.")
    var title: String

    @OptionGroup var metadata: MetadataOptions
    @OptionGroup(title: "Fields") var fields: FieldOptions
    @OptionGroup(title: "Everywhere") var global: GlobalOptions

    func run() async throws {
        let workspace = try Workspace(global)
        let inputs = try fields.inputs()
        try await workspace.signedIn { signedIn in
            let id = EntryID.random()
            let writer = FieldWriter(signedIn: signedIn, entry: id, version: 1)
            var body = EntryWriteBody(
                id: id.text, title: title, type: (metadata.type ?? .login).rawValue, urls: metadata.url,
                tags: metadata.tag, notes: try metadata.notes(workspace.secrets) ?? "", fields: [])
            for input in inputs { body.fields?.append(try await writer.added(input)) }
            let entry = try await signedIn.send(
                NodeRequest(.post, "api/v1/entries", body: body).once(), as: EntryBody.self)
            guard entry.id == id.text, entry.version == 1 else {
                throw CommandFailure(.failed, "The node made another entry than was asked for.")
            }
            try workspace.show(entry) { "Added \"\(entry.title.printable)\" (\(entry.id))." }
        }
    }
}

/// The options of `add` and `edit` that do not set fields.
struct MetadataOptions: ParsableArguments {
    @Option(help: "What it is for.")
    var type: EntryType?

    @Option(help: "An address it belongs to. May be repeated.")
    var url: [String] = []

    @Option(help: "A tag. May be repeated.")
    var tag: [String] = []

    @Option(help: "A note, for you alone.")
    var note: String?

    @Option(
        name: .customLong("note-from"),
        help: ArgumentHelp("The note from a file, or with - from standard input.", valueName: "path"),
        completion: .file())
    var noteFrom: String?

    /// The note, wherever it comes from; nil where none was given.
    func notes(_ secrets: SecretSource) throws -> String? {
        guard let noteFrom else { return note }
        guard note == nil else { throw CommandFailure(.usage, "--note and --note-from exclude each other.") }
        return try secrets.secret("The note", from: noteFrom == "-" ? .input : .file(noteFrom))
    }
}

extension EntryType: ExpressibleByArgument {}
