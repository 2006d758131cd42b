package import FoundationEssentials
package import NIOSSL
import SwiftASN1
package import X509

/// A certificate chain with its matching private key, ready to be served.
package struct ServableCertificate: Sendable {
    /// Leaf first, as in the handshake.
    package let chain: [NIOSSLCertificate]
    package let key: NIOSSLPrivateKey
    package let leaf: Certificate
    /// The DNS names in the certificate, in lower case.
    package let names: [String]
    package let issuer: String

    package var notBefore: Date { leaf.notValidBefore }
    package var notAfter: Date { leaf.notValidAfter }

    /// Reads PEM. The key may be PKCS#8, SEC1 or PKCS#1.
    package init(certificatePEM: [UInt8], privateKeyPEM: [UInt8]) throws(LoadError) {
        chain = try Self.chain(certificatePEM)
        key = try Self.key(privateKeyPEM)
        guard let der = try? chain.first?.toDERBytes(), let leaf = try? Certificate(derEncoded: der) else {
            throw .damagedCertificate
        }
        // BoringSSL compares the two when it loads the key, and BoringSSL does the handshake.
        guard (try? NIOSSLContext(configuration: Self.configuration(chain, key))) != nil else {
            throw .keyDoesNotMatch
        }
        self.leaf = leaf
        issuer = leaf.issuer.description
        let alternatives = (try? leaf.extensions.subjectAlternativeNames) ?? SubjectAlternativeNames()
        names = alternatives.compactMap { name in
            if case .dnsName(let name) = name { name.lowercased() } else { nil }
        }
    }

    /// The TLS configuration of a server with this certificate alone.
    var configuration: TLSConfiguration { Self.configuration(chain, key) }

    private static func configuration(_ chain: [NIOSSLCertificate], _ key: NIOSSLPrivateKey) -> TLSConfiguration {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        configuration.cipherSuiteValues = TLSConfiguration.aeadSuites
        return configuration
    }

    private static func chain(_ pem: [UInt8]) throws(LoadError) -> [NIOSSLCertificate] {
        let text = String(decoding: pem, as: UTF8.self)
        guard text.contains("-----BEGIN ") else { throw .certificateIsNotPEM }
        guard text.contains("-----BEGIN CERTIFICATE-----") else { throw .noCertificate }
        guard let chain = try? NIOSSLCertificate.fromPEMBytes(pem) else { throw .damagedCertificate }
        return chain
    }

    private static func key(_ pem: [UInt8]) throws(LoadError) -> NIOSSLPrivateKey {
        if !pem.isEmpty, let key = try? NIOSSLPrivateKey(bytes: pem, format: .pem) { return key }
        let text = String(decoding: pem, as: UTF8.self)
        guard text.contains("-----BEGIN ") else { throw .keyIsNotPEM }
        guard text.contains("PRIVATE KEY-----") else { throw .noKey }
        throw text.contains("ENCRYPTED") ? .encryptedKey : .damagedKey
    }
}

extension ServableCertificate {
    /// Why a certificate and a key cannot be served.
    package enum LoadError: Error, Equatable, Sendable, CaseIterable, CustomStringConvertible {
        case certificateIsNotPEM, noCertificate, damagedCertificate
        case keyIsNotPEM, noKey, encryptedKey, damagedKey
        case keyDoesNotMatch

        package var description: String {
            switch self {
            case .certificateIsNotPEM:
                "The certificate is not PEM: convert it with openssl x509 -inform der -in FILE."
            case .noCertificate: "The PEM file contains no certificate: check that certificate and key are not swapped."
            case .damagedCertificate: "A certificate of the chain cannot be parsed: copy the whole file again."
            case .keyIsNotPEM: "The private key is not PEM: convert it with openssl pkey -inform der -in FILE."
            case .noKey: "The PEM file contains no private key: check that certificate and key are not swapped."
            case .encryptedKey: "The private key has a passphrase: remove it with openssl pkey -in FILE."
            case .damagedKey: "The private key cannot be parsed: copy the whole file again."
            case .keyDoesNotMatch:
                "The private key does not match the certificate: the chain must begin with the key's certificate."
            }
        }
    }
}

extension TLSConfiguration {
    /// Cipher suites for TLS 1.2 with forward secrecy and AEAD (RFC 9325 section 4.2); TLS 1.3 has no others.
    static let aeadSuites: [NIOTLSCipher] = [
        .TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, .TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        .TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, .TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
        .TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, .TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    ]
}
