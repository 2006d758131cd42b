import ArgumentParser
import Fleet

/// Restores vaults on a running node.
struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Restore a node's vaults from a backup.",
        discussion: """
            Decrypts and checks the backup here, with the node's root key from the secrets, and copies the database. Afterwards \
            nobody is signed in, and agents are suspended until their owners review them. For a lost machine: \
            clavitor-soc provision NODE --restart --restore FILE
            """)

    @OptionGroup var options: OperatorOptions
    @Argument(help: "The node.") var node: String
    @Option(help: "The directory with the static binaries.") var dist = "dist"
    @Option(help: "The backup file, as fetched by `backup fetch`.") var from: String
    @Option(help: "The file with the age identity that opens it. (default: age-identity in soc.toml)")
    var identity: String?
    @Flag(help: "Replace vaults that are on the node; they are renamed, not deleted.") var replace = false

    func run() async throws {
        let context = try OperatorContext(options)
        let node = try context.inventory.node(node)
        var restoring = BackupOptions()
        (restoring.restore, restoring.identity) = (from, identity)
        guard let backup = try restoring.backup(context.settings) else { return }
        let restore = VaultRestore(
            node, backup, try context.secrets(), dist: dist,
            folder: "\(context.state)/restore-\(node.name)", processes: context.processes)
        let said = try await restore.run(NodeShell(try context.ssh, node), replaces: replace)
        if !said.isEmpty { Terminal.note("\(node.name): \(said)") }
        try await context.connected(withoutMonitor: true) { probe, _ in
            for _ in 0..<60 {
                if await probe.health(of: node).isReady {
                    return Terminal.line("\(node.name) serves the restored vaults.")
                }
                try await Task.sleep(for: .seconds(1))
            }
            throw CommandFailure(
                "The vaults were copied to \(node.name), but it is not ready: clavitor-soc logs \(node.name)")
        }
    }
}

/// A backup, and the identity that decrypts it.
struct BackupOptions: ParsableArguments {
    @Option(help: "A backup of the node's vaults, to replace a lost machine.") var restore: String?
    @Option(help: "The file with the age identity that opens it. (default: age-identity in soc.toml)")
    var identity: String?

    /// - Returns: Nil without the option.
    func backup(_ settings: Settings) throws -> VaultBackup? {
        guard let restore else { return nil }
        guard let identity = identity ?? settings.ageIdentity else {
            throw CommandFailure("The backup needs an identity: --identity FILE", code: 2)
        }
        return VaultBackup(path: restore, identity: identity)
    }
}
