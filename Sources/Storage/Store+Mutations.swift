import Auth
import SQLite
import Vault
import VaultFormat

/// The SQL of each mutation.
extension Store {
    /// `edits`: Collects what the entries' records must say at the job's end.
    static func perform(
        _ mutation: Mutation, _ now: Int64, _ journal: AuditJournal, _ edits: inout EntryEdits, _ db: Connection
    ) throws {
        let check = RecordCheck(reference: .writer(journal))
        switch mutation {
        case .insertAccount(let row):
            journal.open(row.vault)
            try insert(row, db)
        case .switchOwner(let vault, let old, let new):
            let switched = try db.run(
                "UPDATE account SET owner = ? WHERE vault = ? AND owner = ?", .blob(new.bytes), .blob(vault.bytes),
                .blob(old.bytes))
            guard switched == 1 else { throw VaultError.principalGone }
            try deleteCredentials(ofHolder: old, in: vault, check, db)
        case .beginL2Rekey(let vault, let generation, let previous):
            let begun = try db.run(
                """
                UPDATE account SET l2_generation = ?1, l2_previous = ?2
                WHERE vault = ?3 AND l2_generation = ?1 - 1 AND l2_previous IS NULL
                """, .integer(generation), .blob(previous), .blob(vault.bytes))
            guard begun == 1 else { throw VaultError.l2KeyChanged }
        case .finishL2Rekey(let vault):
            try finishL2Rekey(of: vault, check, db)
        case .deleteCredential(let id):
            try db.run("DELETE FROM credential WHERE id = ?", .blob(id.bytes))
        case .keepCredential(let credential):
            let kept = try db.run(
                "UPDATE credential SET holder = ?, box = ? WHERE id = ? AND vault = ?",
                .blob(credential.holder.bytes), .blob(credential.box), .blob(credential.id.bytes),
                .blob(credential.vault.bytes))
            guard kept == 1 else { throw VaultError.principalGone }
        case .boxCredential(let id, let old, let new):
            try db.run(
                "UPDATE credential SET box = ? WHERE id = ? AND box = ?", .blob(new), .blob(id.bytes), .blob(old))
        case .acceptChallenge(let id, let time):
            let accepted = try db.run(
                "UPDATE credential SET challenged = ?1 WHERE id = ?2 AND COALESCE(challenged, -1) < ?1",
                .integer(time), .blob(id.bytes))
            guard accepted == 1 else { throw AuthError.badCredentials }
        case .dropPasskeyL2Keys(let vault):
            try check.complete(.credential, of: vault, db)
            try db.run(
                "UPDATE credential SET l2_key = NULL WHERE vault = ? AND kind = 'passkey'", .blob(vault.bytes))
        case .deleteCredentials(let kind, let vault):
            try check.complete(.credential, of: vault, db)
            try db.run(
                "DELETE FROM credential WHERE vault = ? AND kind = ?", .blob(vault.bytes), .text(kind.rawValue))
        case .deleteSessions(let vault, let kept):
            try check.complete(.credential, of: vault, db)
            try db.run(
                "DELETE FROM credential WHERE vault = ? AND kind = 'session' AND id <> ?", .blob(vault.bytes),
                .blob(kept.bytes))
        case .touch(let id, let time):
            // The session may have ended meanwhile.
            try db.run(
                """
                INSERT INTO last_use (credential, at) SELECT id, ? FROM credential WHERE id = ?
                ON CONFLICT DO UPDATE SET at = excluded.at
                """, .integer(time), .blob(id.bytes))
        case .redeemInvite(let payload):
            let redeemed = try db.run(
                "INSERT INTO spent_invite (payload, spent) VALUES (?, ?) ON CONFLICT DO NOTHING", .blob(payload),
                .integer(now))
            guard redeemed == 1 else { throw AuthError.inviteNeeded }
        case .putAbuse(let row):
            try db.run(
                """
                INSERT INTO abuse (key, level, at, forgiven) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE
                SET level = excluded.level, at = excluded.at, forgiven = excluded.forgiven
                """,
                .blob(row.key), .integer(row.level), .integer(row.at), .integer(row.expires))
        case .closeAccount(let vault):
            journal.close(vault)
            try close(vault, db)
        case .expectPrincipal(let id, let holder, let vault, let session, let policy):
            guard try holds(id, holder, in: vault, session: session, policy: policy, check, db) else {
                throw VaultError.principalGone
            }
        case .expectReader(let agent, let entry, let field, let vault, let record):
            if try check.isPresent(record, .blob(entry.bytes), in: .entry, of: vault, db) { break }
            let part = try recordedEntry(entry, in: vault, check, db)?.record.part(PartID(field))
            guard part?.readers.contains(agent) == true else { throw VaultError.noSuchField }
        case .expectEntry(let id, let vault, let version, let state):
            let found = try recordedEntry(id, in: vault, check, db)?.row
            guard let found, found.state == state else { throw VaultError.noSuchEntry }
            guard found.version == version else { throw VaultError.changedSince(version: found.version) }
        case .insertEntry(let row):
            edits.insert(row.id, in: row.vault)
            try insert(row, db)
        case .updateEntry(let row):
            try db.run(
                """
                UPDATE entry SET version = ?, state = ?, updated = ?, deleted = ?, depositor = ? WHERE id = ?
                """,
                .integer(row.version), .integer(row.state.rawValue), .integer(row.updated), .integer(row.deleted),
                .blob(row.depositor?.bytes), .blob(row.id.bytes))
        case .deleteEntry(let id):
            edits.delete(id)
            try db.run("DELETE FROM value WHERE entry = ?", .blob(id.bytes))
            try db.run("DELETE FROM l2_entry WHERE entry = ?", .blob(id.bytes))
            try db.run("DELETE FROM entry WHERE id = ?", .blob(id.bytes))
        case .putValue(let value):
            try edits.put(value, db)
            try put(value, db)
        case .replaceEnvelope(let place, let box):
            let key = try Box.keyID(of: box)
            try edits.rekey(place, key: key, db)
            let replaced = try db.run(
                "UPDATE value SET box = ?, k = ? WHERE entry = ? AND field = ? AND part = 0 AND version = ? AND tier = 2",
                .blob(box), .integer(Int64(key)), .blob(place.entry.bytes), .blob(place.field.bytes),
                .integer(place.version))
            guard replaced == 1 else { throw VaultError.noSuchVersion }
        case .putL2Entry(let row):
            try db.run(
                """
                INSERT INTO l2_entry (entry, vault, k, g, box) VALUES (?, ?, ?, ?, ?)
                ON CONFLICT (entry) DO UPDATE SET k = excluded.k, g = excluded.g, box = excluded.box
                """,
                .blob(row.entry.bytes), .blob(row.vault.bytes), .integer(Int64(row.number)), .integer(row.generation),
                .blob(row.box))
        case .removePart(let entry, let part, let vault):
            try edits.remove(part, of: entry, in: vault, db)
            try retire(part, of: entry, db)
        case .putWrap(let wrap):
            try edits.addWrap(wrap, db)
            try put(wrap, db)
        case .renewWrap(let wrap):
            let place = wrap.place
            try db.run(
                """
                INSERT INTO wrap (holder, entry, field, part, version, is_sealed, box)
                SELECT ?, ?, ?, ?, ?, ?, ? WHERE EXISTS (
                    SELECT 1 FROM value WHERE entry = ?2 AND field = ?3 AND part = ?4 AND version = ?5)
                """,
                .blob(wrap.holder.bytes), .blob(place.entry.bytes), .blob(place.field.bytes),
                .part(place.part), .integer(place.version), .integer(wrap.isSealed ? 1 : 0), .blob(wrap.box))
        case .upgradeWrap(let wrap):
            // An update, never an insert, so that a wrap that was revoked meanwhile does not reappear.
            try db.run(
                """
                UPDATE wrap SET is_sealed = 0, box = ?
                WHERE holder = ? AND entry = ? AND field = ? AND part = ? AND version = ? AND is_sealed = 1
                """,
                .blob(wrap.box), .blob(wrap.holder.bytes), .blob(wrap.place.entry.bytes),
                .blob(wrap.place.field.bytes), .part(wrap.place.part), .integer(wrap.place.version))
        case .dropWrap(let entry, let part, let agent, let vault):
            try edits.endReading(of: part, in: entry, by: agent, in: vault, db)
            try db.run(
                """
                DELETE FROM wrap WHERE holder = (SELECT holder FROM agent WHERE id = ?) AND entry = ? AND field = ?
                    AND part = ?
                """, .blob(agent.bytes), .blob(entry.bytes), .blob(part.field.bytes), .part(part.part))
        case .dropAgentWraps(let entry, let part?, let owner, let vault):
            try edits.endReading(of: part, in: entry, by: nil, in: vault, db)
            try db.run(
                "DELETE FROM wrap WHERE entry = ? AND field = ? AND part = ? AND holder <> ?", .blob(entry.bytes),
                .blob(part.field.bytes), .part(part.part), .blob(owner.bytes))
        case .dropAgentWraps(let entry, nil, let owner, let vault):
            try edits.endReading(of: nil, in: entry, by: nil, in: vault, db)
            try db.run(
                "DELETE FROM wrap WHERE entry = ? AND holder <> ?", .blob(entry.bytes), .blob(owner.bytes))
        case .replaceTerms(let entry, let vault, let terms):
            try edits.replaceTerms(of: entry, in: vault, by: terms, db)
            try replaceTerms(of: entry, vault, by: terms, db)
        case .putItem(let item, let holder, let vault, let box):
            try db.run(
                """
                INSERT INTO item (id, vault, holder, name, box) VALUES (?, ?, ?, ?, ?)
                ON CONFLICT (id) DO UPDATE SET box = excluded.box
                """,
                .blob(item.key(of: holder)), .blob(vault.bytes), .blob(holder.bytes), .text(item.name), .blob(box))
            try list(item, isPresent: true, of: vault, check, db)
        case .dropItem(let item, let holder, let vault):
            try db.run("DELETE FROM item WHERE id = ?", .blob(item.key(of: holder)))
            try list(item, isPresent: false, of: vault, check, db)
        case .insertHolder(let row):
            try db.run(
                "INSERT INTO holder (id, vault, public_key) VALUES (?, ?, ?)", .blob(row.id.bytes),
                .blob(row.vault.bytes), .blob(row.publicKey))
        case .deleteValues(let places):
            for place in places {
                try edits.deleteOlder(place, db)
                try db.run(
                    "DELETE FROM value WHERE entry = ? AND field = ? AND part = ? AND version = ? AND is_current = 0",
                    .blob(place.entry.bytes), .blob(place.field.bytes), .part(place.part), .integer(place.version))
            }
        case .insertCredential(let credential):
            try insert(credential, db)
        case .insertAgent(let agent):
            try db.run(
                """
                INSERT INTO agent (id, holder, vault, state, policy, record_version, uses, created)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """,
                .blob(agent.id.bytes), .blob(agent.holder.bytes), .blob(agent.vault.bytes),
                .integer(agent.state.rawValue),
                .blob(agent.policy), .integer(agent.recordVersion), .integer(agent.uses), .integer(agent.created))
        case .updateAgent(let agent):
            try db.run(
                "UPDATE agent SET state = ?, policy = ?, record_version = ? WHERE id = ?",
                .integer(agent.state.rawValue), .blob(agent.policy), .integer(agent.recordVersion),
                .blob(agent.id.bytes))
        case .setAgentState(let id, let vault, let state):
            let changed = try db.run(
                "UPDATE agent SET state = ? WHERE id = ? AND vault = ?", .integer(state.rawValue),
                .blob(id.bytes), .blob(vault.bytes))
            guard changed == 1 else { throw VaultError.noSuchAgent }
        case .switchAgent(let id, let vault, let old, let new):
            let switched = try db.run(
                "UPDATE agent SET holder = ? WHERE id = ? AND vault = ? AND holder = ?", .blob(new.bytes),
                .blob(id.bytes), .blob(vault.bytes), .blob(old.bytes))
            guard switched == 1 else { throw VaultError.noSuchAgent }
            try deleteCredentials(ofHolder: old, in: vault, check, db)
        case .deleteAgent(let id, let vault, let name):
            let holder: HolderID? = try db.first(
                "SELECT holder FROM agent WHERE id = ? AND vault = ?", .blob(id.bytes), .blob(vault.bytes)
            ) { try Self.id($0.blob(0)) }
            guard let holder else { throw VaultError.noSuchAgent }
            try deleteCredentials(ofHolder: holder, in: vault, check, db)
            try db.run("DELETE FROM agent WHERE id = ?", .blob(id.bytes))
            try db.run("DELETE FROM value WHERE entry = ?", .blob(id.bytes))
            if let name {
                try put(name.value, db)
                try put(name.wrap, db)
            }
        case .countBytes(let agent, let bytes, let day, let maximum):
            let counted = try db.run(
                """
                UPDATE agent SET quota_bytes = iif(quota_day = ?1, quota_bytes, 0) + ?2, quota_day = ?1
                WHERE id = ?3 AND iif(quota_day = ?1, quota_bytes, 0) + ?2 <= ?4
                """, .integer(day), .integer(bytes), .blob(agent.bytes), .integer(maximum))
            guard counted == 1 else { throw VaultError.quotaExceeded(.agentBytesPerDay, maximum) }
        case .expectDepositRoom(let depositor, let vault, let maximum):
            let waiting =
                try db.first(
                    "SELECT COUNT(*) FROM entry WHERE vault = ? AND state = 2 AND depositor = ?", .blob(vault.bytes),
                    .blob(depositor.bytes)
                ) { $0.int(0) } ?? 0
            guard waiting < maximum else { throw VaultError.quotaExceeded(.agentDeposits, maximum) }
        case .stayWithin, .narrows:
            // `commit` checks the quotas after all mutations; `narrows` affects the admission.
            break
        case .countUse(let agent, let maximum):
            let counted = try db.run(
                "UPDATE agent SET uses = uses + 1 WHERE id = ? AND uses < ?", .blob(agent.bytes),
                .integer(maximum))
            guard counted == 1 else { throw VaultError.usesExhausted }
        case .recordIdempotency(let answer):
            let recorded = try db.run(
                "INSERT INTO answer (holder, key, box, created) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                .blob(answer.holder.bytes), .blob(answer.key), .blob(answer.box), .integer(answer.created))
            guard recorded == 1 else { throw VaultError.idempotencyKeyUsed }
            // Keeps the principal's newest records, which bounds their space.
            try db.run(
                """
                DELETE FROM answer WHERE holder = ?1 AND key IN (
                    SELECT key FROM answer WHERE holder = ?1 ORDER BY created DESC, key LIMIT -1 OFFSET 200)
                """, .blob(answer.holder.bytes))
        }
    }
}
