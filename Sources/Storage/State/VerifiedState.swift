import Crypto
import SQLite
import Vault
import VaultFormat

/// The head of the audit log with the states of all vaults that its code covers.
struct VerifiedState {
    let head: AuditHead
    let states: StoredState
    /// The states that the file has.
    let stored: StoredState
    /// Vaults whose stored state is not the one that counts.
    let damaged: [VaultID: String]

    /// Reads head and states. When the code does not cover the states that the file has, each vault's last state is taken from the
    /// log.
    ///
    /// - Throws: `VaultError.damaged` when the log's states do not give the code either, so that nothing in the file can be trusted.
    init(_ db: Connection, key: SymmetricKey) throws {
        stored = try StoredState(db)
        do {
            head = try AuditJournal.readHead(db, key: key, stored.sum)
            (states, damaged) = (stored, [:])
        } catch VaultError.damaged(let finding) {
            var check = try ChainCheck(db)
            let isWhole = try check.advance(db, lines: .max)
            let logged = StoredState(check.states(with: stored))
            guard isWhole, let head = try? AuditJournal.readHead(db, key: key, logged.sum),
                check.findings(upTo: head).isEmpty
            else { throw VaultError.damaged(finding) }
            self.head = head
            states = logged
            damaged = check.differences(from: stored)
        }
    }
}

extension ChainCheck {
    /// The last states in the log. The node's own first state is in no line, because the file was made with it.
    func states(with stored: StoredState) -> [VaultID: NodeState.Vault] {
        guard states[.node] == nil, let first = stored.vaults[.node], first.change == 1 else { return states }
        return states.merging([.node: first]) { logged, _ in logged }
    }

    /// Vaults whose stored state is not the last one in the log, which must have been read from its first line.
    func differences(from stored: StoredState) -> [VaultID: String] {
        let logged = states(with: stored)
        return Set(logged.keys).union(stored.vaults.keys).reduce(into: [:]) { differences, vault in
            guard logged[vault] != stored.vaults[vault] else { return }
            differences[vault] = "its state is not the last one of the audit log"
        }
    }
}
