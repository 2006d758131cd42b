import SQLite
import Vault
import VaultFormat

/// Reading of records. A row that differs from memory may be damage, or a reader's snapshot may be older or newer than memory: then
/// it is read again while nothing commits, and that result counts.
extension Store {
    /// Reads a few rows by key on the current thread.
    func lookUp<R>(_ body: (Connection, RecordCheck) throws -> R) throws -> R {
        let check = RecordCheck(reference: .memory(journal.memory))
        do {
            return try database.lookUp { try body($0, check) }
        } catch is RecordMismatch {
            return try verdict { try database.lookUp { try body($0, check) } }
        }
    }

    /// Reads on a reader's thread, over one snapshot.
    func read<R: Sendable>(
        lasting length: Database.Length = .short, _ body: @escaping @Sendable (Connection, RecordCheck) throws -> R
    ) async throws -> R {
        let memory = journal.memory
        do {
            return try await database.read(lasting: length) {
                try body($0, RecordCheck(reference: .memory(memory)))
            }
        } catch is RecordMismatch {
            return try await database.read(lasting: length) { db in
                // The snapshot begins with the first statement.
                try self.verdict { try body(db, RecordCheck(reference: .memory(memory))) }
            }
        }
    }

    /// Runs `body` while nothing commits. What does not match then is damage.
    private func verdict<R>(_ body: () throws -> R) throws -> R {
        do {
            return try journal.memory.withoutCommits(body)
        } catch let mismatch as RecordMismatch {
            throw journal.memory.noteDamage(mismatch)
        }
    }
}
