package import Crypto
import Encoding
import Secrets

/// The kinds of credential that open a key holder during a request.
package enum CredentialKind: String, Sendable {
    case password
    case recovery
    case passkey
    case session
    case agent

    /// Whether a key holder can be sealed to the credential while its secret is absent. A password has no such key, because its
    /// public half would be a target for guesses.
    package var hasSeal: Bool { self == .recovery || self == .passkey }
}

/// A credential's row: a key holder's secret, boxed under the credential or sealed to it, in a secret box under the root key.
package struct StoredCredential: Sendable {
    package let id: CredentialID
    package let vault: VaultID
    package let holder: HolderID
    package let kind: CredentialKind
    /// Look-up value of a token or a passkey. 32 bytes; nil for passwords and kits, which are found by the account.
    package let lookup: [UInt8]?
    package let box: [UInt8]
    /// `CredentialSeal` of a kit or passkey, in the node tier.
    package let seal: [UInt8]?
    /// Unix seconds. Creation and expiry are part of the outer secret box's context.
    package let created: Int64
    package let expires: Int64?
    /// The time of the last challenge that a passkey answered, in microseconds.
    package let challenged: Int64?
    package var lastUsed: Int64
    /// The client's secret box of `l2Key` under this credential's companion key, in an outer secret box. Password, kit, and
    /// passkeys that open L2 values.
    package let l2Key: [UInt8]?

    package init(
        id: CredentialID, vault: VaultID, holder: HolderID, kind: CredentialKind, lookup: [UInt8]?, box: [UInt8],
        seal: [UInt8]? = nil, created: Int64, expires: Int64?, challenged: Int64? = nil, lastUsed: Int64,
        l2Key: [UInt8]?
    ) {
        self.id = id
        self.vault = vault
        self.holder = holder
        self.kind = kind
        self.lookup = lookup
        self.box = box
        self.seal = seal
        self.created = created
        self.expires = expires
        self.challenged = challenged
        self.lastUsed = lastUsed
        self.l2Key = l2Key
    }

    /// Encrypts `holder` under `secret`, the 32 bytes that the principal will present. For a password or a token.
    package static func make(
        _ kind: CredentialKind, secret: SymmetricKey, holder: HolderKey, vault: VaultID, lookup: [UInt8]? = nil,
        created: Int64, expires: Int64? = nil, l2Key: [UInt8]? = nil, root: RootKeys
    ) -> StoredCredential {
        make(
            kind, .random(), secret, holder, vault, lookup, seal: nil, created: created, expires: expires,
            l2Key: l2Key, root)
    }

    /// The same for a kit or a passkey, whose id the client chooses.
    ///
    /// `assertionKey`: The public key of a passkey; nil for a kit.
    package static func makeSealable(
        _ kind: CredentialKind, id: CredentialID, secret: SymmetricKey, holder: HolderKey, vault: VaultID,
        assertionKey: AssertionKey? = nil, created: Int64, l2Key: [UInt8]?, root: RootKeys
    ) throws -> StoredCredential {
        let seal = try CredentialSeal(kind, id: id, secret: secret, assertionKey: assertionKey)
        // A kit is found by the account.
        let lookup = kind == .passkey ? secret.tokenLookup : nil
        return make(
            kind, id, secret, holder, vault, lookup,
            seal: root.seal(seal.bytes, context: CredentialSeal.context(vault: vault, id: id)), created: created,
            expires: nil, l2Key: l2Key, root)
    }

    private static func make(
        _ kind: CredentialKind, _ id: CredentialID, _ secret: SymmetricKey, _ holder: HolderKey, _ vault: VaultID,
        _ lookup: [UInt8]?, seal: [UInt8]?, created: Int64, expires: Int64?, l2Key: [UInt8]?, _ root: RootKeys
    ) -> StoredCredential {
        let context = context(vault: vault, holder: holder.id, kind: kind, id: id)
        let inner = Box.seal(holder.secret, key: key(secret, kind), context: context)
        return StoredCredential(
            id: id, vault: vault, holder: holder.id, kind: kind, lookup: lookup,
            box: root.seal(inner, context: outerContext(context, created, expires)), seal: seal, created: created,
            expires: expires, lastUsed: created,
            l2Key: l2Key.map { root.seal($0, context: l2Context(vault: vault, id: id)) })
    }

    // MARK: Opening

    /// Opens the key holder with the credential's secret.
    ///
    /// - Throws: `RootBoxError` when the row fails authentication (corruption or tampering), `BoxError.wrongKeyOrContext` for a wrong secret.
    package func open(_ secret: SymmetricKey, root: RootKeys) throws -> HolderKey {
        guard kind.hasSeal else {
            let inner = try root.open(box, context: outerContext)
            return HolderKey(
                id: holder, secret: try Box.openKey(inner, key: Self.key(secret, kind), context: context))
        }
        // Before the box is read, so that a wrong secret takes the same steps whatever the form of the box is.
        guard
            constantTimeEqual(
                try openSeal(root: root).check, CredentialSeal.check(of: secret, kind: kind, id: id))
        else { throw BoxError.wrongKeyOrContext }
        let inner = try root.open(box, context: outerContext)
        do {
            guard SealedWrap.isSealed(inner) else {
                let key = try Box.openKey(inner, key: Self.key(secret, kind), context: context)
                return HolderKey(id: holder, secret: key)
            }
            let sealingKey = try CredentialSeal.sealingKey(of: secret, kind: kind, id: id)
            return HolderKey(id: holder, secret: try SealedWrap.open(inner, with: sealingKey, context: context))
        } catch let error as BoxError {
            // The secret is the right one.
            throw RootBoxError.notOurs(error)
        }
    }

    /// Opens the seal of a kit or passkey.
    ///
    /// - Throws: `RootBoxError`.
    package func openSeal(root: RootKeys) throws(RootBoxError) -> CredentialSeal {
        guard let seal else { throw .notOurs(.malformed) }
        let bytes = try root.open(seal, context: CredentialSeal.context(vault: vault, id: id))
        do { return try CredentialSeal(bytes, kind: kind) } catch { throw .notOurs(error) }
    }

    /// Returns the client's wrapped `l2Key` as the client sent it.
    package func openL2Key(root: RootKeys) throws -> [UInt8]? {
        guard let l2Key else { return nil }
        return try root.open(l2Key, context: Self.l2Context(vault: vault, id: id))
    }

    // MARK: Changing the form

    /// The column `box` with the key holder boxed under the secret; nil when it is boxed already.
    package func boxed(_ holder: HolderKey, under secret: SymmetricKey, root: RootKeys) throws -> [UInt8]? {
        guard kind.hasSeal, SealedWrap.isSealed(try root.open(box, context: outerContext)) else { return nil }
        let inner = Box.seal(holder.secret, key: Self.key(secret, kind), context: context)
        return root.seal(inner, context: outerContext)
    }

    /// The same kit or passkey for the owner's next key holder, sealed to its own key, because its secret is absent.
    package func sealed(for next: HolderKey, root: RootKeys) throws -> StoredCredential {
        let context = Self.context(vault: vault, holder: next.id, kind: kind, id: id)
        let inner = try openSeal(root: root).seal(next.secret, context: context)
        return StoredCredential(
            id: id, vault: vault, holder: next.id, kind: kind, lookup: lookup,
            box: root.seal(inner, context: Self.outerContext(context, created, expires)), seal: seal,
            created: created, expires: expires, challenged: challenged, lastUsed: lastUsed, l2Key: l2Key)
    }

    /// Returns the same credential with another wrapped `l2Key`.
    package func replacingL2Key(_ new: [UInt8], root: RootKeys) -> StoredCredential {
        StoredCredential(
            id: id, vault: vault, holder: holder, kind: kind, lookup: lookup, box: box, seal: seal, created: created,
            expires: expires, challenged: challenged, lastUsed: lastUsed,
            l2Key: root.seal(new, context: Self.l2Context(vault: vault, id: id)))
    }

    // MARK: Contexts

    /// The contexts of the row's two outer secret boxes, for re-encryption under a new root key.
    package var outerContexts: (box: Context, l2Key: Context) {
        (outerContext, Self.l2Context(vault: vault, id: id))
    }

    private var context: Context { Self.context(vault: vault, holder: holder, kind: kind, id: id) }
    private var outerContext: Context { Self.outerContext(context, created, expires) }

    private static func key(_ secret: SymmetricKey, _ kind: CredentialKind) -> SymmetricKey {
        secret.derive(Context("credential", Array(kind.rawValue.utf8)))
    }

    private static func context(vault: VaultID, holder: HolderID, kind: CredentialKind, id: CredentialID) -> Context {
        Context("credential", vault.bytes, holder.bytes, Array(kind.rawValue.utf8), id.bytes)
    }

    /// The last part is the audience: the interface that a token is for, empty for all.
    private static func outerContext(_ inner: Context, _ created: Int64, _ expires: Int64?) -> Context {
        inner.outer(created.bigEndianBytes, (expires ?? 0).bigEndianBytes, [])
    }

    private static func l2Context(vault: VaultID, id: CredentialID) -> Context {
        Context("l2key", vault.bytes).outer(id.bytes)
    }
}

extension SymmetricKey {
    /// Look-up value of the row that this secret opens. 32 bytes.
    package var tokenLookup: [UInt8] { derive(Context("token-id")).publicBytes(at: 0..<32) }
}
