import ArgumentParser
import Auth
import Backup
import Files
import Logging
import NodeCore
import RootKeySources
import ServerRuntime
import Storage
import Vault
import VaultFormat

struct Backup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write an encrypted backup.",
        discussion: """
            The file has the age format: `age -d -i KEY FILE` decrypts it. It does not contain the root key. While the node \
            serves, it makes the backup itself, to the folder and recipients of its settings and to no others; other options \
            are for a node that is stopped.
            """)

    @OptionGroup var options: DataOptions

    @Option(help: "Directory to write to.")
    var to: String?

    @Option(help: "age recipient (repeatable).")
    var recipient: [String] = []

    @Option(help: "File with age recipients, one per line.")
    var recipientsFile: String?

    @Option(help: "Retention, as last,daily,weekly,monthly. Default: all.")
    var keep: String?

    func run() async throws {
        let directory = options.directory
        if to == nil, recipient.isEmpty, recipientsFile == nil, keep == nil {
            return try Self.show(await directory.ask(.backup))
        }
        guard let to else { throw Failure("--to is required: the directory to write to.") }
        var recipients = try recipient.map { try AgeRecipient($0) }
        if let recipientsFile { recipients += try AgeRecipient.list(try File.read(recipientsFile, most: 1 << 20)) }
        guard !recipients.isEmpty else {
            throw Failure("At least one recipient is required: --recipient age1… (`age-keygen` makes one).")
        }
        let kept = try keep.map(NodeSettings.keep)
        try directory.requireVault()
        guard try directory.tryLock() else {
            throw Failure(
                """
                A node serves \(directory.path), and makes backups to the folder and recipients of its settings alone. Run \
                `clavitor-node backup --data \(directory.path)` without other options, or stop the node.
                """)
        }
        let job = BackupJob(
            node: try Node(offline: directory), folder: BackupFolder(path: to), recipients: recipients, keep: kept)
        try Self.show(.backup(try await job.run(), in: job.folder))
    }

    private static func show(_ answer: ControlAnswer) throws {
        guard case .backup(let file, let bytes, let sha256) = answer else { throw Failure.unexpectedAnswer }
        print("\(file)  \(bytes) bytes  sha256 \(sha256)")
    }
}

struct Restore: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Restore a backup into a new data directory.",
        discussion: """
            Verifies the backup first and never overwrites. Requires the root key of the backup's node, at --root-key or as \
            root.key in the directory. Afterwards all sessions are ended and agents are suspended until their owners \
            resume them; the audit log starts a new epoch.
            """)

    @OptionGroup var options: DataOptions

    @Option(help: "Backup file.")
    var from: String

    @Option(help: "age identity file that decrypts the backup.")
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
                throw Failure("The root key in \(directory.rootKeySource.location) does not open this backup.")
            }
            let findings = try Inspection(path: path, keys: keys).findings()
            guard findings.isEmpty else {
                throw Failure("The backup is damaged; nothing was restored.\n" + findings.joined(separator: "\n"))
            }
            let stored = try Store.auditKeys(path: path)
            let sealer = AuditSealer(keys: keys, now: unixTime) { stored[$0] }
            let name = source.split(separator: "/").last.map(String.init) ?? source
            let event = AuditEvent(.restore, by: .init(.operator_), reason: name)
            try Store.adoptRestored(path: path, keys: keys, audit: sealer, event: event, now: unixTime())
        }
        print("Restored \(directory.database). Start it with `clavitor-node serve`.")
    }
}
