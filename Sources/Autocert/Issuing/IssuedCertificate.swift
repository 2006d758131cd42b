import Encoding
package import FoundationEssentials
import SwiftASN1
package import X509

/// A validated certificate chain with its key, as issued by a CA and stored on the disk.
package struct IssuedCertificate: Sendable {
    /// The leaf's DNS names, in lower case.
    package let names: [String]
    /// Leaf first, as the CA sent it.
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
        Hexadecimal.encode(leaf.serialNumber.bytes)
    }

    /// The certificate's id for renewal information: authority key identifier and serial number (RFC 9773 section 4.1).
    /// Nil for a certificate without authority key identifier.
    package var renewalID: String? {
        guard let issuer = try? leaf.extensions.authorityKeyIdentifier?.keyIdentifier else { return nil }
        let serial = leaf.serialNumber.bytes
        // DER puts a zero byte in front of a number that would otherwise be negative.
        let sign: [UInt8] = (serial.first ?? 0) >= 0x80 ? [0] : []
        return "\(Base64URL.encode(issuer)).\(Base64URL.encode(sign + serial))"
    }

    package var der: [UInt8] {
        get throws {
            var serializer = DER.Serializer()
            try serializer.serialize(leaf)
            return serializer.serializedBytes
        }
    }

    /// Validates everything that a client would, except the root: the operator chose the CA.
    ///
    /// `now`: Nil to accept an expired certificate, for one that is loaded from the disk.
    package init(
        chainPEM: String, keyPEM: String, names wanted: [String], directory: String, now: Date?
    ) throws(CertificateError) {
        let chain: [Certificate]
        do {
            chain = try PEMDocument.parseMultiple(pemString: chainPEM).map { try Certificate(pemDocument: $0) }
        } catch {
            throw .unreadable("\(error)")
        }
        guard let leaf = chain.first else { throw .unreadable("the chain is empty") }
        guard let key = try? Certificate.PrivateKey(pemEncoded: keyPEM) else { throw .unreadable("the key") }
        guard key.publicKey == leaf.publicKey else { throw .keyMismatch }
        var names: [String] = []
        for case .dnsName(let name) in (try? leaf.extensions.subjectAlternativeNames) ?? SubjectAlternativeNames([]) {
            names.append(name.lowercased())
        }
        let missing = wanted.filter { !names.contains($0) }
        guard missing.isEmpty else { throw .missingNames(missing) }
        if let now {
            // CAs backdate certificates; one that begins in the future means that the CA's or the local clock is wrong.
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

/// Why a certificate is rejected.
package enum CertificateError: Error, Equatable, Sendable {
    case unreadable(String)
    case keyMismatch
    case missingNames([String])
    case notYetValid(Date)
    case expired(Date)
    case brokenChain
    case notForServers
}

extension CertificateError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unreadable(let why): "it cannot be parsed: \(why)"
        case .keyMismatch: "it was issued for another key"
        case .missingNames(let names): "it lacks \(names.joined(separator: ", "))"
        case .notYetValid(let date): "it is not valid before \(date.formatted(.iso8601))"
        case .expired(let date): "it expired at \(date.formatted(.iso8601))"
        case .brokenChain: "a certificate of the chain is not signed by the next one"
        case .notForServers: "its extended key usage lacks serverAuth"
        }
    }
}
