package import FoundationEssentials
import SwiftASN1
package import X509

/// A chain with its key, checked: what a node serves and keeps.
package struct IssuedCertificate: Sendable {
    /// Of the leaf, in lower case.
    package let names: [String]
    /// Leaf first, as the CA gave it.
    package let chainPEM: String
    package let keyPEM: String
    /// The directory of the CA that issued it.
    package let directory: String
    package let leaf: Certificate
    private let rootName: String

    package var notBefore: Date { leaf.notValidBefore }
    package var notAfter: Date { leaf.notValidAfter }
    package var lifetime: TimeInterval { notAfter.timeIntervalSince(notBefore) }
    package var issuer: String { "\(leaf.issuer)" }

    /// The serial number in hexadecimal.
    package var serial: String {
        leaf.serialNumber.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// RFC 9773 section 4.1: the issuer's key identifier and the serial number. Nil for a CA that leaves the first out.
    package var renewalID: String? {
        guard let issuer = try? leaf.extensions.authorityKeyIdentifier?.keyIdentifier else { return nil }
        let serial = leaf.serialNumber.bytes
        // DER has a zero in front of a number that would look negative.
        let sign: [UInt8] = (serial.first ?? 0) >= 0x80 ? [0] : []
        return "\(base64URL(issuer)).\(base64URL(sign + serial))"
    }

    package var der: [UInt8] {
        get throws {
            var serializer = DER.Serializer()
            try serializer.serialize(leaf)
            return serializer.serializedBytes
        }
    }

    /// Checks everything that a client would, but who signed it: a CA that the operator chose.
    ///
    /// `now`: Nil to take one whose time is over, from the disk.
    package init(
        chainPEM: String, keyPEM: String, names wanted: [String], directory: String, now: Date?
    ) throws(CertificateFault) {
        let chain: [Certificate]
        do {
            chain = try PEMDocument.parseMultiple(pemString: chainPEM).map { try Certificate(pemDocument: $0) }
        } catch {
            throw .unreadable("\(error)")
        }
        guard let leaf = chain.first else { throw .unreadable("there is none in it") }
        guard let key = try? Certificate.PrivateKey(pemEncoded: keyPEM) else { throw .unreadable("its key") }
        guard key.publicKey == leaf.publicKey else { throw .anotherKey }
        var names: [String] = []
        for case .dnsName(let name) in (try? leaf.extensions.subjectAlternativeNames) ?? SubjectAlternativeNames([]) {
            names.append(name.lowercased())
        }
        let missing = wanted.filter { !names.contains($0) }
        guard missing.isEmpty else { throw .otherNames(missing: missing) }
        if let now {
            // Certificates are backdated; one that begins later than now was made by a wrong clock, theirs or ours.
            guard leaf.notValidBefore <= now.addingTimeInterval(300) else { throw .notYetValid(leaf.notValidBefore) }
            guard leaf.notValidAfter > now else { throw .expired(leaf.notValidAfter) }
        }
        for (certificate, issuer) in zip(chain, chain.dropFirst()) {
            guard certificate.issuer == issuer.subject,
                issuer.publicKey.isValidSignature(certificate.signature, for: certificate)
            else { throw .brokenChain }
        }
        if let usage = try? leaf.extensions.extendedKeyUsage, !usage.contains(.serverAuth) { throw .notForServers }
        self.names = names
        self.chainPEM = chainPEM
        self.keyPEM = keyPEM
        self.directory = directory
        self.leaf = leaf
        rootName = "\(chain[chain.count - 1].issuer)"
    }

    /// Whether the last certificate was issued by a root with this common name.
    func endsAt(root commonName: String) -> Bool { rootName.contains("CN=\(commonName)") }
}

/// Why a certificate is not served.
package enum CertificateFault: Error, Equatable, Sendable {
    case unreadable(String)
    case anotherKey
    case otherNames(missing: [String])
    case notYetValid(Date)
    case expired(Date)
    case brokenChain
    case notForServers
}
