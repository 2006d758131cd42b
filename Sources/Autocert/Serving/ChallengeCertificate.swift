import Crypto
package import FoundationEssentials
import SwiftASN1
import X509

/// The certificate that responds to a TLS-ALPN-01 challenge (RFC 8737 section 3). It is used for nothing else.
package struct ChallengeCertificate: Sendable {
    static let applicationProtocol = "acme-tls/1"

    package let servable: ServableCertificate

    /// Makes one for `name` with `keyAuthorization`, the token and the account key's thumbprint (RFC 8555 section 8.1).
    ///
    /// It is valid from a day before `now`, because the CA's clock may differ, until a week after.
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
