package import Crypto
import Encoding
package import SQLite
import Synchronization
package import Vault
import VaultFormat

/// Appends audit lines to the chain within the writer's transactions, and authenticates the head once per commit.
package final class AuditJournal: BatchObserver {
    private let key: SymmetricKey
    private let onFault: @Sendable (any Error) -> Void
    private let state: Mutex<State>

    private struct State {
        var committed: AuditHead
        var current: AuditChain
        var mark: AuditChain
        /// `PRAGMA data_version` of the writer's connection when the head was last read.
        var dataVersion: Int?
        /// Whether the code over the verified schema was written, which the first commit does.
        var isSchemaSealed = false
    }

    package init(key: SymmetricKey, onFault: @escaping @Sendable (any Error) -> Void) {
        self.key = key
        self.onFault = onFault
        state = Mutex(
            State(committed: AuditHead(epoch: 0, chain: .start), current: .start, mark: .start, dataVersion: nil))
    }

    /// The last committed head, as reported in heartbeats.
    package var head: AuditHead { state.withLock { $0.committed } }

    /// Checks the schema, reads the head and checks its code.
    ///
    /// - Throws: `VaultError.damaged` when the head is missing, or schema or head fail authentication.
    package func load(from database: Database) throws {
        let head = try database.lookUp { db in
            let differences = try Schema.differences(db, key: key)
            guard differences.isEmpty else { throw VaultError.damaged(differences.joined(separator: "; ")) }
            return try Self.readHead(db, key: key)
        }
        state.withLock { $0 = State(committed: head, current: head.chain, mark: head.chain, dataVersion: nil) }
    }

    static func readHead(_ database: Connection, key: SymmetricKey) throws -> AuditHead {
        let row = try database.first("SELECT epoch, sequence, hash, code FROM audit_head WHERE id = 1") { row in
            let chain = AuditChain(sequence: try row.integer("sequence"), hash: try row.blob("hash"))
            return (AuditHead(epoch: try row.integer("epoch"), chain: chain), try row.blob("code"))
        }
        guard let (head, code) = row else { throw VaultError.damaged("the audit log has no head") }
        guard constantTimeEqual(head.code(key: key), code) else {
            throw VaultError.damaged("the audit log's head fails authentication: corruption or tampering")
        }
        return head
    }

    /// Writes the head with its authentication code.
    static func writeHead(_ head: AuditHead, key: SymmetricKey, _ database: Connection) throws {
        try database.run(
            """
            INSERT INTO audit_head (id, epoch, sequence, hash, code) VALUES (1, ?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch, sequence = excluded.sequence,
                hash = excluded.hash, code = excluded.code
            """,
            .integer(head.epoch), .integer(head.chain.sequence), .blob(head.chain.hash), .blob(head.code(key: key)))
    }

    /// Appends lines within the open transaction, on the writer's thread.
    func append(_ lines: [SealedAuditLine], _ database: Connection) throws {
        try state.withLock { state in
            for line in lines {
                state.current.append(line)
                try database.run(
                    "INSERT INTO audit (sequence, time, vault, body, hash) VALUES (?, ?, ?, ?, ?)",
                    .integer(state.current.sequence), .integer(line.time), .blob(line.vault?.bytes),
                    .blob(line.body), .blob(state.current.hash))
            }
        }
    }

    /// Reads the head again and compares the schema if another process has written to the file: for example `clavitor-node backup`,
    /// which appends lines, or an attacker.
    ///
    /// - Throws: `ForeignWrite`.
    package func batchDidBegin(_ database: Connection) throws {
        let version = try database.dataVersion
        guard state.withLock({ $0.dataVersion != version }) else { return }
        if let finding = try Schema.differences(database, key: key).first { throw ForeignWrite(finding: finding) }
        let head: AuditHead
        do {
            head = try Self.readHead(database, key: key)
        } catch VaultError.damaged(let finding) {
            throw ForeignWrite(finding: finding)
        }
        state.withLock {
            $0 = State(committed: head, current: head.chain, mark: head.chain, dataVersion: version)
        }
    }

    package func jobWillRun() { state.withLock { $0.mark = $0.current } }
    package func jobDidFail() { state.withLock { $0.current = $0.mark } }

    package func batchWillCommit(_ database: Connection) throws {
        let head = state.withLock { state in
            state.current == state.committed.chain
                ? nil : AuditHead(epoch: state.committed.epoch, chain: state.current)
        }
        if let head { try Self.writeHead(head, key: key, database) }
        if !state.withLock(\.isSchemaSealed) { try Schema.seal(database, key: key) }
    }

    package func batchDidCommit() {
        state.withLock { state in
            state.committed.chain = state.current
            state.isSchemaSealed = true
        }
    }

    /// Reports an error that may be a disk fault.
    func report(_ error: any Error) { onFault(error) }

    package func batchDidFail(_ error: any Error) {
        state.withLock { $0.current = $0.committed.chain }
        onFault(error)
    }
}

/// Another program modified schema or head while the node ran, so that nothing may be committed.
struct ForeignWrite: Error, CustomStringConvertible {
    let finding: String

    var description: String { "another program wrote to the file: \(finding)" }
}
