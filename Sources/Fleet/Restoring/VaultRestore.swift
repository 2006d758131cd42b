import Console
import Files
import FoundationEssentials

/// Brings a node's vaults back from a backup.
///
/// The backup is opened and checked on the operator's machine, by the node's own program with the node's root key from the
/// secrets. Neither the identity that opens backups nor the root key is sent: what goes to the node is its database, whose
/// content is encrypted under that key.
package struct VaultRestore: Sendable {
    private let node: Node
    private let backup: VaultBackup
    private let dist: String
    private let secrets: SecretStore
    private let folder: String
    private let data: String
    private let processes: any ChildProcesses

    /// - Parameters:
    ///   - node: Whose vaults.
    ///   - backup: Theirs.
    ///   - secrets: Have the node's root key.
    ///   - dist: The folder with the static binaries.
    ///   - folder: For the database, private; its parent must exist. Removed afterwards.
    ///   - data: The node's data directory.
    ///   - processes: Run the node's program.
    package init(
        _ node: Node, _ backup: VaultBackup, _ secrets: SecretStore, dist: String, folder: String,
        data: String = "/var/lib/clavitor", processes: any ChildProcesses
    ) {
        (self.node, self.backup, self.dist, self.secrets) = (node, backup, dist, secrets)
        (self.folder, self.data, self.processes) = (folder, data, processes)
    }

    /// - Parameters:
    ///   - shell: The node.
    ///   - replaces: Vaults that are there already are set aside on the node; otherwise they are an error.
    /// - Returns: What the node says became of vaults that were there; empty when there were none.
    /// - Throws: `RestoreError`, `LocalSecretStoreError`, `SSHError`.
    package func run(_ shell: some RemoteShell, replaces: Bool) async throws -> String {
        // What a run that was killed has left.
        try? FileManager.default.removeItem(atPath: folder)
        try File.makeDirectory(folder)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let database = try await opened()
        let digest = try FileDigest(database)
        return try await shell.send(
            database,
            to: .script(
                RestoreScripts.place,
                [data, "\(digest.count)", digest.sha256, replaces ? "replace" : "keep"]),
            deadline: .seconds(3_600))
    }

    /// The database, checked: audit chain, structure, and that the root key is the backup's.
    private func opened() async throws -> String {
        guard let key = try await secrets.text(.rootKey, of: node) else { throw RestoreError.noRootKey(node.name) }
        let program = "\(dist)/clavitor-node"
        // The key goes through a pipe: it is in no file and in no argument.
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
            The root key of \(node) is not in the secrets, and without it no backup opens. Set it from your copy: \
            clavitor-soc secrets set \(node) root.key
            """
        case .notOpened(let path, let said): "\(path) was not restored, and nothing was sent: \(said)"
        }
    }
}
