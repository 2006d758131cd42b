/// A database in memory on one thread, with the same `read` and `write` as `Database`.
package final class MemoryDatabase: Sendable {
    /// Unchecked is sound: used on the one thread that owns it.
    private struct Confined: @unchecked Sendable {
        let connection: Connection
    }

    private let thread = WorkerThread()
    private let confined: Confined

    /// `maximumBytes`: Approximate. Writes beyond it fail as on a full disk.
    package init(migrations: [Migration], maximumBytes: Int) throws {
        let connection = try Connection(path: ":memory:", access: .readWrite)
        try connection.script("PRAGMA foreign_keys = ON; PRAGMA max_page_count = \(maximumBytes / 4_096);")
        try Migration.apply(migrations, to: connection)
        confined = Confined(connection: connection)
    }

    deinit { thread.stop() }

    /// Runs `body` in a transaction, which is rolled back when it throws.
    package func write<R: Sendable>(_ body: @escaping @Sendable (Connection) throws -> R) async throws -> R {
        try await perform { connection in
            try connection.run("BEGIN IMMEDIATE")
            defer { connection.rollBack() }
            let result = try body(connection)
            try connection.run("COMMIT")
            return result
        }
    }

    package func read<R: Sendable>(_ body: @escaping @Sendable (Connection) throws -> R) async throws -> R {
        try await perform { try $0.snapshot(body) }
    }

    private func perform<R: Sendable>(_ body: @escaping @Sendable (Connection) throws -> R) async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            thread.enqueue { [confined] in
                continuation.resume(with: Result { try body(confined.connection) })
            }
        }
    }
}
