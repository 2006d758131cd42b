import Auth
import Encoding
import SQLite
package import Vault
package import VaultFormat

/// Re-encrypts every outer secret box under the current root key, in small commits, so that it can be interrupted and resumed.
package struct RootKeyRotation: Sendable {
    private let store: Store
    private let audit: AuditSealer
    private let root: RootKeys
    private static let batch = 200

    package init(_ store: Store, root: RootKeys, audit: AuditSealer) {
        self.store = store
        self.root = root
        self.audit = audit
    }

    /// Re-encrypts all outer secret boxes. Afterwards nothing in the file requires an older key.
    ///
    /// - Returns: The number of re-encrypted secret boxes.
    /// - Throws: `VaultError.vaultDamaged` when records of a vault are not the committed ones.
    @discardableResult
    package func run() async throws -> Int {
        var total = 0
        total += try await renewSealedWraps()
        for table in RootBoxTable.allCases {
            while true {
                let renewed = try await renew { [root] db in
                    try table.stale(db, root.current.bigEndianBytes, Self.batch)
                }.count
                total += renewed
                if renewed == 0 { break }
            }
        }
        // Old secret boxes must not remain in the WAL.
        try await store.database.truncateWAL(ignoringBackOff: true)
        return total
    }

    /// Re-encrypts sealed wraps in the order of their places. There may be hundreds of thousands, and searching each batch from
    /// the start would take quadratic time.
    private func renewSealedWraps() async throws -> Int {
        var total = 0
        var after: (HolderID, FieldPlace)?
        while true {
            let last = after
            let rows = try await renew { [root] db in
                try RootBoxTable.sealedWraps(db, root.current.bigEndianBytes, after: last, limit: Self.batch)
            }
            total += rows.count
            guard let place = rows.last.flatMap(\.wrapPlace) else { return total }
            after = place
        }
    }

    /// Re-encrypts some secret boxes in one commit, with a line in the log of each vault whose records it changes.
    private func renew(
        _ stale: @escaping @Sendable (Connection) throws -> [(RootBox, [UInt8])]
    ) async throws -> [RootBox] {
        let journal = store.journal
        do {
            return try await store.database.write { [root, audit] db in
                let rows = try stale(db)
                for (item, box) in rows { try RootBoxTable.put(try item.renewed(box, root: root), item, db) }
                let event = AuditEvent(.rootKeyRotate, by: .init(.node), reason: "key \(root.current)")
                let vaults = Set(rows.compactMap { $0.0.recordVault })
                try journal.append(
                    try vaults.map { try audit.seal(event, vault: $0 == .node ? nil : $0) }, db)
                return rows.map(\.0)
            }
        } catch let mismatch as RecordMismatch {
            throw journal.memory.noteDamage(mismatch)
        }
    }

    /// The number of secret boxes under other keys than the current one.
    package func remaining() async throws -> Int {
        try await store.database.read { [root] db in
            try RootBoxTable.allCases.reduce(0) { sum, table in
                sum + (try table.stale(db, root.current.bigEndianBytes, .max).count)
            }
        }
    }
}

extension RootBox {
    /// The vault in whose state the row is a record; nil for a row that is none.
    fileprivate var recordVault: VaultID? {
        switch self {
        case .nodeKey: .node
        case .email(let vault), .auditKey(let vault), .policy(let vault, _): vault
        case .credential(let row), .credentialL2Key(let row), .credentialSeal(let row): row.vault
        case .publicKey, .sealedWrap: nil
        }
    }
}
