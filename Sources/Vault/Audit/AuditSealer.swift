package import Crypto
import FoundationEssentials
import Synchronization
package import VaultFormat

/// Encrypts audit bodies under their vault's key, so that deleting an account shreds them while the chain still holds.
package final class AuditSealer: Sendable {
    private let keys: NodeKeys
    private let storedKey: @Sendable (VaultID) throws -> [UInt8]?
    private let now: @Sendable () -> Int64
    private let known = Mutex<[VaultID: SymmetricKey]>([:])
    /// Some 100 bytes each.
    private static let mostKnown = 4_096

    /// `storedKey`: The box of a vault's audit key; nil for a vault that is gone.
    package init(
        keys: NodeKeys,
        now: @escaping @Sendable () -> Int64,
        storedKey: @escaping @Sendable (VaultID) throws -> [UInt8]?
    ) {
        self.keys = keys
        self.now = now
        self.storedKey = storedKey
    }

    /// Seals an event of a vault, or of the node itself when `vault` is nil.
    package func seal(_ event: AuditEvent, vault: VaultID?) throws -> SealedAuditLine {
        let text = event.compactJSON()
        guard text.count <= Box.largestPlaintext else {
            throw VaultError.invalid("request", "touches too much for one line of the audit log; do it in parts")
        }
        let body = Box.seal(text, key: try key(of: vault), context: Self.context(vault))
        return SealedAuditLine(time: now(), vault: vault, body: body)
    }

    /// Opens a body. Nil for a vault that was deleted: its lines are shredded.
    package func open(_ line: SealedAuditLine) throws -> AuditEvent? {
        let key: SymmetricKey
        do {
            key = try self.key(of: line.vault)
        } catch VaultError.noSuchEntry {
            return nil
        }
        return try AuditEvent(jsonBytes: try Box.open(line.body, key: key, context: Self.context(line.vault)))
    }

    /// Seals with a key that no row holds yet: the first line of a new vault.
    package func seal(_ event: AuditEvent, vault: VaultID, key: SymmetricKey) throws -> SealedAuditLine {
        SealedAuditLine(
            time: now(), vault: vault,
            body: Box.seal(event.compactJSON(), key: key, context: Self.context(vault)))
    }

    package func forget(_ vault: VaultID) {
        known.withLock { _ = $0.removeValue(forKey: vault) }
    }

    private func key(of vault: VaultID?) throws -> SymmetricKey {
        guard let vault else { return keys.nodeAuditKey }
        if let key = known.withLock({ $0[vault] }) { return key }
        guard let stored = try storedKey(vault) else { throw VaultError.noSuchEntry }
        let key = SymmetricKey(data: try keys.openNodeTier(stored, .auditKey, vault: vault, id: vault.bytes))
        known.withLock { known in
            if known.count >= Self.mostKnown { known.removeAll() }
            known[vault] = key
        }
        return key
    }

    private static func context(_ vault: VaultID?) -> Context {
        Context("audit", vault?.bytes ?? [UInt8](repeating: 0, count: 16))
    }
}
