import Files

/// The nodes' WireGuard keys on the operator's machine: `NODE.key`, and `NODE.next.key` while one is being changed.
package struct KeyStore: Sendable {
    private let chest: LocalSecretStore

    /// - Parameter chest: Of its own folder; with or without encryption.
    package init(_ chest: LocalSecretStore) {
        self.chest = chest
    }

    package enum Age: String, Sendable { case present = "key", next = "next.key" }

    /// How a node that has no key in the inventory comes to one.
    package enum FirstKey: Equatable, Sendable {
        case made
        /// One of that name is here: a run broke off, or the node was removed and is added again.
        case takenUp(String)
    }

    /// Touches nothing.
    ///
    /// - Throws: `KeyStoreError`: a key that is in use must not be lost, wherever its private half lies.
    package func firstKey(of node: Node) async throws -> FirstKey {
        let (present, next) = try await publicKeys(node)
        guard node.publicKey.isEmpty else {
            throw [present, next].contains(node.publicKey)
                ? KeyStoreError.exists(node.name) : KeyStoreError.madeElsewhere(node.name)
        }
        return present.map { .takenUp($0) } ?? .made
    }

    /// Makes a node's first key, or takes up the one that is here.
    ///
    /// - Returns: The public half, for the inventory.
    /// - Throws: What `firstKey` throws.
    package func generate(_ node: Node) async throws -> String {
        switch try await firstKey(of: node) {
        case .made: try await make(node, .present)
        case .takenUp(let publicKey): publicKey
        }
    }

    /// Makes another key beside the one in use, or gives the one that was made before.
    ///
    /// - Returns: The public half. It belongs into the inventory when the key has been pushed.
    package func rotate(_ node: Node) async throws -> String {
        guard try chest.holds(Self.name(node, .present)) else {
            throw node.publicKey.isEmpty ? KeyStoreError.missing(node.name) : KeyStoreError.madeElsewhere(node.name)
        }
        if try chest.holds(Self.name(node, .next)) { return try await key(of: node, .next).publicText }
        return try await make(node, .next)
    }

    /// Makes a key in the place of every one that is here: of a machine that is given up.
    ///
    /// - Returns: The public half.
    func replace(_ node: Node) async throws -> String {
        let publicKey = try await make(node, .present)
        try chest.remove(Self.name(node, .next))
        return publicKey
    }

    /// An operator's, made if there is none. Operators and nodes have different names.
    package func operatorKey(_ name: String) async throws -> WireGuardKey {
        if let text = try await chest.take("\(name).key") { return try WireGuardKey(text) }
        let key = WireGuardKey()
        try await chest.put("\(name).key", key.privateText + "\n")
        return key
    }

    /// The key that the node has, or is to have first.
    package func present(_ node: Node) async throws -> WireGuardKey { try await key(of: node, .present) }

    /// The key that a rotation brings.
    package func next(_ node: Node) async throws -> WireGuardKey { try await key(of: node, .next) }

    package func publicKeys(_ node: Node) async throws -> (present: String?, next: String?) {
        var keys: [String?] = []
        for age in [Age.present, .next] {
            let holds = try chest.holds(Self.name(node, age))
            keys.append(holds ? try await key(of: node, age).publicText : nil)
        }
        return (keys[0], keys[1])
    }

    /// The next key is on the node: it takes the place of the old one, which is removed.
    package func settle(_ node: Node) throws {
        guard try chest.holds(Self.name(node, .next)) else { return }
        try chest.rename(Self.name(node, .next), to: Self.name(node, .present))
    }

    private func make(_ node: Node, _ age: Age) async throws -> String {
        let key = WireGuardKey()
        try await chest.put(Self.name(node, age), key.privateText + "\n")
        return key.publicText
    }

    private func key(of node: Node, _ age: Age) async throws -> WireGuardKey {
        guard let text = try await chest.take(Self.name(node, age)) else { throw KeyStoreError.missing(node.name) }
        return try WireGuardKey(text)
    }

    private static func name(_ node: Node, _ age: Age) -> String { "\(node.name).\(age.rawValue)" }
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
            \(node)'s key was made elsewhere: on another machine, or under another name. Replace it there, with \
            `clavitor-soc keys rotate \(node)`. If its private half is lost, say so first, `clavitor-soc fleet set \(node) \
            public-key ""`: another key cuts \(node) off until it is on the machine.
            """
        case .missing(let node): "\(node) has no key here. Make one with `clavitor-soc keys generate \(node)`."
        }
    }
}
