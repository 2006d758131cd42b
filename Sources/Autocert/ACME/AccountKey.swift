import Crypto
import Encoding
import FoundationEssentials

/// The key of an ACME account: ECDSA with P-256 and SHA-256, "ES256" of RFC 7518 section 3.4.
///
/// Never the key of a certificate (RFC 8555 section 11.1).
package struct AccountKey: Sendable {
    private let key: P256.Signing.PrivateKey

    package init() {
        key = P256.Signing.PrivateKey()
    }

    package init(pem: String) throws {
        key = try P256.Signing.PrivateKey(pemRepresentation: pem)
    }

    package var pem: String { key.pemRepresentation }

    /// The public half as a JSON Web Key, members in the order that RFC 7638 section 3 hashes them in.
    var publicKey: JSONWebKey {
        let point = Array(key.publicKey.rawRepresentation)
        return JSONWebKey(
            crv: "P-256", kty: "EC", x: Base64URL.encode(point.prefix(32)), y: Base64URL.encode(point.suffix(32)))
    }

    /// The JWK thumbprint (RFC 7638), part of every key authorization.
    package var thumbprint: String {
        get throws { Base64URL.encode(Array(SHA256.hash(data: try json(publicKey)))) }
    }

    /// The key authorization for a challenge token (RFC 8555 section 8.1).
    package func authorization(of token: String) throws -> String { "\(token).\(try thumbprint)" }

    /// A flattened JSON Web Signature (RFC 7515 section 7.2.2), as RFC 8555 section 6.2 requires.
    ///
    /// `account`: The account's URL; nil to send the public key itself, as for a new account.
    /// `payload`: Nil is POST-as-GET (RFC 8555 section 6.3): an empty payload, not an empty object.
    func sign(_ payload: [UInt8]?, for url: String, nonce: String?, account: String?) throws -> [UInt8] {
        let header = ProtectedHeader(
            alg: "ES256", jwk: account == nil ? publicKey : nil, kid: account, nonce: nonce, url: url)
        return try JWS(header: try json(header), payload: payload ?? []) { message in
            Array(try key.signature(for: message).rawRepresentation)
        }.bytes
    }
}

/// An external account binding (RFC 8555 section 7.3.4): a key that the CA issued out of band.
package struct ExternalAccount: Sendable {
    package let keyID: String
    private let key: SymmetricKey

    /// `base64URLKey`: As the CA prints it.
    package init?(keyID: String, base64URLKey text: String) {
        guard let bytes = Base64URL.decode(text.prefix { $0 != "=" }), bytes.count >= 16 else { return nil }
        self.keyID = keyID
        key = SymmetricKey(data: bytes)
    }

    /// The account's public key, authenticated with the CA's key.
    func binding(_ account: JSONWebKey, url: String) throws -> JWS {
        let header = ProtectedHeader(alg: "HS256", jwk: nil, kid: keyID, nonce: nil, url: url)
        return JWS(header: try json(header), payload: try json(account)) { message in
            Array(HMAC<SHA256>.authenticationCode(for: message, using: key))
        }
    }
}

/// The public P-256 key of an account (RFC 7517).
struct JSONWebKey: Encodable {
    let crv: String
    let kty: String
    let x: String
    let y: String
}

private struct ProtectedHeader: Encodable {
    let alg: String
    let jwk: JSONWebKey?
    let kid: String?
    let nonce: String?
    let url: String
}

/// A flattened JSON Web Signature (RFC 7515).
struct JWS: Encodable {
    private let protected: String
    private let payload: String
    private let signature: String

    init(header: [UInt8], payload: [UInt8], sign: ([UInt8]) throws -> [UInt8]) rethrows {
        protected = Base64URL.encode(header)
        self.payload = Base64URL.encode(payload)
        signature = Base64URL.encode(try sign(Array("\(protected).\(self.payload)".utf8)))
    }

    var bytes: [UInt8] { get throws { try json(self) } }
}

/// JSON with sorted members, so that the same value always has the same hash.
func json(_ value: some Encodable) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(value))
}
