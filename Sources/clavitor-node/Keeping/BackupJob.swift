import Backup
import Files
import FoundationEssentials
import Logging
import SQLite
import Storage
import Synchronization
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
        try checkRoom()
        let now = Date(timeIntervalSince1970: Double(node.now()))
        let written = try await folder.write(recipients: recipients, now: now) { path in
            try await store.database.copy(to: path)
        }
        try await node.record(
            AuditEvent(.backup, by: .init(.node), reason: "\(written.name.fileName) sha256:\(written.sha256)"))
        if let keep { _ = try await folder.prune(keep: keep, now: node.now()) }
        return written
    }

    /// A backup stands on the disk twice while it is encrypted, and must leave more than a full disk has: on one that is filling
    /// up it would take what is kept for revocations.
    private func checkRoom() throws {
        guard case .normal = node.health.mode else { throw BackupRefusal.readOnly }
        let needed = 2 * (FileFacts.size(node.store.database.path) ?? 0) + 4 * ReserveFile.bytes
        guard let free = FileFacts.freeSpace(Self.present(folder.path)), free < needed else { return }
        throw BackupRefusal.noRoom(folder.path, needed: needed, free: free)
    }

    /// The folder, or where it will be made.
    private static func present(_ path: String) -> String {
        File.exists(path) ? path : Directory.parent(of: path)
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
    case noRoom(String, needed: Int64, free: Int64)

    var description: String {
        switch self {
        case .readOnly: "No backup is made while the node is read-only."
        case .noRoom(let folder, let needed, let free):
            """
            The disk of \(folder) has \(free >> 20) MiB free, and a backup needs \(needed >> 20): twice the database, and room \
            that stays free. Make room, or keep fewer backups.
            """
        }
    }
}

/// Lets a job that failed wait, longer each time: half an hour at first, a day at most.
final class GrowingPause: Sendable {
    private let state = Mutex((failures: 0, until: Int64.min))

    /// Unix seconds.
    func isOver(at now: Int64) -> Bool { state.withLock { now >= $0.until } }

    func failed(at now: Int64) {
        state.withLock { state in
            state.failures = min(state.failures + 1, 6)
            state.until = now + min(86_400, 900 << Int64(state.failures))
        }
    }

    func succeeded() { state.withLock { $0 = (0, .min) } }
}
