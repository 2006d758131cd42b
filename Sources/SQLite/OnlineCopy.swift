import CSQLite

extension Database {
    /// Writes a consistent copy of the database to a new file while reads and writes continue.
    ///
    /// The copy is a snapshot at the time of the call. After an error the caller must remove the partial file.
    package func copy(to destination: String) async throws {
        try await read(lasting: .long) { source in
            // `read` holds one snapshot open, so pages changed meanwhile do not restart the copy.
            _ = try source.first("SELECT count(*) FROM sqlite_schema") { $0.int(0) }
            let target = try Connection(path: destination, access: .readWrite)
            try unsafe source.withHandle { source in
                try unsafe target.withHandle { target in
                    guard let backup = unsafe sqlite3_backup_init(target, "main", source, "main") else {
                        throw unsafe SQLiteError(database: target, code: SQLITE_ERROR, sql: "backup")
                    }
                    var code = SQLITE_OK
                    while code == SQLITE_OK {
                        // 256 pages, 1 MiB, at a time.
                        code = unsafe sqlite3_backup_step(backup, 256)
                    }
                    unsafe sqlite3_backup_finish(backup)
                    guard code == SQLITE_DONE else {
                        throw unsafe SQLiteError(database: target, code: code, sql: "backup")
                    }
                }
            }
            // Leaves the copy without a WAL file.
            try target.script("PRAGMA journal_mode = DELETE")
        }
    }

    /// Checkpoints the WAL into the file and truncates it, so that deleted bytes are gone. Concurrent callers share one
    /// truncation.
    ///
    /// `ignoringBackOff`: Attempts it even during the back-off after a failed attempt.
    /// - Returns: Whether it succeeded. It fails while a long read is active, because no commit may wait for that; a
    ///   back-off of some seconds follows.
    @discardableResult
    package func truncateWAL(ignoringBackOff: Bool = false) async throws -> Bool {
        try await truncation.wait(ignoringBackOff: ignoringBackOff) {
            writer.enqueueBetweenBatches { [truncation] in truncation.run(on: $0) }
        }
    }
}
