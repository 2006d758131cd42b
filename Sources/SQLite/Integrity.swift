import CSQLite
import Glibc

/// How thoroughly to look (https://www.sqlite.org/pragma.html#pragma_integrity_check).
package enum IntegrityDepth: Sendable {
    /// The structure of every page: seconds per gigabyte.
    case quick
    /// The indexes against their tables as well.
    case full
}

extension Connection {
    /// What is wrong with the file. Empty when nothing is.
    ///
    /// A file too damaged to be read at all is reported as one finding, not thrown.
    package func findDamage(_ depth: IntegrityDepth) -> [String] {
        do {
            let findings =
                switch depth {
                case .quick: try all("PRAGMA quick_check(20)") { $0.text(0) }
                case .full: try all("PRAGMA integrity_check(20)") { $0.text(0) }
                }
            let orphans = try all("PRAGMA foreign_key_check") { "row without its parent in \($0.text(0))" }
            return findings.filter { $0 != "ok" } + orphans.prefix(20)
        } catch {
            return ["\(error)"]
        }
    }
}

extension Database {
    /// Looks for damage on a reader's thread, resting often, so that the vault goes on at its usual speed.
    package func findDamage(_ depth: IntegrityDepth) async throws -> [String] {
        try await read(lasting: .long) { database in
            unsafe database.withHandle { handle in
                // Every 100,000 instructions of SQLite's machine, about a millisecond of work, one of rest.
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
            return database.findDamage(depth)
        }
    }
}
