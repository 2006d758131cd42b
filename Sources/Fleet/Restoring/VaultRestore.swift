import Console
import Files
import FoundationEssentials

/// Restores a node's vaults from a backup.
///
/// The backup is decrypted and verified on the operator's machine, by `clavitor-node` with the node's root key from the
/// secrets. Neither the age identity nor the root key is sent: the node receives its database, whose content is encrypted
/// under the root key.
package struct VaultRestore: Sendable {
    private let node: Node
    private let backup: VaultBackup
    private let dist: String
    private let secrets: SecretStore
    private let folder: String
    private let data: String
    private let processes: any ChildProcesses

    /// - Parameters:
    ///   - node: The node.
    ///   - backup: Its backup.
    ///   - secrets: Must have the node's root key.
    ///   - dist: The directory with the static binaries.
    ///   - folder: A private directory for the database; its parent must exist. Removed afterwards.
    ///   - data: The node's data directory.
    ///   - processes: Runs `clavitor-node`.
    package init(
        _ node: Node, _ backup: VaultBackup, _ secrets: SecretStore, dist: String, folder: String,
        data: String = "/var/lib/clavitor", processes: any ChildProcesses
    ) {
        (self.node, self.backup, self.dist, self.secrets) = (node, backup, dist, secrets)
        (self.folder, self.data, self.processes) = (folder, data, processes)
    }

    /// - Parameters:
    ///   - shell: A shell on the node.
    ///   - replaces: Whether existing vaults are moved aside; otherwise they are an error.
    /// - Returns: Where existing vaults were moved; empty if there were none.
    /// - Throws: `RestoreError`, `LocalSecretStoreError`, `SSHError`.
    package func run(_ shell: some RemoteShell, replaces: Bool) async throws -> String {
        // Removes leftovers of a killed run.
        try? FileManager.default.removeItem(atPath: folder)
        try File.makeDirectory(folder)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let database = try await decryptedDatabase()
        let digest = try FileDigest(database)
        return try await shell.send(
            database,
            to: .script(
                RestoreScripts.place,
                [data, "\(digest.count)", digest.sha256, replaces ? "replace" : "keep"]),
            deadline: .seconds(3_600))
    }

    /// Decrypts the database and verifies its audit chain, its structure, and that the root key matches.
    private func decryptedDatabase() async throws -> String {
        guard let key = try await secrets.text(.rootKey, of: node) else { throw RestoreError.noRootKey(node.name) }
        let program = "\(dist)/clavitor-node"
        // The key is passed through a pipe, never in a file or an argument.
        let outcome = try await processes.run(
            ChildProcess(
                program,
                [
                    "restore", "--data", folder, "--root-key", "/dev/stdin", "--from", backup.path, "--identity",
                    backup.identity,
                ], input: key, deadline: .seconds(3_600)))
        guard outcome.status == 0 else {
            throw RestoreError.notOpened(backup.path, outcome.errors.sanitizedLine(limit: 1_000))
        }
        return "\(folder)/clavitor.db"
    }
}

package enum RestoreError: Error, Equatable, Sendable, CustomStringConvertible {
    case noRootKey(String)
    case notOpened(String, String)

    package var description: String {
        switch self {
        case .noRootKey(let node):
            """
            The root key of \(node) is not in the secrets, and backups cannot be decrypted without it. Set it from your copy: \
            clavitor-soc secrets set \(node) root.key
            """
        case .notOpened(let path, let message): "\(path) was not restored, and nothing was sent: \(message)"
        }
    }
}
