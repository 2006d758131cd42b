import FoundationEssentials

/// The fleet's secrets on the operator's machine, one directory per node.
package struct SecretStore: Sendable {
    private let folder: String
    private let age: AgeProgram?
    private let keys: KeyStore

    /// - Parameters:
    ///   - folder: Its parent must exist.
    ///   - age: Required to set a secret.
    ///   - keys: The source of private.key.
    package init(_ folder: String, age: AgeProgram?, keys: KeyStore) {
        self.folder = folder
        self.age = age
        self.keys = keys
    }

    /// - Throws: `NodeSecretError`, `AgeSettingsError.noRecipients`.
    package func set(_ secret: NodeSecret, of node: Node, to text: String) async throws {
        let checked = try secret.checked(text)
        guard age != nil else { throw AgeSettingsError.noRecipients }
        try await local(node).write(secret.name, checked)
    }

    /// The required secrets of a node that are not set.
    package func missing(_ node: Node, in inventory: Inventory) async throws -> [NodeSecret] {
        let local = try local(node)
        let isKeyless = try await keys.publicKeys(node).present == nil
        return try node.requiredSecrets(inventory).filter { try !local.contains($0.name) }
            + (isKeyless ? [.privateKey] : [])
    }

    /// Names and dates of the secrets, without their values.
    package func list(_ node: Node) throws -> [(name: String, isSet: String)] {
        try local(node).modificationDates().sorted { $0.key < $1.key }
            .map { ($0.key, $0.value.formatted(.iso8601)) }
    }

    package func contains(_ secret: NodeSecret, of node: Node) throws -> Bool {
        try local(node).contains(secret.name)
    }

    /// The certificate of the fleet's own authority; nil if there is none.
    package func monitorCA() async throws -> String? { try await fleetText("ca.pem") }

    /// Nil if it is not set.
    package func text(_ secret: NodeSecret, of node: Node) async throws -> String? {
        try await local(node).read(secret.name)
    }

    /// A secret of the fleet rather than of a node.
    func fleetText(_ name: String) async throws -> String? { try await fleetStore().read(name) }

    func setFleet(_ name: String, to text: String) async throws {
        guard age != nil else { throw AgeSettingsError.noRecipients }
        try await fleetStore().write(name, text)
    }

    /// The directory's name cannot be a node's name, because it begins with a dot.
    private func fleetStore() throws -> LocalSecretStore {
        _ = try LocalSecretStore(folder, age: nil)
        return try LocalSecretStore("\(folder)/.fleet", age: age)
    }

    /// Pushes the `wanted` secrets that are set, or all if it is nil. The WireGuard key is last, because it can cut the
    /// connection.
    ///
    /// - Returns: The pushed secrets.
    /// - Throws: `NodeSecretError.nothing`.
    package func push(_ wanted: [NodeSecret]?, to node: Node, _ shell: some RemoteShell, root: String = "")
        async throws -> [NodeSecret]
    {
        let local = try local(node)
        var pushed: [NodeSecret] = []
        for name in try local.modificationDates().keys.sorted() {
            guard let secret = try? NodeSecret(name: name), wanted?.contains(secret) ?? true,
                let text = try await local.read(name)
            else { continue }
            try await SecretPush.push(text, as: secret, to: shell, root: root)
            pushed.append(secret)
        }
        if wanted?.contains(.privateKey) ?? true, try await keys.publicKeys(node).present != nil {
            // Never the next key: `keys rotate` must try it first.
            let key = try await keys.present(node)
            try await SecretPush.push(key.privateText + "\n", as: .privateKey, to: shell, root: root)
            pushed.append(.privateKey)
        }
        guard !pushed.isEmpty else { throw NodeSecretError.nothing(node.name) }
        return pushed
    }

    private func local(_ node: Node) throws -> LocalSecretStore {
        // Creates and checks the parent directory as well.
        _ = try LocalSecretStore(folder, age: nil)
        return try LocalSecretStore("\(folder)/\(node.name)", age: age)
    }
}
