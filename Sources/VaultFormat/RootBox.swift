/// A secret box under a root key, with the parts of its context. A root-key rotation re-encrypts each of these.
package enum RootBox: Sendable {
    case nodeKey
    case email(VaultID)
    case auditKey(VaultID)
    case publicKey(VaultID, HolderID)
    case policy(VaultID, PrincipalID)
    case credential(StoredCredential)
    case credentialL2Key(StoredCredential)
    case credentialSeal(StoredCredential)
    case sealedWrap(FieldPlace, HolderID)

    package var context: Context {
        switch self {
        case .nodeKey: NodeKeys.place
        case .email(let vault): NodeTierItem.email.context(vault: vault, id: vault.bytes)
        case .auditKey(let vault): NodeTierItem.auditKey.context(vault: vault, id: vault.bytes)
        case .publicKey(let vault, let holder): NodeTierItem.holder.context(vault: vault, id: holder.bytes)
        case .policy(let vault, let agent): NodeTierItem.policy.context(vault: vault, id: agent.bytes)
        case .credential(let credential): credential.outerContexts.box
        case .credentialL2Key(let credential): credential.outerContexts.l2Key
        case .credentialSeal(let credential): CredentialSeal.context(vault: credential.vault, id: credential.id)
        case .sealedWrap(let place, let holder): place.wrapContext(for: holder).outer()
        }
    }

    /// Re-encrypts the content under the current root key.
    package func renewed(_ box: [UInt8], root: RootKeys) throws(RootBoxError) -> [UInt8] {
        root.seal(try root.open(box, context: context), context: context)
    }
}
