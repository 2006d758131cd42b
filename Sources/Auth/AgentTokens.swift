package import Vault
package import VaultFormat

/// Creates the credential that opens an agent's key holder.
package struct AgentTokens: Sendable {
    private let keys: NodeKeys
    private let now: @Sendable () -> Int64

    package init(keys: NodeKeys, now: @escaping @Sendable () -> Int64) {
        self.keys = keys
        self.now = now
    }

    package func mutations(for holder: HolderKey, _ token: Token, vault: VaultID) -> [Mutation] {
        [
            .insertCredential(
                StoredCredential.make(
                    .agent, secret: token.secret, holder: holder, vault: vault, lookup: token.lookup, created: now(),
                    root: keys.root))
        ]
    }
}
