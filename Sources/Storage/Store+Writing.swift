import Auth
import SQLite
import Vault
import VaultFormat

/// Writing of rows.
extension Store {
    /// Compares an entry's stored search terms with the wanted ones.
    static func difference(
        of terms: [[UInt8]], from entry: EntryID, _ db: Connection
    ) throws -> (gone: [[UInt8]], new: [[UInt8]]) {
        let present = try db.all("SELECT term FROM term WHERE entry = ?", .blob(entry.bytes)) { $0.blob(0) }
        let (old, wanted) = (Set(present), Set(terms))
        return (present.filter { !wanted.contains($0) }, wanted.filter { !old.contains($0) })
    }

    /// Deletes a key holder's credentials and items, so that it can no longer be opened. Its wraps are deleted in parts by `clear`.
    static func deleteCredentials(
        ofHolder holder: HolderID, in vault: VaultID, _ check: RecordCheck, _ db: Connection
    ) throws {
        // None may be hidden now and put back later.
        try check.complete(.credential, of: vault, db)
        try check.complete(.item, of: vault, db)
        try db.run("DELETE FROM credential WHERE holder = ?", .blob(holder.bytes))
        try db.run("DELETE FROM item WHERE holder = ?", .blob(holder.bytes))
    }

    static func insert(_ row: AccountRow, _ db: Connection) throws {
        let inserted = try db.run(
            """
            INSERT INTO account (vault, email_index, email, kdf_memory, kdf_iterations, kdf_parallelism, salt, owner,
                audit_key, l2_generation, l2_previous, items, created)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
            """,
            .blob(row.vault.bytes), .blob(row.emailIndex), .blob(row.email), .integer(row.kdf.memoryKiB),
            .integer(row.kdf.iterations), .integer(row.kdf.parallelism), .blob(row.salt), .blob(row.owner.bytes),
            .blob(row.auditKey), .integer(row.l2.generation), .blob(row.l2.previous),
            .text(OwnerItem.list(row.items)), .integer(row.created))
        guard inserted == 1 else { throw AuthError.emailTaken }
        // The encrypted audit lines of a deleted vault stay. With a new key for the same id they would look like damage.
        let isUsed = try db.first("SELECT 1 FROM audit WHERE vault = ? LIMIT 1", .blob(row.vault.bytes)) { _ in true }
        guard isUsed == nil else { throw AuthError.invalid("vault", "was used before; choose 16 random bytes") }
    }

    static func insert(_ row: EntryRow, _ db: Connection) throws {
        // An agent's record is stored as a value under the agent's id, also after its revocation. The vault's id stands for its owner.
        let used = try db.first("SELECT 1 FROM value WHERE entry = ? LIMIT 1", .blob(row.id.bytes)) { _ in true }
        guard used == nil, row.id.bytes != row.vault.bytes else { throw VaultError.entryExists }
        let inserted = try db.run(
            """
            INSERT INTO entry (id, vault, version, state, created, updated, deleted, depositor, record)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
            """,
            .blob(row.id.bytes), .blob(row.vault.bytes), .integer(row.version), .integer(row.state.rawValue),
            .integer(row.created), .integer(row.updated), .integer(row.deleted), .blob(row.depositor?.bytes),
            .blob(EntryRecord().bytes))
        guard inserted == 1 else { throw VaultError.entryExists }
    }

    static func insert(_ row: StoredCredential, _ db: Connection) throws {
        let inserted = try db.run(
            """
            INSERT INTO credential (id, vault, holder, kind, lookup, box, seal, l2_key, created, expires, challenged)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
            """,
            .blob(row.id.bytes), .blob(row.vault.bytes), .blob(row.holder.bytes), .text(row.kind.rawValue),
            .blob(row.lookup), .blob(row.box), .blob(row.seal), .blob(row.l2Key), .integer(row.created),
            .integer(row.expires), .integer(row.challenged))
        guard inserted == 1 else { throw AuthError.credentialExists }
    }

    /// Adds an item to the account's list, or removes it.
    static func list(
        _ item: OwnerItem, isPresent: Bool, of vault: VaultID, _ check: RecordCheck, _ db: Connection
    ) throws {
        var items = try listedItems(of: vault, check, db)
        guard items.contains(item) != isPresent else { return }
        if isPresent { items.insert(item) } else { items.remove(item) }
        try db.run(
            "UPDATE account SET items = ? WHERE vault = ?", .text(OwnerItem.list(items)), .blob(vault.bytes))
    }

    static func put(_ value: StoredValue, _ db: Connection) throws {
        let place = value.place
        try retire(place.partID, of: place.entry, db)
        try db.run(
            """
            INSERT INTO value (entry, field, part, version, vault, tier, is_current, written, author, k, box)
            VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?)
            """,
            .blob(place.entry.bytes), .blob(place.field.bytes), .part(place.part), .integer(place.version),
            .blob(place.vault.bytes), .integer(Int(place.tier.rawValue)), .integer(value.written),
            .blob(value.author.bytes), .integer(Int64(value.partVersion.key)), .blob(value.box))
    }

    static func replaceTerms(of entry: EntryID, _ vault: VaultID, by terms: [[UInt8]], _ db: Connection) throws {
        // Nearly each term is on a page of its own, so unchanged ones are not rewritten.
        let (gone, new) = try difference(of: terms, from: entry, db)
        for term in gone {
            try db.run(
                "DELETE FROM term WHERE vault = ? AND term = ? AND entry = ?", .blob(vault.bytes), .blob(term),
                .blob(entry.bytes))
        }
        for term in new {
            try db.run(
                "INSERT INTO term (vault, term, entry) VALUES (?, ?, ?)", .blob(vault.bytes), .blob(term),
                .blob(entry.bytes))
        }
    }

    static func retire(_ part: PartID, of entry: EntryID, _ db: Connection) throws {
        try db.run(
            "UPDATE value SET is_current = 0 WHERE entry = ? AND field = ? AND part = ? AND is_current = 1",
            .blob(entry.bytes), .blob(part.field.bytes), .part(part.part))
    }

    static func put(_ wrap: Wrap, _ db: Connection) throws {
        try db.run(
            """
            INSERT INTO wrap (holder, entry, field, part, version, is_sealed, box) VALUES (?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT DO UPDATE SET is_sealed = excluded.is_sealed, box = excluded.box
            """,
            .blob(wrap.holder.bytes), .blob(wrap.place.entry.bytes), .blob(wrap.place.field.bytes),
            .part(wrap.place.part), .integer(wrap.place.version), .integer(wrap.isSealed ? 1 : 0), .blob(wrap.box))
    }

    static func close(_ vault: VaultID, _ db: Connection) throws {
        let id = Value.blob(vault.bytes)
        try db.run("DELETE FROM credential WHERE vault = ?", id)
        try db.run("DELETE FROM item WHERE holder IN (SELECT id FROM holder WHERE vault = ?)", id)
        try db.run("DELETE FROM agent WHERE vault = ?", id)
        // An empty owner marks a closed account. No address has an index of the vault id's length.
        try db.run(
            """
            UPDATE account SET owner = x'', email_index = vault, email = x'', salt = x'', audit_key = x'',
                l2_previous = NULL, items = ''
            WHERE vault = ?
            """, id)
    }
}
