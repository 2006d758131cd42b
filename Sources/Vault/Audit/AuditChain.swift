package import Crypto
import Encoding
package import VaultFormat

/// The hash chain through all audit lines: each line's hash covers the one before it.
package struct AuditChain: Equatable, Sendable {
    /// The last line's sequence number; 0 before the first line.
    package private(set) var sequence: Int64
    /// 32 bytes.
    package private(set) var hash: [UInt8]

    package static let start = AuditChain(sequence: 0, hash: [UInt8](repeating: 0, count: 32))
    private static let label = Array("clav2/audit".utf8)

    package init(sequence: Int64, hash: [UInt8]) {
        self.sequence = sequence
        self.hash = hash
    }

    /// Adds a line: SHA-256 over label, previous hash, sequence, time, vault (zeros if none), number and digest of the vault's change
    /// (zeros if its records are as before), body length, body.
    package mutating func append(_ line: SealedAuditLine) {
        sequence += 1
        var hasher = SHA256()
        hasher.update(data: Self.label)
        hasher.update(data: hash)
        hasher.update(data: sequence.bigEndianBytes)
        hasher.update(data: line.time.bigEndianBytes)
        hasher.update(data: line.vault?.bytes ?? [UInt8](repeating: 0, count: 16))
        hasher.update(data: (line.state?.change ?? 0).bigEndianBytes)
        hasher.update(data: (line.state?.digest ?? .zeros).bytes)
        hasher.update(data: UInt32(line.body.count).bigEndianBytes)
        hasher.update(data: line.body)
        hash = Array(hasher.finalize())
    }
}

/// The chain's authenticated end: an attacker with only the file cannot truncate the log and write a new end.
package struct AuditHead: Equatable, Sendable {
    /// Number of restores. A chain that becomes shorter without a new epoch was tampered with.
    package var epoch: Int64
    package var chain: AuditChain

    package init(epoch: Int64, chain: AuditChain) {
        self.epoch = epoch
        self.chain = chain
    }

    /// The authentication code: HMAC-SHA256 under the node's audit-head key.
    ///
    /// `state`: The digest over the states of all vaults.
    package func code(key: SymmetricKey, _ state: StateDigest) -> [UInt8] {
        let message =
            Array("clav2/audit-head".utf8) + epoch.bigEndianBytes + chain.sequence.bigEndianBytes + chain.hash
            + state.bytes
        return Array(HMAC<SHA256>.authenticationCode(for: message, using: key))
    }
}
