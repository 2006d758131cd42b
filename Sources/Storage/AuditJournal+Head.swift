import Crypto
import Encoding
import SQLite
import Vault
import VaultFormat

/// The head of the audit log in the file.
extension AuditJournal {
    static func readHead(_ database: Connection, key: SymmetricKey, _ sum: StateDigest) throws -> AuditHead {
        let row = try database.first("SELECT epoch, sequence, hash, code FROM audit_head WHERE id = 1") { row in
            let chain = AuditChain(sequence: try row.integer("sequence"), hash: try row.blob("hash"))
            return (AuditHead(epoch: try row.integer("epoch"), chain: chain), try row.blob("code"))
        }
        guard let (head, code) = row else { throw VaultError.damaged("the audit log has no head") }
        guard constantTimeEqual(head.code(key: key, sum), code) else {
            throw VaultError.damaged("the audit log's head fails authentication: corruption or tampering")
        }
        return head
    }

    /// Writes the head with its authentication code.
    static func writeHead(_ head: AuditHead, key: SymmetricKey, _ sum: StateDigest, _ database: Connection) throws {
        try database.run(
            """
            INSERT INTO audit_head (id, epoch, sequence, hash, code) VALUES (1, ?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch, sequence = excluded.sequence,
                hash = excluded.hash, code = excluded.code
            """,
            .integer(head.epoch), .integer(head.chain.sequence), .blob(head.chain.hash), .blob(head.code(key: key, sum))
        )
    }
}

/// Another program modified schema or head while the node ran, so that nothing may be committed.
struct ForeignWrite: Error, CustomStringConvertible {
    let finding: String

    var description: String { "another program wrote to the file: \(finding)" }
}

/// A job changed records of a vault and did not write a line for it: a fault of the program.
struct ChangeWithoutLine: Error {
    let vault: VaultID
}
