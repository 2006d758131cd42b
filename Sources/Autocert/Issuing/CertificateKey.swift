import Crypto
import CryptoExtras
import SwiftASN1
package import X509

/// The key type of a certificate. Every certificate gets a new key.
package enum CertificateKeyType: String, Sendable, CaseIterable {
    case p256
    case p384
    case rsa2048

    package func generate() throws -> Certificate.PrivateKey {
        switch self {
        case .p256: Certificate.PrivateKey(P256.Signing.PrivateKey())
        case .p384: Certificate.PrivateKey(P384.Signing.PrivateKey())
        case .rsa2048: try Certificate.PrivateKey(_RSA.Signing.PrivateKey(keySize: .bits2048))
        }
    }
}

extension Certificate.PrivateKey {
    package var pem: String { get throws { try serializeAsPEM().pemString + "\n" } }

    /// A certificate signing request for these names without a subject, in DER (RFC 8555 section 7.4, RFC 2986).
    func signingRequest(for names: [String]) throws -> [UInt8] {
        let names = SubjectAlternativeNames(names.map { .dnsName($0) })
        let request = try CertificateSigningRequest(
            version: .v1,
            subject: DistinguishedName(),
            privateKey: self,
            attributes: try CertificateSigningRequest.Attributes([
                .init(try ExtensionRequest(extensions: Certificate.Extensions { names }))
            ])
        )
        var serializer = DER.Serializer()
        try serializer.serialize(request)
        return serializer.serializedBytes
    }
}
