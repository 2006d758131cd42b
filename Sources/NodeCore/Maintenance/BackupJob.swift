package import Backup
import Files
import FoundationEssentials
import Logging
import SQLite
import Storage
import Vault

/// Makes one backup, puts it on record, and removes those that are kept no longer.
package struct BackupJob: Sendable {
    package let node: Node
    package let folder: BackupFolder
    package let recipients: [AgeRecipient]
    /// Nil keeps everything.
    package let keep: Retention?

    package init(node: Node, folder: BackupFolder, recipients: [AgeRecipient], keep: Retention?) {
        self.node = node
        self.folder = folder
        self.recipients = recipients
        self.keep = keep
    }

    package func run() async throws -> BackupFolder.Written {
        let store = node.store
        guard case .normal = node.health.mode else { throw BackupRefusal.readOnly }
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

    /// Whether the newest backup is older than `seconds`: a restart does not make another one.
    package func isDue(every seconds: Int64) async throws -> Bool {
        guard let age = try await folder.age(at: node.now()) else { return true }
        return age >= seconds
    }
}

/// Why no backup is made.
package enum BackupRefusal: Error, Equatable, CustomStringConvertible {
    case readOnly

    package var description: String { "No backup is made while the node is read-only." }
}
