import ArgumentParser
import NodeCore
import Serving
import VaultFormat
import Wire

/// The program on every node. Arguments, configuration and wiring only.
@main
struct ClavitorNode: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clavitor-node",
        abstract: "A password and credential vault as an appliance.",
        discussion: """
            A data directory holds the database, the root key unless it is elsewhere, and nothing else. Begin with \
            `clavitor-node init --data DIR`, then `clavitor-node serve --data DIR`.
            """,
        version: Version.current,
        subcommands: [
            Init.self, Serve.self, Backup.self, Restore.self, Doctor.self, Audit.self, RootKey.self, Invite.self,
            Cert.self,
        ]
    )

    /// Without a subcommand.
    func run() async throws {
        try Failure.requireArguments()
        throw CleanExit.helpRequest(self)
    }
}

/// Options of every command.
struct DataOptions: ParsableArguments {
    @Option(help: "The data directory.")
    var data: String

    @Option(
        help: ArgumentHelp(
            "The file with the root key.",
            discussion: "By default the systemd credential `root-key`, or else `root.key` in the data directory."))
    var rootKey: String?

    var directory: DataDirectory { DataDirectory(path: data, rootKey: rootKey) }
}
