import Crypto
package import FoundationEssentials
import SwiftASN1
import X509

/// The certificate that answers a TLS-ALPN-01 challenge (RFC 8737 section 3). It proves and protects nothing else.
package struct ChallengeCertificate: Sendable {
    static let applicationProtocol = "acme-tls/1"

    package let servable: ServableCertificate

    /// Proves `name` with `keyAuthorization`, the token and the thumbprint of the account key (RFC 8555 section 8.1).
    ///
    /// It is valid from a day before `now`, for the clock of the CA may be another, until a week after.
    package init(name: String, keyAuthorization: String, now: Date) throws {
        let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
        let subject = try DistinguishedName { CommonName("ACME challenge") }
        let digest = ASN1OctetString(contentBytes: Array(SHA256.hash(data: Array(keyAuthorization.utf8)))[...])
        var identifier = DER.Serializer()
        try identifier.serialize(digest)
        let certificate = try Certificate(
            version: .v3,
            serialNumber: Certificate.SerialNumber(),
            publicKey: key.publicKey,
            notValidBefore: now.addingTimeInterval(-86_400),
            notValidAfter: now.addingTimeInterval(7 * 86_400),
            issuer: subject,
            subject: subject,
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                SubjectAlternativeNames([.dnsName(name)])
                Certificate.Extension(
                    oid: [1, 3, 6, 1, 5, 5, 7, 1, 31], critical: true, value: identifier.serializedBytes[...])
            },
            issuerPrivateKey: key
        )
        servable = try ServableCertificate(
            certificatePEM: Array(certificate.serializeAsPEM().pemString.utf8),
            privateKeyPEM: Array(key.serializeAsPEM().pemString.utf8))
    }
}
