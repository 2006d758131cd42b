import Monitor
import SQLite

/// SQLite's page limit simulates a full disk.
extension MonitorStore {
    func fill() async throws {
        try await database.maintain { db in
            try db.script("CREATE TABLE IF NOT EXISTS ballast (bytes BLOB)")
            let pages = try db.first("PRAGMA page_count") { $0.int(0) } ?? 0
            try db.script("PRAGMA max_page_count = \(pages)")
            // Fills the free space within the pages.
            var bytes = 2_000
            while bytes > 0 {
                do {
                    try db.run("INSERT INTO ballast VALUES (zeroblob(?))", .integer(bytes))
                } catch {
                    bytes /= 2
                }
            }
        }
    }

    func makeRoom() async throws {
        try await database.maintain { try $0.script("PRAGMA max_page_count = 1000000") }
    }
}
