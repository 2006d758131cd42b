import Crypto
import CryptoExtras
import Encoding
import FoundationEssentials
package import VaultFormat

/// What a browser returns for a sign-in with a passkey (WebAuthn Level 3, section 5.2.2): bytes from the client, not yet verified.
package struct PasskeyAssertion: Sendable {
    package var clientDataJSON: [UInt8]
    package var authenticatorData: [UInt8]
    package var signature: [UInt8]

    package init(clientDataJSON: [UInt8], authenticatorData: [UInt8], signature: [UInt8]) {
        self.clientDataJSON = clientDataJSON
        self.authenticatorData = authenticatorData
        self.signature = signature
    }

    /// Why an assertion is not accepted. Clients are told no more than that it is not.
    package enum Refusal: Error, Equatable, Sendable {
        case tooLong, clientData, type, origin, frame, authenticatorData, relyingParty, userNotVerified, signature
        /// Not the node's, too old, or not newer than the passkey's last.
        case challenge
    }

    /// Bytes, far more than browsers send.
    private static let mostClientData = 2_048
    private static let mostAuthenticatorData = 1_024
    private static let mostSignature = 1_024

    /// Verifies everything but the age of the challenge (WebAuthn Level 3, section 7.2, as far as it applies: a node wants no
    /// counter, because synchronized passkeys have none).
    ///
    /// - Returns: The challenge.
    package func verify(_ key: AssertionKey, at web: WebOrigin) throws(Refusal) -> [UInt8] {
        guard clientDataJSON.count <= Self.mostClientData, authenticatorData.count <= Self.mostAuthenticatorData,
            signature.count <= Self.mostSignature
        else { throw .tooLong }
        let client = try clientData()
        guard client.type == "webauthn.get" else { throw .type }
        guard web.origins.contains(client.origin) else { throw .origin }
        guard client.crossOrigin != true else { throw .frame }
        guard let challenge = Base64URL.decode(client.challenge) else { throw .challenge }
        try verifyAuthenticatorData(web)
        let signed = authenticatorData + Array(SHA256.hash(data: clientDataJSON))
        guard key.isValid(signature, over: signed) else { throw .signature }
        return challenge
    }

    private struct ClientData: Decodable {
        var type: String
        var challenge: String
        var origin: String
        var crossOrigin: Bool?
    }

    private func clientData() throws(Refusal) -> ClientData {
        do {
            return try JSONDecoder().decode(ClientData.self, from: Data(clientDataJSON))
        } catch {
            throw .clientData
        }
    }

    /// Hash of the relying party (32), flags (1), counter (4), and extensions where a flag says so (section 6.1).
    private func verifyAuthenticatorData(_ web: WebOrigin) throws(Refusal) {
        let header = 37
        guard authenticatorData.count >= header else { throw .authenticatorData }
        let flags = Flags(rawValue: authenticatorData[32])
        let hasMore = flags.contains(.attestedCredential) || flags.contains(.extensions)
        guard hasMore || authenticatorData.count == header else { throw .authenticatorData }
        let expected = SHA256.hash(data: Array(web.relyingParty.utf8))
        guard constantTimeEqual(Array(authenticatorData.prefix(32)), Array(expected)) else { throw .relyingParty }
        guard flags.isSuperset(of: [.userPresent, .userVerified]) else { throw .userNotVerified }
    }

    private struct Flags: OptionSet {
        let rawValue: UInt8
        static let userPresent = Flags(rawValue: 0x01)
        static let userVerified = Flags(rawValue: 0x04)
        static let attestedCredential = Flags(rawValue: 0x40)
        static let extensions = Flags(rawValue: 0x80)
    }
}

extension AssertionKey {
    /// RSA keys have at most 4,096 bits, so that a verification takes a bounded time.
    private static let mostBits = 4_096
    private static let mostBytes = 600

    /// Whether the bytes are a public key of the algorithm, of a size that is accepted.
    var isSound: Bool {
        guard spki.count <= Self.mostBytes else { return false }
        return switch algorithm {
        case .es256: (try? P256.Signing.PublicKey(derRepresentation: spki)) != nil
        case .rs256:
            (try? _RSA.Signing.PublicKey(derRepresentation: spki)).map { $0.keySizeInBits <= Self.mostBits } ?? false
        }
    }

    func isValid(_ signature: [UInt8], over data: [UInt8]) -> Bool {
        guard isSound else { return false }
        switch algorithm {
        case .es256:
            guard let key = try? P256.Signing.PublicKey(derRepresentation: spki),
                let signature = try? P256.Signing.ECDSASignature(derRepresentation: signature)
            else { return false }
            return key.isValidSignature(signature, for: data)
        case .rs256:
            guard let key = try? _RSA.Signing.PublicKey(derRepresentation: spki) else { return false }
            // WebAuthn has no other padding for this algorithm.
            return key.isValidSignature(
                _RSA.Signing.RSASignature(rawRepresentation: signature), for: SHA256.hash(data: data),
                padding: .insecurePKCS1v1_5)
        }
    }
}

/// Where a browser loads the node's pages from.
package struct WebOrigin: Sendable {
    /// The node's full name, to which passkeys are bound: no name below it may serve pages.
    package let relyingParty: String
    /// The origins as a browser writes them.
    let origins: Set<String>

    /// `port`: The port that the node listens on. The standard port counts too, for a node behind a forwarded one.
    package init(name: String, port: Int = 443) {
        relyingParty = name
        origins = ["https://\(name)", port == 443 ? "https://\(name)" : "https://\(name):\(port)"]
    }
}
