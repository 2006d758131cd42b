package import Crypto
import Secrets

/// A key holder: the id and the 32 random bytes of an owner or agent, in memory while a credential that opens them is in use.
package struct HolderKey: Sendable {
    package let id: HolderID
    package let secret: SymmetricKey
    /// Encrypts data keys and the owner's own items.
    package let wrapKey: SymmetricKey

    package init(id: HolderID, secret: SymmetricKey) {
        self.id = id
        self.secret = secret
        wrapKey = secret.derive(Context("holder-wrap", id.bytes))
    }

    package static func generate() -> HolderKey {
        HolderKey(id: .random(), secret: SymmetricKey(size: .bits256))
    }

    /// Derives the key pair to which others seal while this key holder is absent. Takes about 60 µs.
    package func sealingKey() throws -> XWingMLKEM768X25519.PrivateKey {
        let seed = secret.derive(Context("holder-seal", id.bytes))
        return try XWingMLKEM768X25519.PrivateKey(seedRepresentation: seed.bytes, publicKey: nil)
    }

    /// Wraps a data key for this key holder.
    package func wrap(_ dataKey: SymmetricKey, at place: FieldPlace) -> Wrap {
        let box = Box.seal(dataKey, key: wrapKey, context: place.wrapContext(for: id))
        return Wrap(place: place, holder: id, isSealed: false, box: box)
    }

    /// Opens a data key that was wrapped or sealed for this key holder.
    ///
    /// - Throws: `RootBoxError` for a sealed wrap that fails the node's authentication, `BoxError` for anything else that does not open.
    package func unwrap(_ wrap: Wrap, root: RootKeys) throws -> SymmetricKey {
        let context = wrap.place.wrapContext(for: id)
        guard wrap.isSealed else {
            return try Box.openKey(wrap.box, key: wrapKey, context: context)
        }
        let sealed = try root.open(wrap.box, context: context.outer())
        return try SealedWrap.open(sealed, with: sealingKey(), context: context)
    }
}

/// A key holder's public key, opened from the row that the node itself sealed.
package struct HolderPublicKey: Sendable {
    package let id: HolderID
    /// Whose key it is, as the node sealed it.
    package let principal: PrincipalID
    private let key: XWingMLKEM768X25519.PublicKey

    /// Opens `stored` as `HolderKey.storedPublicKey` made it.
    package init(id: HolderID, vault: VaultID, stored: [UInt8], keys: NodeKeys) throws {
        let raw = try keys.openNodeTier(stored, .holder, vault: vault, id: id.bytes)
        self.id = id
        guard let principal = PrincipalID(Array(raw.prefix(16))) else { throw BoxError.malformed }
        self.principal = principal
        key = try XWingMLKEM768X25519.PublicKey(rawRepresentation: raw.dropFirst(16))
    }

    /// Seals a data key to this key holder, inside a root-key secret box that proves that the node did it.
    package func seal(_ dataKey: SymmetricKey, at place: FieldPlace, root: RootKeys) throws -> Wrap {
        let context = place.wrapContext(for: id)
        let sealed = try SealedWrap.seal(dataKey, to: key, context: context)
        return Wrap(place: place, holder: id, isSealed: true, box: root.seal(sealed, context: context.outer()))
    }
}

extension HolderKey {
    /// Encrypts the principal's id and the public key, for the key holder's row.
    package func storedPublicKey(vault: VaultID, of principal: PrincipalID, keys: NodeKeys) throws -> [UInt8] {
        let plaintext = principal.bytes + Array(try sealingKey().publicKey.rawRepresentation)
        return keys.sealNodeTier(plaintext, .holder, vault: vault, id: id.bytes)
    }
}

/// A stored data key, readable by one key holder.
package struct Wrap: Equatable, Sendable {
    package let place: FieldPlace
    package let holder: HolderID
    /// Sealed to the key holder's public key rather than encrypted under its wrap key.
    package let isSealed: Bool
    package let box: [UInt8]

    package init(place: FieldPlace, holder: HolderID, isSealed: Bool, box: [UInt8]) {
        self.place = place
        self.holder = holder
        self.isSealed = isSealed
        self.box = box
    }
}
