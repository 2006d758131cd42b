package import Crypto
import Encoding

/// The kinds of credential that open a key holder during a request.
package enum CredentialKind: String, Sendable {
    case password
    case session
    case agent
    case recovery
}

/// A credential's row: a key holder's secret in two secret boxes, the inner under the credential, the outer under the root key.
package struct StoredCredential: Sendable {
    package let id: CredentialID
    package let vault: VaultID
    package let holder: HolderID
    package let kind: CredentialKind
    /// Look-up value of a token's row. 32 bytes; nil for passwords and kits, which are found by the account.
    package let lookup: [UInt8]?
    package let box: [UInt8]
    /// Unix seconds. A session's creation and expiry are part of its outer secret box's context.
    package let created: Int64
    package let expires: Int64?
    package var lastUsed: Int64
    /// The client's secret box of `l2Key` under this credential's companion key, in an outer secret box. Passwords and kits only.
    package let l2Key: [UInt8]?

    package init(
        id: CredentialID, vault: VaultID, holder: HolderID, kind: CredentialKind, lookup: [UInt8]?, box: [UInt8],
        created: Int64, expires: Int64?, lastUsed: Int64, l2Key: [UInt8]?
    ) {
        self.id = id
        self.vault = vault
        self.holder = holder
        self.kind = kind
        self.lookup = lookup
        self.box = box
        self.created = created
        self.expires = expires
        self.lastUsed = lastUsed
        self.l2Key = l2Key
    }

    /// Encrypts `holder` under `secret`, the 32 bytes that the principal will present.
    package static func make(
        _ kind: CredentialKind,
        secret: SymmetricKey,
        holder: HolderKey,
        vault: VaultID,
        lookup: [UInt8]? = nil,
        created: Int64,
        expires: Int64? = nil,
        l2Key: [UInt8]? = nil,
        root: RootKeys
    ) -> StoredCredential {
        let id = CredentialID.random()
        let context = context(vault: vault, holder: holder.id, kind: kind, id: id)
        let inner = Box.seal(holder.secret, key: key(secret, kind), context: context)
        return StoredCredential(
            id: id, vault: vault, holder: holder.id, kind: kind, lookup: lookup,
            box: root.seal(inner, context: outerContext(context, kind, created, expires)),
            created: created, expires: expires, lastUsed: created,
            l2Key: l2Key.map { root.seal($0, context: l2Context(vault: vault, id: id)) })
    }

    /// Opens the key holder with the credential's secret.
    ///
    /// - Throws: `RootBoxError` when the row fails authentication (corruption or tampering), `BoxError.wrongKeyOrContext` for a wrong secret.
    package func open(_ secret: SymmetricKey, root: RootKeys) throws -> HolderKey {
        let context = Self.context(vault: vault, holder: holder, kind: kind, id: id)
        let inner = try root.open(box, context: Self.outerContext(context, kind, created, expires))
        return HolderKey(
            id: holder, secret: try Box.openKey(inner, key: Self.key(secret, kind), context: context))
    }

    /// Returns the client's wrapped `l2Key` as the client sent it.
    package func openL2Key(root: RootKeys) throws -> [UInt8]? {
        guard let l2Key else { return nil }
        return try root.open(l2Key, context: Self.l2Context(vault: vault, id: id))
    }

    /// Returns the same credential with another wrapped `l2Key`.
    package func replacingL2Key(_ new: [UInt8], root: RootKeys) -> StoredCredential {
        StoredCredential(
            id: id, vault: vault, holder: holder, kind: kind, lookup: lookup, box: box, created: created,
            expires: expires, lastUsed: lastUsed,
            l2Key: root.seal(new, context: Self.l2Context(vault: vault, id: id)))
    }

    /// The contexts of the row's two outer secret boxes, for re-encryption under a new root key.
    package var outerContexts: (box: Context, l2Key: Context) {
        let inner = Self.context(vault: vault, holder: holder, kind: kind, id: id)
        return (Self.outerContext(inner, kind, created, expires), Self.l2Context(vault: vault, id: id))
    }

    private static func key(_ secret: SymmetricKey, _ kind: CredentialKind) -> SymmetricKey {
        secret.derive(Context("credential", Array(kind.rawValue.utf8)))
    }

    private static func context(vault: VaultID, holder: HolderID, kind: CredentialKind, id: CredentialID) -> Context {
        Context("credential", vault.bytes, holder.bytes, Array(kind.rawValue.utf8), id.bytes)
    }

    private static func outerContext(
        _ inner: Context, _ kind: CredentialKind, _ created: Int64, _ expires: Int64?
    ) -> Context {
        guard kind == .session else { return inner.outer() }
        return inner.outer(created.bigEndianBytes, (expires ?? 0).bigEndianBytes)
    }

    private static func l2Context(vault: VaultID, id: CredentialID) -> Context {
        Context("l2key", vault.bytes).outer(id.bytes)
    }
}
