package import Backup
import Files
import FoundationEssentials
import Logging
import SQLite
import Storage
import Vault

/// Makes one backup, records it in the audit log, and deletes backups beyond the retention.
package struct BackupJob: Sendable {
    package let node: Node
    package let folder: BackupFolder
    package let recipients: [AgeRecipient]
    /// Nil keeps all backups.
    package let keep: Retention?

    package init(node: Node, folder: BackupFolder, recipients: [AgeRecipient], keep: Retention?) {
        self.node = node
        self.folder = folder
        self.recipients = recipients
        self.keep = keep
    }

    package func run() async throws -> BackupFolder.Written {
        let store = node.store
        guard case .normal = node.health.mode else { throw BackupUnavailable.readOnly }
        try folder.requireFreeSpace(for: store.database.path)
        let now = Date(timeIntervalSince1970: Double(node.now()))
        let written = try await folder.write(recipients: recipients, now: now) { path in
            try await store.database.copy(to: path)
        }
        try await node.record(
            AuditEvent(.backup, by: .init(.node), reason: "\(written.name.fileName) sha256:\(written.sha256)"))
        if let keep { _ = try await folder.prune(keep: keep, now: node.now()) }
        return written
    }

    /// Whether the newest backup is older than `seconds`, so that a restart does not make another one.
    package func isDue(every seconds: Int64) async throws -> Bool {
        guard let age = try await folder.age(at: node.now()) else { return true }
        return age >= seconds
    }
}

/// The reason why no backup is made.
package enum BackupUnavailable: Error, Equatable, CustomStringConvertible {
    case readOnly

    package var description: String { "The node is read-only; no backup is made." }
}
