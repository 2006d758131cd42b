import CSQLite

extension Database {
    /// Writes a consistent copy of the database to a new file while readers and the writer go on.
    ///
    /// The copy is the state at the moment of the call. Errors leave a partial file behind, which the caller,
    /// who chose the name, removes.
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
            // The copy starts its life without a WAL beside it.
            try target.script("PRAGMA journal_mode = DELETE")
        }
    }

    /// Moves what the WAL holds into the file and cuts the WAL to nothing, so that deleted bytes are gone. All who ask before
    /// it begins have one for all of them.
    ///
    /// `evenSoon`: Also within those seconds.
    /// - Returns: Whether it could. A reader in the middle of a long scan makes it wait for the next time: no commit may wait
    ///   for its end, and for some seconds nobody tries again.
    @discardableResult
    package func truncateLog(evenSoon: Bool = false) async throws -> Bool {
        try await truncation.join(evenSoon: evenSoon) { writer.enqueueAlone { [truncation] in truncation.run(on: $0) } }
    }
}
