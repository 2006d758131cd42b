import Crypto
import FoundationEssentials
import SwiftASN1
import X509

/// The fleet's private CA for the monitor's certificate; the monitor is reached through the tunnel only.
///
/// Nodes and operators trust only this CA for the monitor's name. Its key is stored with the operator's secrets and on no
/// machine of the fleet, so that a rebuilt hub gets a new certificate that is trusted.
struct MonitorAuthority {
    private static let lifetime: TimeInterval = 10 * 365 * 86_400
    /// The longest lifetime that browsers accept.
    private static let leafLifetime: TimeInterval = 397 * 86_400

    let certificatePEM: String
    let keyPEM: String
    private let key: Certificate.PrivateKey
    private let subject: DistinguishedName

    /// Makes a new CA.
    ///
    /// - Parameters:
    ///   - name: The monitor's name, the only one permitted by name constraints (RFC 5280, section 4.2.1.10).
    ///   - now: The start of validity.
    /// - Throws: If the library fails.
    init(for name: String, now: Date) throws {
        let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
        let subject = try DistinguishedName { CommonName("Clavitor fleet, \(name)") }
        let certificate = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: key.publicKey,
            notValidBefore: now.addingTimeInterval(-86_400), notValidAfter: now.addingTimeInterval(Self.lifetime),
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

    /// Loads a stored CA.
    init(certificatePEM: String, keyPEM: String) throws {
        (self.certificatePEM, self.keyPEM) = (certificatePEM, keyPEM)
        key = try Certificate.PrivateKey(pemEncoded: keyPEM)
        subject = try Certificate(pemEncoded: certificatePEM).subject
    }

    /// Issues a certificate for the monitor. Returns its chain and its key in PEM.
    func issue(_ name: String, now: Date) throws -> (certificate: String, key: String) {
        let leaf = Certificate.PrivateKey(P256.Signing.PrivateKey())
        let certificate = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: leaf.publicKey,
            notValidBefore: now.addingTimeInterval(-86_400), notValidAfter: now.addingTimeInterval(Self.leafLifetime),
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
