import FoundationEssentials

/// All secrets of the fleet on the operator's machine, a folder for each node.
package struct SecretStore: Sendable {
    private let folder: String
    private let age: AgeProgram?
    private let keys: KeyStore

    /// - Parameters:
    ///   - folder: Its parent must exist.
    ///   - age: Without it nothing can be set.
    ///   - keys: Where private.key comes from.
    package init(_ folder: String, age: AgeProgram?, keys: KeyStore) {
        self.folder = folder
        self.age = age
        self.keys = keys
    }

    /// - Throws: `NodeSecretError`, `AgeSettingsError.noRecipients`.
    package func set(_ secret: NodeSecret, of node: Node, to text: String) async throws {
        let checked = try secret.checked(text)
        guard age != nil else { throw AgeSettingsError.noRecipients }
        try await local(node).put(secret.name, checked)
    }

    /// What a node cannot do without and is not set.
    package func missing(_ node: Node, in inventory: Inventory) async throws -> [NodeSecret] {
        let local = try local(node)
        let isKeyless = try await keys.publicKeys(node).present == nil
        return try node.neededSecrets(inventory).filter { try !local.holds($0.name) }
            + (isKeyless ? [.privateKey] : [])
    }

    /// Names and when they were set; never what they are.
    package func list(_ node: Node) throws -> [(name: String, isSet: String)] {
        try local(node).times().sorted { $0.key < $1.key }
            .map { ($0.key, $0.value.formatted(.iso8601)) }
    }

    package func holds(_ secret: NodeSecret, of node: Node) throws -> Bool { try local(node).holds(secret.name) }

    /// The certificate of the fleet's own authority; nil when there is none here.
    package func monitorCA() async throws -> String? { try await fleetText("ca.pem") }

    /// Nil when it is not set.
    func text(_ secret: NodeSecret, of node: Node) async throws -> String? {
        try await local(node).take(secret.name)
    }

    /// Of no node: the fleet's own.
    func fleetText(_ name: String) async throws -> String? { try await fleetChest().take(name) }

    func setFleet(_ name: String, to text: String) async throws {
        guard age != nil else { throw AgeSettingsError.noRecipients }
        try await fleetChest().put(name, text)
    }

    /// A node's name does not begin with a dot.
    private func fleetChest() throws -> LocalSecretStore {
        _ = try LocalSecretStore(folder, age: nil)
        return try LocalSecretStore("\(folder)/.fleet", age: age)
    }

    /// Pushes what there is of `wanted`, of all when it is nil; the WireGuard key last: it is the one that can shut us out.
    ///
    /// - Returns: What was pushed.
    /// - Throws: `NodeSecretError.nothing`.
    package func push(_ wanted: [NodeSecret]?, to node: Node, _ shell: some RemoteShell, root: String = "")
        async throws -> [NodeSecret]
    {
        let local = try local(node)
        var pushed: [NodeSecret] = []
        for name in try local.times().keys.sorted() {
            guard let secret = try? NodeSecret(name: name), wanted?.contains(secret) ?? true,
                let text = try await local.take(name)
            else { continue }
            try await SecretPush.push(text, as: secret, to: shell, root: root)
            pushed.append(secret)
        }
        if wanted?.contains(.privateKey) ?? true, try await keys.publicKeys(node).present != nil {
            // Never the next one: `keys rotate` tries that before it counts.
            let key = try await keys.present(node)
            try await SecretPush.push(key.privateText + "\n", as: .privateKey, to: shell, root: root)
            pushed.append(.privateKey)
        }
        guard !pushed.isEmpty else { throw NodeSecretError.nothing(node.name) }
        return pushed
    }

    private func local(_ node: Node) throws -> LocalSecretStore {
        // The folder above is as private as those in it.
        _ = try LocalSecretStore(folder, age: nil)
        return try LocalSecretStore("\(folder)/\(node.name)", age: age)
    }
}
