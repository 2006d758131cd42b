import ArgumentParser
import Auth
import NodeCore
import RootKeySources
import ServerRuntime
import VaultFormat

struct Init: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Create a node's data directory and root key.",
        discussion: "Prints the root key once. Without it neither the database nor any backup can be opened.")

    @OptionGroup var options: DataOptions

    @Flag(help: "Do not print the root key; `clavitor-node root-key print` does.")
    var quiet = false

    @Flag(help: "Do nothing if there is a vault; fail if the directory has other files. For services.")
    var ifEmpty = false

    func run() async throws {
        let directory = options.directory
        try directory.acquireLock()
        if ifEmpty, try !directory.isEmpty() { return }
        let keys = try directory.initialize(now: unixTime())
        print("Created \(directory.database).")
        guard let keys else {
            print("It uses the root key in \(directory.rootKeySource.location).")
            return
        }
        print("The root key is in \(directory.rootKeySource.location).")
        guard !quiet else { return }
        print(
            """

            Keep a copy of this line apart from the machine and from its backups. With it and a backup, passwords can
            be guessed; without it, neither the database nor any backup can be opened.

                \(RootKeyText.text(keys))
            """)
    }
}

struct Invite: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print an invitation for one registration on this node.")

    @OptionGroup var options: DataOptions

    @Option(help: "Validity of the invitation, such as 12h or 7d.")
    var expires: DurationOption = DurationOption(seconds: 7 * 86_400)

    func run() async throws {
        guard case .text(let invite) = try await options.directory.ask(.invite(expires: unixTime() + expires.seconds))
        else { throw Failure.unexpectedAnswer }
        print(invite)
    }
}
