package import SQLite
import Synchronization

/// What only the serving program writes: incidents, what is to be told of them, silences, planned work. In the monitor's
/// file; and while the file takes nothing, in memory, since an alarm must not wait for a disk.
package final class Ledger: Sendable {
    private let file: Database
    private let migrations: [Migration]
    private let refuge = Mutex<Refuge?>(nil)
    /// A change that went to the file while others went to memory would be lost, or told twice.
    private let turns = Turnstile()

    private struct Refuge {
        let memory: MemoryDatabase
        /// Why the file takes nothing, as last heard.
        var reason: String
    }

    /// Bytes in memory at the most: some 20,000 changes. The hub is a small machine.
    private static let most = 64 << 20

    /// `migrations`: The file's.
    init(file: Database, migrations: [Migration]) {
        self.file = file
        self.migrations = migrations
    }

    /// Why it is in memory; nil while all is on the disk.
    package var trouble: String? { refuge.withLock { $0?.reason } }

    package func read<R: Sendable>(_ body: @escaping @Sendable (Connection) throws -> R) async throws -> R {
        if let memory = refuge.withLock({ $0?.memory }) { return try await memory.read(body) }
        return try await file.read(body)
    }

    /// Runs `body` in a transaction that is on the disk when this returns, or in memory when the disk takes nothing.
    ///
    /// - Throws: What `body` throws; the file's error when it is about more than this file; memory's when it is full.
    package func write<R: Sendable>(_ body: @escaping @Sendable (Connection) throws -> R) async throws -> R {
        try await turns.pass {
            if let memory = refuge.withLock({ $0?.memory }) { return try await memory.write(body) }
            do {
                return try await file.write(body)
            } catch let error as SQLiteError where error.cause.isOfTheFile {
                let memory = try await moved()
                let result = try await memory.write(body)
                refuge.withLock { $0 = Refuge(memory: memory, reason: "\(error)") }
                return result
            }
        }
    }

    /// Puts on the disk what came to memory, if the disk takes it.
    ///
    /// - Returns: Whether all is on the disk.
    @discardableResult
    package func returnToFile() async -> Bool {
        await turns.pass {
            guard let memory = refuge.withLock({ $0?.memory }) else { return true }
            do {
                let rows = try await memory.read { db in try LedgerTable.all.map { try $0.rows(in: db) } }
                try await file.write { db in
                    for (table, rows) in zip(LedgerTable.all, rows) { try table.replace(with: rows, in: db) }
                }
                refuge.withLock { $0 = nil }
                return true
            } catch {
                refuge.withLock { $0?.reason = "\(error)" }
                return false
            }
        }
    }

    /// Everything as it is in the file, in memory.
    private func moved() async throws -> MemoryDatabase {
        let memory = try MemoryDatabase(migrations: migrations, maximumBytes: Self.most)
        // What cannot even be read is begun anew: better told twice than never.
        let rows = (try? await file.read { db in try LedgerTable.all.map { try $0.rows(in: db) } }) ?? []
        try await memory.write { db in
            for (table, rows) in zip(LedgerTable.all, rows) { try table.replace(with: rows, in: db) }
        }
        return memory
    }
}

extension SQLiteError.Cause {
    /// Whether another place could take what this file does not.
    fileprivate var isOfTheFile: Bool {
        switch self {
        case .damaged, .full, .io, .access: true
        case .busy, .constraint, .other: false
        }
    }
}
