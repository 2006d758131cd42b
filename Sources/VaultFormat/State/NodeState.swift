import Crypto
import Encoding

/// The number of changes and the digest of each vault's records, with one digest over all of them.
///
/// The head's code authenticates that digest, and no file has it: it is computed from the vaults.
package struct NodeState: Sendable {
    /// The state of one vault after its latest change.
    package struct Vault: Equatable, Sendable {
        /// Starts at 1 and increases by one with each change.
        package var change: Int64
        package var digest: StateDigest

        package init(change: Int64, digest: StateDigest) {
            self.change = change
            self.digest = digest
        }
    }

    private var vaults = RecordSet()

    package init() {}

    /// Sets the state of a vault, or of the node's own records; nil removes it.
    package mutating func set(_ vault: VaultID, to state: Vault?) {
        let bytes = vault.bytes
        guard let key = Record.Key(bytes) else { return }
        vaults[key] = state.map { state in
            let message = Self.label + bytes + state.change.bigEndianBytes + state.digest.bytes
            return StateDigest(hash: SHA256.hash(data: message))
        }
    }

    package mutating func digest() -> StateDigest { vaults.digest() }

    private static let label = Array("clav2/vault".utf8)
}

extension VaultID {
    /// Stands for the node's own records: 16 zero bytes, which no vault may have.
    // swift-format-ignore: NeverForceUnwrap
    package static let node = VaultID([UInt8](repeating: 0, count: 16))!
}
