import Files

/// Stores the nodes' WireGuard keys on the operator's machine: `NODE.key`, and `NODE.next.key` during a rotation.
package struct KeyStore: Sendable {
    private let store: LocalSecretStore

    /// - Parameter store: Of its own folder; with or without encryption.
    package init(_ store: LocalSecretStore) {
        self.store = store
    }

    package enum Slot: String, Sendable { case present = "key", next = "next.key" }

    /// The source of a node's first key.
    package enum FirstKey: Equatable, Sendable {
        case new
        /// A stored key of an interrupted run, or of a removed node with the same name.
        case reused(String)
    }

    /// Determines the source of a node's first key. Changes nothing.
    ///
    /// - Throws: `KeyStoreError` if the node has a key in use, which must not be lost.
    package func firstKey(of node: Node) async throws -> FirstKey {
        let (present, next) = try await publicKeys(node)
        guard node.publicKey.isEmpty else {
            throw [present, next].contains(node.publicKey)
                ? KeyStoreError.exists(node.name) : KeyStoreError.madeElsewhere(node.name)
        }
        return present.map { .reused($0) } ?? .new
    }

    /// Makes a node's first key, or reuses a stored one.
    ///
    /// - Returns: The public key, for the inventory.
    /// - Throws: Errors of `firstKey`.
    package func generate(_ node: Node) async throws -> String {
        switch try await firstKey(of: node) {
        case .new: try await make(node, .present)
        case .reused(let publicKey): publicKey
        }
    }

    /// Makes the next key beside the one in use, or returns the one that was made before.
    ///
    /// - Returns: The public key. The inventory gets it when the key has been pushed.
    package func rotate(_ node: Node) async throws -> String {
        guard try store.contains(Self.name(node, .present)) else {
            throw node.publicKey.isEmpty ? KeyStoreError.missing(node.name) : KeyStoreError.madeElsewhere(node.name)
        }
        if try store.contains(Self.name(node, .next)) { return try await key(of: node, .next).publicText }
        return try await make(node, .next)
    }

    /// Replaces all stored keys of a node whose machine is abandoned.
    ///
    /// - Returns: The public key.
    func replace(_ node: Node) async throws -> String {
        let publicKey = try await make(node, .present)
        try store.remove(Self.name(node, .next))
        return publicKey
    }

    /// An operator's key; created if there is none. Operators and nodes have different names.
    package func operatorKey(_ name: String) async throws -> WireGuardKey {
        if let text = try await store.read("\(name).key") { return try WireGuardKey(text) }
        let key = WireGuardKey()
        try await store.write("\(name).key", key.privateText + "\n")
        return key
    }

    /// The node's present or first key.
    package func present(_ node: Node) async throws -> WireGuardKey { try await key(of: node, .present) }

    /// The next key of a rotation.
    package func next(_ node: Node) async throws -> WireGuardKey { try await key(of: node, .next) }

    package func publicKeys(_ node: Node) async throws -> (present: String?, next: String?) {
        var keys: [String?] = []
        for slot in [Slot.present, .next] {
            let isStored = try store.contains(Self.name(node, slot))
            keys.append(isStored ? try await key(of: node, slot).publicText : nil)
        }
        return (keys[0], keys[1])
    }

    /// Replaces the present key with the next one, which is on the node now.
    package func promoteNext(_ node: Node) throws {
        guard try store.contains(Self.name(node, .next)) else { return }
        try store.rename(Self.name(node, .next), to: Self.name(node, .present))
    }

    private func make(_ node: Node, _ slot: Slot) async throws -> String {
        let key = WireGuardKey()
        try await store.write(Self.name(node, slot), key.privateText + "\n")
        return key.publicText
    }

    private func key(of node: Node, _ slot: Slot) async throws -> WireGuardKey {
        guard let text = try await store.read(Self.name(node, slot)) else { throw KeyStoreError.missing(node.name) }
        return try WireGuardKey(text)
    }

    private static func name(_ node: Node, _ slot: Slot) -> String { "\(node.name).\(slot.rawValue)" }
}

package enum KeyStoreError: Error, Equatable, Sendable, CustomStringConvertible {
    case exists(String)
    case missing(String)
    case madeElsewhere(String)

    package var description: String {
        switch self {
        case .exists(let node): "\(node) has a key already. Replace it with `clavitor-soc keys rotate \(node)`."
        case .madeElsewhere(let node):
            """
            \(node)'s key was made elsewhere: on another machine, or under another name. Replace it there with \
            `clavitor-soc keys rotate \(node)`. If its private key is lost, first run `clavitor-soc fleet set \(node) \
            public-key ""`: \(node) is then unreachable until the machine has the new key.
            """
        case .missing(let node):
            "\(node) has no key on this machine. Make one with `clavitor-soc keys generate \(node)`."
        }
    }
}
