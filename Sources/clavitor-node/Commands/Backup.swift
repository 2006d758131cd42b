import ArgumentParser
import Auth
import Backup
import Files
import Logging
import NodeCore
import RootKeySources
import Serving
import Storage
import Vault
import VaultFormat

struct Backup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write an encrypted backup, also while the node serves.",
        discussion:
            "The file is in the age format: `age -d -i KEY FILE` opens it as well. It does not hold the root key.")

    @OptionGroup var options: DataOptions

    @Option(help: "The folder to write to.")
    var to: String

    @Option(help: "An age recipient (repeatable).")
    var recipient: [String] = []

    @Option(help: "A file of age recipients, one a line.")
    var recipientsFile: String?

    @Option(help: "How many to keep, as last,daily,weekly,monthly; all of them by default.")
    var keep: String?

    func run() async throws {
        var recipients = try recipient.map { try AgeRecipient($0) }
        if let recipientsFile { recipients += try AgeRecipient.list(try File.read(recipientsFile, most: 1 << 20)) }
        guard !recipients.isEmpty else {
            throw Failure("Say who can open it: --recipient age1… (`age-keygen` makes one).")
        }
        let kept = try keep.map(NodeSettings.keep)
        let node = try Node(offline: options.directory)
        let written = try await BackupJob(
            node: node, folder: BackupFolder(path: to), recipients: recipients,
            keep: kept
        ).run()
        print("\(to)/\(written.name.fileName)  \(written.byteCount) bytes  sha256 \(written.sha256)")
    }
}

struct Restore: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make a data directory from a backup.",
        discussion: """
            Checks everything first and never overwrites. Needs the root key of the backup's node, at --root-key or as \
            root.key in the directory. Nobody is signed in afterwards and agents are suspended until their owners \
            look at them; the audit log opens a new epoch.
            """)

    @OptionGroup var options: DataOptions

    @Option(help: "The backup.")
    var from: String

    @Option(help: "The age identity file that opens it.")
    var identity: String

    func run() async throws {
        let directory = options.directory
        try File.makeDirectory(directory.path)
        let root = try directory.rootKeySource.load()
        let identities = try AgeIdentity.list(try File.read(identity, most: 1 << 20))
        let source = from
        try await BackupFolder.restore(from: from, to: directory.database, identities: identities) { path in
            let keys: NodeKeys
            do {
                keys = try NodeKeys(root: root, stored: try Store.nodeKey(path: path))
            } catch is RootBoxError {
                throw Failure("The root key in \(directory.rootKeySource.location) is not the one of this backup.")
            }
            let findings = try Inspection(path: path, keys: keys).findings()
            guard findings.isEmpty else {
                throw Failure("The backup is damaged; nothing was restored.\n" + findings.joined(separator: "\n"))
            }
            let sealer = AuditSealer(keys: keys, now: unixTime) { _ in nil }
            let name = source.split(separator: "/").last.map(String.init) ?? source
            let event = AuditEvent(.restore, by: .init(.operator_), reason: name)
            try Store.adoptRestored(path: path, keys: keys, line: try sealer.seal(event, vault: nil))
        }
        print("Restored \(directory.database). Start it with `clavitor-node serve`.")
    }
}
