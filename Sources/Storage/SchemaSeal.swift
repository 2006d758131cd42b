package import Crypto
import Encoding
package import SQLite

/// Verification of a file's schema: a planted trigger could undo a revocation as it is written.
///
/// The schema must equal the result of the program's migrations. After a rollback it may be a newer program's, which is accepted
/// with a valid authentication code; an attacker with only the file cannot compute one.
extension Schema {
    /// Differences between the schema and the migrations' result; empty for a schema with a valid code.
    static func differences(_ db: Connection, key: SymmetricKey) throws -> [String] {
        let present = try objects(db)
        if try isSealed(present, key, db) { return [] }
        let fresh = try Connection(path: ":memory:", access: .readWrite)
        try Migration.apply(migrations, to: fresh)
        let wanted = try objects(fresh)
        return present.keys.filter { present[$0] != wanted[$0] }.sorted().map {
            "the schema holds something that this program did not put there: \($0)"
        } + wanted.keys.filter { present[$0] == nil }.sorted().map { "the schema lacks \($0)" }
    }

    /// Writes the authentication code of a verified schema.
    package static func seal(_ db: Connection, key: SymmetricKey) throws {
        let present = try objects(db)
        guard try !isSealed(present, key, db) else { return }
        try db.run(
            "INSERT INTO schema_seal (id, code) VALUES (1, ?) ON CONFLICT DO UPDATE SET code = excluded.code",
            .blob(code(present, key)))
    }

    private static func isSealed(_ objects: [String: String], _ key: SymmetricKey, _ db: Connection) throws -> Bool {
        // An older schema lacks the table.
        guard objects["table schema_seal"] != nil else { return false }
        let stored = try db.first("SELECT code FROM schema_seal WHERE id = 1") { $0.blob(0) }
        return stored.map { constantTimeEqual($0, code(objects, key)) } ?? false
    }

    private static func code(_ objects: [String: String], _ key: SymmetricKey) -> [UInt8] {
        var message = Array("clav2/schema".utf8)
        for (name, text) in objects.sorted(by: { $0.key < $1.key }) {
            for part in [name, text] { message += UInt64(part.utf8.count).bigEndianBytes + Array(part.utf8) }
        }
        return Array(HMAC<SHA256>.authenticationCode(for: message, using: key))
    }

    /// Tables, indexes, triggers and views with their SQL, except for the objects that SQLite creates automatically.
    private static func objects(_ db: Connection) throws -> [String: String] {
        let rows = try db.all(
            """
            SELECT type, name, COALESCE(sql, '') AS definition FROM sqlite_schema
            WHERE NOT (type = 'index' AND sql IS NULL AND name GLOB 'sqlite_autoindex_*')
                AND COALESCE(sql, '') <> 'CREATE TABLE sqlite_sequence(name,seq)'
            """
        ) { row in ("\(try row.text("type")) \(try row.text("name"))", try row.text("definition")) }
        return Dictionary(rows) { first, second in first + second }
    }
}
