package import Crypto

/// Somebody who can read: an id and 32 random bytes, here while a credential that opens them is in flight.
package struct HolderKey: Sendable {
    package let id: HolderID
    package let secret: SymmetricKey
    /// Boxes data keys and the owner's own items.
    package let wrapKey: SymmetricKey

    package init(id: HolderID, secret: SymmetricKey) {
        self.id = id
        self.secret = secret
        wrapKey = secret.derive(Context("holder-wrap", id.bytes))
    }

    package static func generate() -> HolderKey {
        HolderKey(id: .random(), secret: SymmetricKey(size: .bits256))
    }

    /// The key pair to which others seal while this holder is absent. About 60 µs.
    package func sealingKey() throws -> XWingMLKEM768X25519.PrivateKey {
        let seed = secret.derive(Context("holder-seal", id.bytes))
        return try XWingMLKEM768X25519.PrivateKey(seedRepresentation: seed.bytes, publicKey: nil)
    }

    /// Boxes a data key for this holder.
    package func wrap(_ dataKey: SymmetricKey, at place: FieldPlace) -> Wrap {
        let box = Box.seal(dataKey.bytes, key: wrapKey, context: place.wrapContext(for: id))
        return Wrap(place: place, holder: id, isSealed: false, box: box)
    }

    /// Opens a data key that was boxed or sealed for this holder.
    ///
    /// - Throws: `RootBoxError` for a sealed wrap that no node made, `BoxError` for anything else that does not open.
    package func unwrap(_ wrap: Wrap, root: RootKeys) throws -> SymmetricKey {
        let context = wrap.place.wrapContext(for: id)
        guard wrap.isSealed else {
            return SymmetricKey(data: try Box.open(wrap.box, key: wrapKey, context: context))
        }
        let sealed = try root.open(wrap.box, context: context.outer())
        return try SealedWrap.open(sealed, with: sealingKey(), context: context)
    }
}

/// A holder's public half, opened from the row that the node itself sealed.
package struct HolderPublicKey: Sendable {
    package let id: HolderID
    /// As the node sealed it: what a column of the file says may be somebody else's writing.
    package let isOwner: Bool
    private let key: XWingMLKEM768X25519.PublicKey

    /// Opens `stored` as `HolderKey.storedPublicKey` made it.
    package init(id: HolderID, vault: VaultID, stored: [UInt8], keys: NodeKeys) throws {
        let raw = try keys.openNodeTier(stored, .holder, vault: vault, id: id.bytes)
        self.id = id
        isOwner = raw.first == 1
        key = try XWingMLKEM768X25519.PublicKey(rawRepresentation: raw.dropFirst())
    }

    /// Seals a data key to this holder, inside a root box that proves a node did it.
    package func seal(_ dataKey: SymmetricKey, at place: FieldPlace, root: RootKeys) throws -> Wrap {
        let context = place.wrapContext(for: id)
        let sealed = try SealedWrap.seal(dataKey, to: key, context: context)
        return Wrap(place: place, holder: id, isSealed: true, box: root.seal(sealed, context: context.outer()))
    }
}

extension HolderKey {
    /// The public key and whether it is an owner's, boxed for the holder's row.
    package func storedPublicKey(vault: VaultID, isOwner: Bool, keys: NodeKeys) throws -> [UInt8] {
        let plaintext = [isOwner ? 1 : 0] + Array(try sealingKey().publicKey.rawRepresentation)
        return keys.sealNodeTier(plaintext, .holder, vault: vault, id: id.bytes)
    }
}

/// A data key as it rests, readable by one holder.
package struct Wrap: Equatable, Sendable {
    package let place: FieldPlace
    package let holder: HolderID
    /// Sealed to the holder's public key rather than boxed under its wrap key.
    package let isSealed: Bool
    package let box: [UInt8]

    package init(place: FieldPlace, holder: HolderID, isSealed: Bool, box: [UInt8]) {
        self.place = place
        self.holder = holder
        self.isSealed = isSealed
        self.box = box
    }
}
