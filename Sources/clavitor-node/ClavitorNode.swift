import ArgumentParser
import NodeCore
import ServerRuntime
import VaultFormat
import Wire

/// The program of a node: arguments, configuration and wiring.
@main
struct ClavitorNode: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clavitor-node",
        abstract: "A node that serves password and credential vaults.",
        discussion: """
            A data directory contains the database, and by default the root key. Create it with \
            `clavitor-node init --data DIR`, then run `clavitor-node serve --data DIR`.
            """,
        version: Version.current,
        subcommands: [
            Init.self, Serve.self, Backup.self, Restore.self, Doctor.self, Audit.self, RootKey.self, Invite.self,
            Cert.self,
        ]
    )

    /// Runs without a subcommand.
    func run() async throws {
        try Failure.requireArguments()
        throw CleanExit.helpRequest(self)
    }
}

/// The options of all commands.
struct DataOptions: ParsableArguments {
    @Option(help: "Data directory.")
    var data: String

    @Option(
        help: ArgumentHelp(
            "File with the root key.",
            discussion: "Default: the systemd credential `root-key`, otherwise `root.key` in the data directory."))
    var rootKey: String?

    var directory: DataDirectory { DataDirectory(path: data, rootKey: rootKey) }
}
