import CSQLite
import Glibc

/// The depth of an integrity check (https://www.sqlite.org/pragma.html#pragma_integrity_check).
package enum IntegrityDepth: Sendable {
    /// Checks the structure of every page: seconds per gigabyte.
    case quick
    /// Also compares the indexes with their tables.
    case full
}

extension Connection {
    /// Checks the file and returns what is wrong with it. Empty for an intact file.
    ///
    /// A file too damaged to be read is one finding, not an error.
    package func checkIntegrity(_ depth: IntegrityDepth) -> [String] {
        do {
            let findings =
                switch depth {
                case .quick: try all("PRAGMA quick_check(20)") { $0.text(0) }
                case .full: try all("PRAGMA integrity_check(20)") { $0.text(0) }
                }
            let orphans = try all("PRAGMA foreign_key_check") { "foreign key violation in \($0.text(0))" }
            return findings.filter { $0 != "ok" } + orphans.prefix(20)
        } catch {
            return ["\(error)"]
        }
    }
}

extension Database {
    /// Checks the file on a reader's thread with frequent pauses, so that other queries keep their speed.
    package func checkIntegrity(_ depth: IntegrityDepth) async throws -> [String] {
        try await read(lasting: .long) { database in
            unsafe database.withHandle { handle in
                // Pauses for a millisecond every 100,000 virtual machine steps, which take about a millisecond.
                unsafe sqlite3_progress_handler(
                    handle, 100_000,
                    { _ in
                        usleep(1_000)
                        return 0
                    }, nil)
            }
            defer {
                unsafe database.withHandle { unsafe sqlite3_progress_handler($0, 0, nil, nil) }
            }
            return database.checkIntegrity(depth)
        }
    }
}
