import SQLite
import Vault
import VaultFormat

/// The state of all vaults as the file has it, which counts once the head's code covers its sum.
struct StoredState: Sendable {
    let vaults: [VaultID: NodeState.Vault]
    let node: NodeState
    /// The digest of `node`, which the head's code covers.
    let sum: StateDigest

    init(_ vaults: [VaultID: NodeState.Vault]) {
        var node = NodeState()
        for (vault, state) in vaults { node.set(vault, to: state) }
        sum = node.digest()
        self.vaults = vaults
        self.node = node
    }

    init(_ db: Connection) throws {
        let rows = try db.all("SELECT vault, change, digest FROM vault_state") { row in
            (try Store.id(row.blob("vault")) as VaultID, try Self.state(row))
        }
        self.init(Dictionary(rows) { first, _ in first })
    }

    static func state(_ row: Row) throws -> NodeState.Vault {
        guard let digest = StateDigest(try row.blob("digest")) else {
            throw VaultError.damaged("a state that is none")
        }
        return NodeState.Vault(change: try row.integer("change"), digest: digest)
    }

    static func put(_ state: NodeState.Vault?, of vault: VaultID, _ db: Connection) throws {
        guard let state else {
            try db.run("DELETE FROM vault_state WHERE vault = ?", .blob(vault.bytes))
            return
        }
        try db.run(
            """
            INSERT INTO vault_state (vault, change, digest) VALUES (?, ?, ?)
            ON CONFLICT DO UPDATE SET change = excluded.change, digest = excluded.digest
            """, .blob(vault.bytes), .integer(state.change), .blob(state.digest.bytes))
    }
}
