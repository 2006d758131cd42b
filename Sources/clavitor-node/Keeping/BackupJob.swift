import Backup
import Files
import FoundationEssentials
import Logging
import SQLite
import Storage
import Vault

/// Makes one backup, puts it on record, and removes those that are kept no longer.
struct BackupJob: Sendable {
    let node: Node
    let folder: BackupFolder
    let recipients: [AgeRecipient]
    /// Nil keeps everything.
    let keep: Retention?

    func run() async throws -> BackupFolder.Written {
        let store = node.store
        guard case .normal = node.health.mode else { throw BackupRefusal.readOnly }
        try folder.requireRoom(for: store.database.path)
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
    func isDue(every seconds: Int64) async throws -> Bool {
        guard let age = try await folder.age(at: node.now()) else { return true }
        return age >= seconds
    }
}

/// Why no backup is made.
enum BackupRefusal: Error, Equatable, CustomStringConvertible {
    case readOnly

    var description: String { "No backup is made while the node is read-only." }
}
