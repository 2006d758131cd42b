import Crypto
import FoundationEssentials
import SwiftASN1
import X509

/// The fleet's own CA, for one certificate: the monitor's, which is reached through the tunnel alone.
///
/// Nodes and operators trust its certificate and nothing else at the monitor's name. Its key is among the secrets and on no
/// machine, so that a rebuilt hub gets a new certificate that everybody believes.
struct MonitorAuthority {
    private static let life: TimeInterval = 10 * 365 * 86_400
    /// Browsers take no longer one.
    private static let leafLife: TimeInterval = 397 * 86_400

    let certificatePEM: String
    let keyPEM: String
    private let key: Certificate.PrivateKey
    private let subject: DistinguishedName

    /// A new one.
    ///
    /// - Parameters:
    ///   - name: The monitor's, the only one that the certificate may be used for (RFC 5280, section 4.2.1.10).
    ///   - now: From when on.
    /// - Throws: When the library cannot make it.
    init(for name: String, now: Date) throws {
        let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
        let subject = try DistinguishedName { CommonName("Clavitor fleet, \(name)") }
        let certificate = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: key.publicKey,
            notValidBefore: now.addingTimeInterval(-86_400), notValidAfter: now.addingTimeInterval(Self.life),
            issuer: subject, subject: subject, signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(keyCertSign: true, cRLSign: true))
                Critical(NameConstraints(permittedDNSDomains: [name]))
                SubjectKeyIdentifier(hash: key.publicKey)
            }, issuerPrivateKey: key)
        certificatePEM = try certificate.serializeAsPEM().pemString + "\n"
        keyPEM = try key.serializeAsPEM().pemString + "\n"
        (self.key, self.subject) = (key, subject)
    }

    /// The one that was made before.
    init(certificatePEM: String, keyPEM: String) throws {
        (self.certificatePEM, self.keyPEM) = (certificatePEM, keyPEM)
        key = try Certificate.PrivateKey(pemEncoded: keyPEM)
        subject = try Certificate(pemEncoded: certificatePEM).subject
    }

    /// A certificate for the monitor, with its chain, and its key; both in PEM.
    func issue(_ name: String, now: Date) throws -> (certificate: String, key: String) {
        let leaf = Certificate.PrivateKey(P256.Signing.PrivateKey())
        let certificate = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: leaf.publicKey,
            notValidBefore: now.addingTimeInterval(-86_400), notValidAfter: now.addingTimeInterval(Self.leafLife),
            issuer: subject, subject: try DistinguishedName { CommonName(name) }, signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                try ExtendedKeyUsage([.serverAuth])
                SubjectAlternativeNames([.dnsName(name)])
                SubjectKeyIdentifier(hash: leaf.publicKey)
                AuthorityKeyIdentifier(
                    keyIdentifier: SubjectKeyIdentifier(hash: key.publicKey).keyIdentifier)
            }, issuerPrivateKey: key)
        return (
            try certificate.serializeAsPEM().pemString + "\n" + certificatePEM,
            try leaf.serializeAsPEM().pemString + "\n"
        )
    }
}
