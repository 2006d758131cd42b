package import Crypto
import Encoding

/// The node's keys, opened once at start: the root keys and the keys derived from `nodeKey`.
///
/// `nodeKey` is random and never rotates, so that indexes made with it stay valid.
package struct NodeKeys: Sendable {
    package let root: RootKeys
    private let emailIndexKey: SymmetricKey
    private let preloginKey: SymmetricKey
    private let deviceKey: SymmetricKey
    private let inviteKey: SymmetricKey
    private let abuseKey: SymmetricKey
    /// Encrypts list cursors.
    package let cursorKey: SymmetricKey
    package let auditHeadKey: SymmetricKey
    package let nodeAuditKey: SymmetricKey
    private let passkeyKey: SymmetricKey
    /// The seed of the key that signs heartbeats.
    private let heartbeatKey: SymmetricKey

    /// Every key that the node keeps in memory while it runs.
    package var all: [SymmetricKey] {
        root.ids.compactMap(root.key) + [
            emailIndexKey, preloginKey, deviceKey, inviteKey, abuseKey, cursorKey, auditHeadKey, nodeAuditKey,
            passkeyKey, heartbeatKey,
        ]
    }

    static let place = Context("node", [UInt8](repeating: 0, count: 16), Array("node-key".utf8), [])

    /// Opens the stored node key.
    package init(root: RootKeys, stored: [UInt8]) throws(RootBoxError) {
        let nodeKey = try root.openKey(stored, context: Self.place)
        self.root = root
        emailIndexKey = nodeKey.derive(Context("email-index"))
        preloginKey = nodeKey.derive(Context("prelogin"))
        deviceKey = nodeKey.derive(Context("device"))
        inviteKey = nodeKey.derive(Context("invite"))
        abuseKey = nodeKey.derive(Context("abuse"))
        cursorKey = nodeKey.derive(Context("cursor"))
        auditHeadKey = nodeKey.derive(Context("audit-head"))
        nodeAuditKey = nodeKey.derive(Context("audit-body"))
        passkeyKey = nodeKey.derive(Context("passkey"))
        heartbeatKey = nodeKey.derive(Context("heartbeat"))
    }

    /// The Ed25519 key that signs heartbeats (RFC 8032 section 5.1.5).
    package var heartbeatSigningKey: Curve25519.Signing.PrivateKey {
        get throws {
            try Curve25519.Signing.PrivateKey(rawRepresentation: heartbeatKey)
        }
    }

    /// Generates a new node key, encrypted for its row.
    package static func makeStored(root: RootKeys) -> [UInt8] {
        root.seal(SymmetricKey(size: .bits256), context: place)
    }

    /// Computes the look-up value of an address, which does not reveal the address to a reader of the file. 32 bytes.
    package func emailIndex(_ email: EmailAddress) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Array(email.normalized.utf8), using: emailIndexKey))
    }

    /// Computes the salt for this address, whether or not an account exists, so that the answer does not reveal it. 16 bytes.
    package func preloginSalt(_ email: EmailAddress) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Array(email.normalized.utf8), using: preloginKey).prefix(16))
    }

    /// Computes the code that proves, without a row, that a device once logged in to this vault under its present owner's key
    /// holder, with or without a second-factor code. 16 bytes over 16 random ones.
    package func deviceCode(_ device: [UInt8], vault: VaultID, owner: HolderID, withCode: Bool) -> [UInt8] {
        let message = device + vault.bytes + owner.bytes + [withCode ? 1 : 0]
        return Array(HMAC<SHA256>.authenticationCode(for: message, using: deviceKey).prefix(16))
    }

    /// Computes the key of a failure count, which does not reveal account or network to a reader of the file. 16 bytes.
    package func abuseKey(_ kind: String, _ parts: [UInt8]...) -> [UInt8] {
        let message = Context(kind, parts: parts).bytes
        return Array(HMAC<SHA256>.authenticationCode(for: message, using: abuseKey).prefix(16))
    }

    /// Computes the code of a passkey's challenge, over its time. 32 bytes.
    package func challengeCode(_ time: [UInt8]) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: time, using: passkeyKey))
    }

    /// Computes an invitation's authentication code. 16 bytes over 16.
    package func inviteCode(_ payload: [UInt8]) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: payload, using: inviteKey).prefix(16))
    }

    /// Encrypts an item of the node tier, which the root key alone opens.
    package func sealNodeTier(_ plaintext: [UInt8], _ item: NodeTierItem, vault: VaultID, id: [UInt8]) -> [UInt8] {
        root.seal(plaintext, context: item.context(vault: vault, id: id))
    }

    /// Encrypts a key of the node tier.
    package func sealNodeTier(_ secret: SymmetricKey, _ item: NodeTierItem, vault: VaultID, id: [UInt8]) -> [UInt8] {
        root.seal(secret, context: item.context(vault: vault, id: id))
    }

    package func openNodeTier(
        _ box: [UInt8],
        _ item: NodeTierItem,
        vault: VaultID,
        id: [UInt8]
    ) throws(RootBoxError) -> [UInt8] {
        try root.open(box, context: item.context(vault: vault, id: id))
    }

    /// Opens a key of the node tier.
    package func openNodeTierKey(
        _ box: [UInt8],
        _ item: NodeTierItem,
        vault: VaultID,
        id: [UInt8]
    ) throws(RootBoxError) -> SymmetricKey {
        try root.openKey(box, context: item.context(vault: vault, id: id))
    }
}

/// Items that the node can open without a principal.
package enum NodeTierItem: String, Sendable {
    case email
    /// A key holder's public key. The node takes public keys from here only, so that an attacker with the file cannot plant one.
    case holder
    case policy
    case auditKey = "audit-key"
    /// What a node can do with a kit or passkey in its absence, see `CredentialSeal`.
    case credential

    package func context(vault: VaultID, id: [UInt8]) -> Context {
        Context("node", vault.bytes, Array(rawValue.utf8), id)
    }
}

/// An e-mail address as an account's name: without surrounding white space, and `caseless`.
///
/// Works on Unicode scalars, as an implementation in another language does: for Swift a space and a combining mark behind it are one
/// character.
package struct EmailAddress: Hashable, Sendable {
    package let normalized: String

    /// Nil for text that cannot be an address: not exactly one `@` with something on both sides, longer than 254 bytes, spaces, or
    /// invisible characters.
    package init?(_ text: String) {
        // Bounds the work below: text this long stays too long after trimming and folding.
        guard text.utf8.count <= 4 * 254 else { return nil }
        let trimmed = text.unicodeScalars.drop { $0.properties.isWhitespace }
        let end =
            trimmed.lastIndex { !$0.properties.isWhitespace }.map { trimmed.index(after: $0) } ?? trimmed.startIndex
        let address = String(trimmed[..<end]).caseless
        let halves = address.unicodeScalars.split(separator: "@", omittingEmptySubsequences: false)
        guard
            halves.count == 2, !halves[0].isEmpty, !halves[1].isEmpty, address.utf8.count <= 254,
            address.unicodeScalars.allSatisfy(Self.isVisible)
        else { return nil }
        normalized = address
    }

    /// False for spaces, controls, and characters that are invisible or change the text direction, with which two different
    /// addresses look the same.
    private static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .spaceSeparator, .lineSeparator,
            .paragraphSeparator:
            false
        default: !scalar.properties.isDefaultIgnorableCodePoint
        }
    }
}
