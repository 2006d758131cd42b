import SQLite
import Vault
import VaultFormat

/// Compares rows as they are read with the state, so that a row that another program changed, put back or removed is not used.
struct RecordCheck {
    let reference: Reference

    enum Reference {
        /// The last commit, for readers.
        case memory(StateMemory)
        /// The open transaction, for the writer.
        case writer(AuditJournal)
    }

    /// Checks a row whose first columns are all columns of the table.
    ///
    /// `vault`: The one whose row it must be, where the caller knows it.
    /// - Returns: The record's digest.
    /// - Throws: `RecordMismatch`; `VaultError.vaultDamaged` when the vault's damage is known.
    @discardableResult
    func row(_ row: Row, in table: TableName, of vault: VaultID? = nil, _ db: Connection) throws -> StateDigest {
        let record = try tables[table].identify(row)
        guard let vault = vault ?? record.vault else {
            throw VaultError.damaged("a row of \(table.text) without a vault")
        }
        guard try digest(of: record.key, in: table, of: vault, db) == record.digest else {
            throw RecordMismatch(vault: vault, finding: "a row of \(table.text) is not the committed one")
        }
        return record.digest
    }

    /// Whether a record still has the digest with which it was read before.
    ///
    /// `key`: The value of the column that identifies it.
    func isPresent(
        _ digest: StateDigest, _ key: Value, in table: TableName, of vault: VaultID, _ db: Connection
    ) throws -> Bool {
        try self.digest(of: tables[table].key(key), in: table, of: vault, db) == digest
    }

    /// Reads the row that a key identifies and checks it, or checks that there is none.
    ///
    /// `sql`: Selects all columns of the table first.
    /// `key`: The value of the column that identifies it, and the first placeholder's.
    /// `more`: The values of the other placeholders.
    func first<T>(
        _ sql: StaticString, _ key: Value, _ more: Value..., in table: TableName, of vault: VaultID, _ db: Connection,
        read: (Row) throws -> T
    ) throws -> T? {
        let found = try db.first(sql, all: [key] + more) { row in
            try self.row(row, in: table, of: vault, db)
            return try read(row)
        }
        if found == nil { try absent(key, in: table, of: vault, db) }
        return found
    }

    /// Checks that a row that was not found does not exist.
    ///
    /// `key`: The value of the column that identifies it.
    func absent(_ key: Value, in table: TableName, of vault: VaultID, _ db: Connection) throws {
        guard try digest(of: tables[table].key(key), in: table, of: vault, db) == nil else {
            throw RecordMismatch(vault: vault, finding: "a row of \(table.text) is missing")
        }
    }

    /// Checks that the file has as many of the vault's rows in a table as there are: rows found by other columns than the key are
    /// complete if each of them passes `row`.
    func complete(_ table: TableName, of vault: VaultID, _ db: Connection) throws {
        let known = try tables[table].vault == nil ? nil : Value.blob(vault.bytes)
        guard try db.count(in: table, vault: known) == count(in: table, of: vault, db) else {
            throw RecordMismatch(vault: vault, finding: "\(table.text) has too many or too few rows")
        }
    }

    private var tables: RecordTables {
        get throws {
            switch reference {
            case .memory(let memory): try memory.tables
            case .writer(let journal): try journal.memory.tables
            }
        }
    }

    private func digest(
        of key: Record.Key, in table: TableName, of vault: VaultID, _ db: Connection
    ) throws -> StateDigest? {
        switch reference {
        case .memory(let memory): try memory.withRecords(of: vault, db) { $0[table, key] }
        case .writer(let journal): try journal.digest(of: key, in: table, of: vault, db)
        }
    }

    private func count(in table: TableName, of vault: VaultID, _ db: Connection) throws -> Int {
        switch reference {
        case .memory(let memory): try memory.withRecords(of: vault, db) { $0.count(in: table) }
        case .writer(let journal): try journal.count(in: table, of: vault, db)
        }
    }
}
