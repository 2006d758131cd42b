import Crypto
import Encoding
import FoundationEssentials
import Vault
import VaultFormat

/// What a client needs to know of a passkey: an item of the owner, which the node cannot read without the owner.
package struct PasskeyDetails: Equatable, Sendable {
    package var name: String
    /// The authenticator's id of the credential: at most 1,023 bytes (WebAuthn Level 3, section 4).
    package var credentialID: [UInt8]
    /// How a browser reaches the authenticator, such as `internal`.
    package var transports: [String]
    /// Unix seconds of the enrolment.
    package var made: Int64

    /// As JSON in the item.
    private struct Stored: Codable {
        var name: String
        /// In base64url.
        var credentialId: String
        var transports: [String]
        var made: Int64
    }

    package init(name: String, credentialID: [UInt8], transports: [String], made: Int64 = 0) {
        self.name = name
        self.credentialID = credentialID
        self.transports = transports
        self.made = made
    }

    private static let mostNameBytes = 256
    private static let mostTransports = 8
    private static let mostTransportBytes = 32

    func check() throws(AuthError) {
        try Self.check(name: name)
        guard (1...1_023).contains(credentialID.count) else {
            throw .invalid("details.credentialId", "must be 1 to 1023 bytes")
        }
        guard transports.count <= Self.mostTransports,
            transports.allSatisfy({ (1...Self.mostTransportBytes).contains($0.utf8.count) })
        else {
            throw .invalid("details.transports", "must be at most 8 names of at most 32 bytes")
        }
    }

    static func check(name: String) throws(AuthError) {
        guard name.contains(where: { !$0.isWhitespace }), name.utf8.count <= mostNameBytes,
            !name.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        else {
            throw .invalid("name", "must be text of at most 256 bytes without control characters")
        }
    }

    func sealed(_ id: CredentialID, vault: VaultID, owner: HolderKey) throws -> [UInt8] {
        let stored = Stored(
            name: name, credentialId: Base64URL.encode(credentialID), transports: transports, made: made)
        let plaintext = PaddedPlaintext.encode(Array(try JSONEncoder().encode(stored)))
        let item = OwnerItem.passkey(id)
        return Box.seal(plaintext, key: owner.wrapKey, context: item.context(vault: vault, holder: owner.id))
    }

    init(sealed: [UInt8], _ id: CredentialID, vault: VaultID, owner: HolderKey) throws {
        let item = OwnerItem.passkey(id)
        let plaintext = try Box.open(
            sealed, key: owner.wrapKey, context: item.context(vault: vault, holder: owner.id))
        guard let content = PaddedPlaintext.decode(plaintext) else {
            throw VaultError.damaged("details of a passkey that are not padded")
        }
        let stored = try JSONDecoder().decode(Stored.self, from: Data(content))
        guard let id = Base64URL.decode(stored.credentialId) else {
            throw VaultError.damaged("details of a passkey without its id")
        }
        self.init(name: stored.name, credentialID: id, transports: stored.transports, made: stored.made)
    }
}
