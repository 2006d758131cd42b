import Auth
import Encoding
import SQLite
import VaultFormat

/// The columns that have secret boxes under a root key.
enum RootBoxTable: CaseIterable {
    case node, email, auditKey, publicKey, policy, credential, credentialL2Key, credentialSeal, sealedWrap

    /// Rows whose secret box has another key id, which is its bytes 3 to 6.
    func stale(_ db: Connection, _ key: [UInt8], _ limit: Int) throws -> [(RootBox, [UInt8])] {
        let bindings: (Value, Value) = (.blob(key), .integer(limit))
        switch self {
        case .node:
            return try db.all(
                "SELECT node_key FROM node WHERE substr(node_key, 3, 4) IS NOT ? LIMIT ?", bindings.0, bindings.1
            ) { (.nodeKey, $0.blob(0)) }
        case .email:
            return try db.all(
                "SELECT vault, email FROM account WHERE owner <> x'' AND substr(email, 3, 4) IS NOT ? LIMIT ?",
                bindings.0, bindings.1
            ) { (.email(try Store.id($0.blob("vault"))), try $0.blob("email")) }
        case .auditKey:
            return try db.all(
                "SELECT vault, audit_key FROM account WHERE owner <> x'' AND substr(audit_key, 3, 4) IS NOT ? LIMIT ?",
                bindings.0,
                bindings.1
            ) { (.auditKey(try Store.id($0.blob("vault"))), try $0.blob("audit_key")) }
        case .publicKey:
            return try db.all(
                "SELECT vault, id, public_key FROM holder WHERE substr(public_key, 3, 4) IS NOT ? LIMIT ?", bindings.0,
                bindings.1
            ) { row in
                (
                    .publicKey(try Store.id(row.blob("vault")), try Store.id(row.blob("id"))),
                    try row.blob("public_key")
                )
            }
        case .policy:
            return try db.all(
                "SELECT vault, id, policy FROM agent WHERE substr(policy, 3, 4) IS NOT ? LIMIT ?", bindings.0,
                bindings.1
            ) { row in
                (.policy(try Store.id(row.blob("vault")), try Store.id(row.blob("id"))), try row.blob("policy"))
            }
        case .credential:
            return try db.all(
                """
                SELECT *, NULL AS last_used FROM credential WHERE substr(box, 3, 4) IS NOT ? LIMIT ?
                """, bindings.0, bindings.1
            ) { (.credential(try Store.credential($0)), try $0.blob("box")) }
        case .credentialL2Key:
            return try db.all(
                """
                SELECT *, NULL AS last_used FROM credential WHERE l2_key IS NOT NULL AND substr(l2_key, 3, 4) IS NOT ? LIMIT ?
                """, bindings.0, bindings.1
            ) { (.credentialL2Key(try Store.credential($0)), try $0.blob("l2_key")) }
        case .credentialSeal:
            return try db.all(
                """
                SELECT *, NULL AS last_used FROM credential WHERE seal IS NOT NULL AND substr(seal, 3, 4) IS NOT ? LIMIT ?
                """, bindings.0, bindings.1
            ) { (.credentialSeal(try Store.credential($0)), try $0.blob("seal")) }
        case .sealedWrap:
            return try Self.sealedWraps(db, key, after: nil, limit: limit)
        }
    }

    /// The same for sealed wraps after a place, in the order of the primary key.
    static func sealedWraps(
        _ db: Connection, _ key: [UInt8], after last: (HolderID, FieldPlace)?, limit: Int
    ) throws -> [(RootBox, [UInt8])] {
        let (holder, place) = (last?.0.bytes ?? [], last?.1)
        return try db.all(
            """
            SELECT v.entry, v.field, v.part, v.version, v.vault, v.tier, w.holder, w.box FROM wrap w
            JOIN value v ON v.entry = w.entry AND v.field = w.field AND v.part = w.part AND v.version = w.version
            WHERE w.is_sealed = 1 AND substr(w.box, 3, 4) IS NOT ?
                AND (w.holder, w.entry, w.field, w.part, w.version) > (?, ?, ?, ?, ?)
            ORDER BY w.holder, w.entry, w.field, w.part, w.version LIMIT ?
            """, .blob(key), .blob(holder), .blob(place?.entry.bytes ?? []), .blob(place?.field.bytes ?? []),
            .part(place?.part ?? .value), .integer(place?.version ?? 0), .integer(limit)
        ) { (.sealedWrap(try Store.place($0), try Store.id($0.blob("holder"))), try $0.blob("box")) }
    }

    static func put(_ box: [UInt8], _ item: RootBox, _ db: Connection) throws {
        switch item {
        case .nodeKey:
            try db.run("UPDATE node SET node_key = ?", .blob(box))
        case .email(let vault):
            try db.run("UPDATE account SET email = ? WHERE vault = ?", .blob(box), .blob(vault.bytes))
        case .auditKey(let vault):
            try db.run("UPDATE account SET audit_key = ? WHERE vault = ?", .blob(box), .blob(vault.bytes))
        case .publicKey(_, let holder):
            try db.run("UPDATE holder SET public_key = ? WHERE id = ?", .blob(box), .blob(holder.bytes))
        case .policy(_, let agent):
            try db.run("UPDATE agent SET policy = ? WHERE id = ?", .blob(box), .blob(agent.bytes))
        case .credential(let credential):
            try db.run("UPDATE credential SET box = ? WHERE id = ?", .blob(box), .blob(credential.id.bytes))
        case .credentialL2Key(let credential):
            try db.run("UPDATE credential SET l2_key = ? WHERE id = ?", .blob(box), .blob(credential.id.bytes))
        case .credentialSeal(let credential):
            try db.run("UPDATE credential SET seal = ? WHERE id = ?", .blob(box), .blob(credential.id.bytes))
        case .sealedWrap(let place, let holder):
            try db.run(
                "UPDATE wrap SET box = ? WHERE holder = ? AND entry = ? AND field = ? AND part = ? AND version = ?",
                .blob(box), .blob(holder.bytes), .blob(place.entry.bytes), .blob(place.field.bytes), .part(place.part),
                .integer(place.version))
        }
    }
}

extension RootBox {
    var wrapPlace: (HolderID, FieldPlace)? {
        if case .sealedWrap(let place, let holder) = self { (holder, place) } else { nil }
    }
}
