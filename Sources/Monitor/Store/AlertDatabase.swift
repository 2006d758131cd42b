package import SQLite
import Synchronization

/// Stores what only the serving program writes: incidents, notifications, silences and maintenance windows. They are in
/// the monitor's database file; while the file cannot be written, in memory, because an alarm must not wait for a disk.
package final class AlertDatabase: Sendable {
    private let file: Database
    private let migrations: [Migration]
    private let fallback = Mutex<Fallback?>(nil)
    /// Serializes writes: a change written to the file while others went to memory would be lost, or notified twice.
    private let mutex = AsyncMutex()

    private struct Fallback {
        let memory: MemoryDatabase
        /// The last error of the file.
        var reason: String
    }

    /// Limit for memory: some 20,000 changes. The hub is a small machine.
    private static let maxBytes = 64 << 20

    /// `migrations`: The migrations of the file.
    init(file: Database, migrations: [Migration]) {
        self.file = file
        self.migrations = migrations
    }

    /// Why data is kept in memory; nil while all of it is on the disk.
    package var fallbackReason: String? { fallback.withLock { $0?.reason } }

    package func read<R: Sendable>(_ body: @escaping @Sendable (Connection) throws -> R) async throws -> R {
        if let memory = fallback.withLock({ $0?.memory }) { return try await memory.read(body) }
        return try await file.read(body)
    }

    /// Runs `body` in a transaction that is durable when this returns, or in memory when the disk cannot be written.
    ///
    /// - Throws: The error of `body`; the file's error when it does not concern this file alone; memory's error when it
    ///   is full.
    package func write<R: Sendable>(_ body: @escaping @Sendable (Connection) throws -> R) async throws -> R {
        try await mutex.withLock {
            if let memory = fallback.withLock({ $0?.memory }) { return try await memory.write(body) }
            do {
                return try await file.write(body)
            } catch let error as SQLiteError where error.cause.isFileSpecific {
                let memory = try await copyToMemory()
                let result = try await memory.write(body)
                fallback.withLock { $0 = Fallback(memory: memory, reason: "\(error)") }
                return result
            }
        }
    }

    /// Copies data back from memory to the file, if the file can be written.
    ///
    /// - Returns: Whether all data is on the disk.
    @discardableResult
    package func returnToFile() async -> Bool {
        await mutex.withLock {
            guard let memory = fallback.withLock({ $0?.memory }) else { return true }
            do {
                let rows = try await memory.read { db in try AlertTable.all.map { try $0.rows(in: db) } }
                try await file.write { db in
                    for (table, rows) in zip(AlertTable.all, rows) { try table.replace(with: rows, in: db) }
                }
                fallback.withLock { $0 = nil }
                return true
            } catch {
                fallback.withLock { $0?.reason = "\(error)" }
                return false
            }
        }
    }

    /// Copies the tables from the file to memory.
    private func copyToMemory() async throws -> MemoryDatabase {
        let memory = try MemoryDatabase(migrations: migrations, maximumBytes: Self.maxBytes)
        // Unreadable tables start empty: a repeated notification is better than none.
        let rows = (try? await file.read { db in try AlertTable.all.map { try $0.rows(in: db) } }) ?? []
        try await memory.write { db in
            for (table, rows) in zip(AlertTable.all, rows) { try table.replace(with: rows, in: db) }
        }
        return memory
    }
}

extension SQLiteError.Cause {
    /// Whether another location could store what this file cannot.
    fileprivate var isFileSpecific: Bool {
        switch self {
        case .damaged, .full, .io, .access: true
        case .busy, .constraint, .other: false
        }
    }
}
