import ArgumentParser
import Console
import VaultFormat
import Wire

struct Add: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Add an entry.",
        discussion: """
            A field has one of two tiers. L2 (--password, --l2) is encrypted on this machine; only you can decrypt it. L1 \
            (everything else) is encrypted on the node, which decrypts it for you and for agents with a grant.
            """)

    @Argument(help: "Entry title.")
    var title: String

    @OptionGroup var metadata: MetadataOptions
    @OptionGroup(title: "Fields") var fields: FieldOptions
    @OptionGroup(title: "Global options") var global: GlobalOptions

    func run() async throws {
        let context = try CommandContext(global)
        let inputs = try fields.inputs()
        try await context.signedIn { signedIn in
            let id = EntryID.random()
            let writer = FieldWriter(signedIn: signedIn, entry: id)
            var body = EntryWriteBody(
                id: id.text, title: title, type: (metadata.type ?? .login).rawValue, urls: metadata.url,
                tags: metadata.tag, notes: try metadata.notes(context.secrets) ?? "", fields: [])
            for input in inputs { body.fields?.append(try await writer.added(input)) }
            body.l2 = try await writer.l2Body()
            let entry = try await signedIn.send(
                NodeRequest(.post, "api/v1/entries", body: body).idempotent(), as: EntryBody.self)
            guard entry.id == id.text, entry.version == 1 else {
                throw CommandFailure(.failed, "The node created another entry than requested.")
            }
            try context.show(entry) { "Added \"\(entry.title.printable)\" (\(entry.id))." }
        }
    }
}

/// The options of `add` and `edit` for metadata.
struct MetadataOptions: ParsableArguments {
    @Option(help: "What it is for.")
    var type: EntryType?

    @Option(help: "URL of the entry. Repeatable.")
    var url: [String] = []

    @Option(help: "Tag of the entry. Repeatable.")
    var tag: [String] = []

    @Option(help: "Note, visible to the owner only.")
    var note: String?

    @Option(
        name: .customLong("note-from"),
        help: ArgumentHelp("File with the note; - for standard input.", valueName: "path"),
        completion: .file())
    var noteFrom: String?

    /// The note from an option or a file; nil if there is none.
    func notes(_ secrets: SecretSource) throws -> String? {
        guard let noteFrom else { return note }
        guard note == nil else { throw CommandFailure(.usage, "--note and --note-from are mutually exclusive.") }
        return try secrets.secret("The note", from: noteFrom == "-" ? .input : .file(noteFrom))
    }
}

extension EntryType: ExpressibleByArgument {}
