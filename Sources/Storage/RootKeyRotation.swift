import Auth
import Encoding
package import SQLite
package import VaultFormat

/// Re-encrypts every outer secret box under the current root key, in small commits, so that it can be interrupted and resumed.
package struct RootKeyRotation: Sendable {
    private let database: Database
    private let root: RootKeys
    private static let batch = 200

    package init(_ database: Database, root: RootKeys) {
        self.database = database
        self.root = root
    }

    /// Re-encrypts all outer secret boxes. Afterwards nothing in the file requires an older key.
    ///
    /// - Returns: The number of re-encrypted secret boxes.
    @discardableResult
    package func run() async throws -> Int {
        var total = 0
        total += try await renewSealedWraps()
        for table in RootBoxTable.allCases {
            while true {
                let renewed = try await database.write { [root] db in try table.renew(db, root, limit: Self.batch) }
                total += renewed
                if renewed == 0 { break }
            }
        }
        // Old secret boxes must not remain in the WAL.
        try await database.truncateWAL(ignoringBackOff: true)
        return total
    }

    /// Re-encrypts sealed wraps in the order of their places. There may be hundreds of thousands, and searching each batch from
    /// the start would take quadratic time.
    private func renewSealedWraps() async throws -> Int {
        var total = 0
        var after: (HolderID, FieldPlace)?
        while true {
            let last = after
            let (count, place) = try await database.write { [root] db in
                let rows = try RootBoxTable.sealedWraps(db, root.current.bigEndianBytes, after: last, limit: Self.batch)
                for (item, box) in rows { try RootBoxTable.put(try item.renewed(box, root: root), item, db) }
                return (rows.count, rows.last.flatMap { $0.0.wrapPlace })
            }
            total += count
            guard count > 0, let place else { return total }
            after = place
        }
    }

    /// The number of secret boxes under other keys than the current one.
    package func remaining() async throws -> Int {
        try await database.read { [root] db in
            try RootBoxTable.allCases.reduce(0) { sum, table in
                sum + (try table.stale(db, root.current.bigEndianBytes, .max).count)
            }
        }
    }
}
