package import Crypto
import Encoding

/// What only the running node knows, opened once at start: the root keys and what follows from `nodeKey`.
///
/// `nodeKey` is random and never rotates, so that indexes made with it stay valid.
package struct NodeKeys: Sendable {
    package let root: RootKeys
    private let emailIndexKey: SymmetricKey
    private let preloginKey: SymmetricKey
    private let deviceKey: SymmetricKey
    private let inviteKey: SymmetricKey
    private let abuseKey: SymmetricKey
    /// Boxes where a list goes on.
    package let cursorKey: SymmetricKey
    package let auditHeadKey: SymmetricKey
    package let nodeAuditKey: SymmetricKey

    /// Every key that the node keeps for as long as it runs.
    package var all: [SymmetricKey] {
        root.ids.compactMap(root.key) + [
            emailIndexKey, preloginKey, deviceKey, inviteKey, abuseKey, cursorKey, auditHeadKey, nodeAuditKey,
        ]
    }

    static let place = Context("node", [UInt8](repeating: 0, count: 16), Array("node-key".utf8), [])

    /// Opens the stored node key.
    package init(root: RootKeys, stored: [UInt8]) throws(RootBoxError) {
        let nodeKey = SymmetricKey(data: try root.open(stored, context: Self.place))
        self.root = root
        emailIndexKey = nodeKey.derive(Context("email-index"))
        preloginKey = nodeKey.derive(Context("prelogin"))
        deviceKey = nodeKey.derive(Context("device"))
        inviteKey = nodeKey.derive(Context("invite"))
        abuseKey = nodeKey.derive(Context("abuse"))
        cursorKey = nodeKey.derive(Context("cursor"))
        auditHeadKey = nodeKey.derive(Context("audit-head"))
        nodeAuditKey = nodeKey.derive(Context("audit-body"))
    }

    /// A new node's key, boxed for its row.
    package static func makeStored(root: RootKeys) -> [UInt8] {
        root.seal(SymmetricKey(size: .bits256).bytes, context: place)
    }

    /// Finds an account by address without the file telling who has one. 32 bytes.
    package func emailIndex(_ email: EmailAddress) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Array(email.normalized.utf8), using: emailIndexKey))
    }

    /// The salt of the account with this address, also where there is none, so that asking tells nothing. 16 bytes.
    package func preloginSalt(_ email: EmailAddress) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Array(email.normalized.utf8), using: preloginKey).prefix(16))
    }

    /// What shows, without a row, that a device once logged in to this vault: with the password that its present owner
    /// holder came with, and with or without a code. 16 bytes over 16 random ones.
    package func deviceCode(_ device: [UInt8], vault: VaultID, owner: HolderID, withCode: Bool) -> [UInt8] {
        let message = device + vault.bytes + owner.bytes + [withCode ? 1 : 0]
        return Array(HMAC<SHA256>.authenticationCode(for: message, using: deviceKey).prefix(16))
    }

    /// Under what a count of failures is kept, so that the file does not tell who tried what from where. 16 bytes.
    package func abuseKey(_ kind: String, _ parts: [UInt8]...) -> [UInt8] {
        let message = Context(kind, parts: parts).bytes
        return Array(HMAC<SHA256>.authenticationCode(for: message, using: abuseKey).prefix(16))
    }

    /// What makes an invitation this node's. 16 bytes over 16.
    package func inviteCode(_ payload: [UInt8]) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: payload, using: inviteKey).prefix(16))
    }

    /// Seals something of the node tier: openable with the root key alone.
    package func sealNodeTier(_ plaintext: [UInt8], _ item: NodeTierItem, vault: VaultID, id: [UInt8]) -> [UInt8] {
        root.seal(plaintext, context: item.context(vault: vault, id: id))
    }

    package func openNodeTier(
        _ box: [UInt8],
        _ item: NodeTierItem,
        vault: VaultID,
        id: [UInt8]
    ) throws(RootBoxError) -> [UInt8] {
        try root.open(box, context: item.context(vault: vault, id: id))
    }
}

/// What the node may open with nobody asking.
package enum NodeTierItem: String, Sendable {
    case email
    /// A holder's public key: from here and nowhere else, so that nobody can plant one.
    case holder
    case policy
    case auditKey = "audit-key"

    package func context(vault: VaultID, id: [UInt8]) -> Context {
        Context("node", vault.bytes, Array(rawValue.utf8), id)
    }
}

/// An e-mail address as an account's name. Compared `caseless` and without surrounding space.
package struct EmailAddress: Hashable, Sendable {
    package let normalized: String

    /// Nil for what cannot be an address: no `@`, longer than 254 bytes, spaces, or characters that are not seen.
    package init?(_ text: String) {
        // Before anything that takes time: what is much longer does not become short enough.
        guard text.utf8.count <= 4 * 254 else { return nil }
        let trimmed = text.drop { $0.isWhitespace }
        let end = trimmed.lastIndex { !$0.isWhitespace }.map { trimmed.index(after: $0) } ?? trimmed.endIndex
        let address = trimmed[..<end].caseless
        let halves = address.split(separator: "@", omittingEmptySubsequences: false)
        guard
            halves.count == 2, !halves[0].isEmpty, !halves[1].isEmpty, address.utf8.count <= 254,
            address.unicodeScalars.allSatisfy(Self.isSeen)
        else { return nil }
        normalized = address
    }

    /// False for spaces, controls and everything that shows nothing or turns the text around: with it two addresses look
    /// the same.
    private static func isSeen(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .spaceSeparator, .lineSeparator,
            .paragraphSeparator:
            false
        default: !scalar.properties.isDefaultIgnorableCodePoint
        }
    }
}
