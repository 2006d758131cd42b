package import Crypto
import FoundationEssentials
import Synchronization
package import VaultFormat

/// Encrypts audit bodies under their vault's key: deleting an account makes them unreadable and leaves the chain verifiable.
package final class AuditSealer: Sendable {
    private let keys: NodeKeys
    private let storedKey: @Sendable (VaultID) throws -> [UInt8]?
    private let now: @Sendable () -> Int64
    private let known = Mutex<[VaultID: SymmetricKey]>([:])
    /// About 100 bytes each.
    private static let mostKnown = 4_096

    /// `storedKey`: Reads a vault's encrypted audit key; nil for a deleted vault.
    package init(
        keys: NodeKeys,
        now: @escaping @Sendable () -> Int64,
        storedKey: @escaping @Sendable (VaultID) throws -> [UInt8]?
    ) {
        self.keys = keys
        self.now = now
        self.storedKey = storedKey
    }

    /// Encrypts an event of a vault, or of the node itself when `vault` is nil.
    package func seal(_ event: AuditEvent, vault: VaultID?) throws -> SealedAuditLine {
        let text = event.compactJSON()
        guard text.count <= Box.largestPlaintext else {
            throw VaultError.invalid(
                "request", "must fit into one line of the audit log; split it into several requests")
        }
        let body = Box.seal(text, key: try key(of: vault), context: Self.context(vault))
        return SealedAuditLine(time: now(), vault: vault, body: body)
    }

    /// Decrypts a body. Nil when the vault and its audit key were deleted.
    package func open(_ line: SealedAuditLine) throws -> AuditEvent? {
        let key: SymmetricKey
        do {
            key = try self.key(of: line.vault)
        } catch VaultError.noSuchEntry {
            return nil
        }
        return try AuditEvent(jsonBytes: try Box.open(line.body, key: key, context: Self.context(line.vault)))
    }

    /// Encrypts with a key that is not stored yet, for the first lines of a new vault.
    package func seal(_ event: AuditEvent, vault: VaultID, key: SymmetricKey) throws -> SealedAuditLine {
        SealedAuditLine(
            time: now(), vault: vault,
            body: Box.seal(event.compactJSON(), key: key, context: Self.context(vault)))
    }

    /// Removes a deleted vault's key from the cache.
    package func evictKey(of vault: VaultID) {
        known.withLock { _ = $0.removeValue(forKey: vault) }
    }

    private func key(of vault: VaultID?) throws -> SymmetricKey {
        guard let vault else { return keys.nodeAuditKey }
        if let key = known.withLock({ $0[vault] }) { return key }
        guard let stored = try storedKey(vault) else { throw VaultError.noSuchEntry }
        let key = try keys.openNodeTierKey(stored, .auditKey, vault: vault, id: vault.bytes)
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
