import Autocert
import Crypto
import Foundation
import SwiftASN1
import TestSupport
import Testing
import X509

@Suite(.timeLimit(.minutes(15))) struct CertificateTests {
    struct Kind: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let arguments: [String]
        let header: String
    }

    static let kinds = [
        Kind(
            testDescription: "PKCS#8",
            arguments: ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
            header: "-----BEGIN PRIVATE KEY-----"),
        Kind(
            testDescription: "SEC1 behind its parameters", arguments: ["ecparam", "-name", "secp384r1", "-genkey"],
            header: "-----BEGIN EC PRIVATE KEY-----"),
        Kind(
            testDescription: "PKCS#1", arguments: ["genrsa", "-traditional", "2048"],
            header: "-----BEGIN RSA PRIVATE KEY-----"),
    ]

    @Test(arguments: kinds) func everyKeyFormatIsServed(_ kind: Kind) async throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        _ = try scratch.write(try await OpenSSL.run(kind.arguments).output, to: "key")
        #expect(try scratch.text("key").contains(kind.header))
        let made = try await OpenSSL.run([
            "req", "-x509", "-key", scratch.file("key"), "-subj", "/O=Somebody/CN=Her CA", "-days", "7", "-addext",
            "subjectAltName=DNS:Node.Example,IP:127.0.0.1,DNS:second.example", "-out", scratch.file("certificate"),
        ])
        try #require(made.status == 0)
        let certificate = try ServableCertificate(
            certificatePEM: scratch.read("certificate"), privateKeyPEM: scratch.read("key"))
        #expect(certificate.names == ["node.example", "second.example"])
        #expect(certificate.issuer == "CN=Her CA,O=Somebody")
        #expect(certificate.notAfter.timeIntervalSince(certificate.notBefore) == 7 * 86_400)

        let certificates = ServedCertificates(names: [])
        certificates.install(certificate)
        try await EchoServer.with(certificates) { server in
            let visit = try await OpenSSL.visit(server.port, ["-noservername"])
            #expect(visit.certificates == certificate.chain)
        }
    }

    @Test func aWholeChainIsServed() async throws {
        let made = try (0..<3).map { _ in try DevelopmentCertificate(name: "node.example", now: Date()) }
        let text = made.map { "# a comment\n" + $0.certificatePEM }.joined()
        let chain = try ServableCertificate(
            certificatePEM: Array(text.utf8), privateKeyPEM: Array(made[0].privateKeyPEM.utf8))
        #expect(chain.chain.count == 3)
        let certificates = ServedCertificates(names: [])
        certificates.install(try someCertificate())
        certificates.install(chain)
        try await EchoServer.with(certificates) { server in
            let visit = try await OpenSSL.visit(server.port, ["-noservername"])
            #expect(visit.certificates == chain.chain)
        }
    }

    struct Invalid: CustomTestStringConvertible, Sendable {
        let error: ServableCertificate.LoadError
        let certificate: @Sendable (DevelopmentCertificate) -> String
        let key: @Sendable (DevelopmentCertificate) throws -> String

        var testDescription: String { "\(error)" }
    }

    static func cut(_ text: String) -> String {
        text.split(separator: "\n").enumerated().filter { $0.offset != 2 }.map(\.element).joined(separator: "\n")
    }

    static let invalid: [Invalid] = [
        Invalid(error: .certificateIsNotPEM, certificate: { _ in "" }, key: \.privateKeyPEM),
        Invalid(error: .certificateIsNotPEM, certificate: { _ in "not PEM" }, key: \.privateKeyPEM),
        Invalid(error: .noCertificate, certificate: \.privateKeyPEM, key: \.privateKeyPEM),
        Invalid(error: .damagedCertificate, certificate: { cut($0.certificatePEM) }, key: \.privateKeyPEM),
        Invalid(
            error: .damagedCertificate, certificate: { $0.certificatePEM + cut($0.certificatePEM) },
            key: \.privateKeyPEM),
        Invalid(error: .keyIsNotPEM, certificate: \.certificatePEM, key: { _ in "" }),
        Invalid(error: .keyIsNotPEM, certificate: \.certificatePEM, key: { _ in "not PEM" }),
        Invalid(error: .noKey, certificate: \.certificatePEM, key: \.certificatePEM),
        Invalid(error: .damagedKey, certificate: \.certificatePEM, key: { cut($0.privateKeyPEM) }),
        Invalid(
            error: .keyDoesNotMatch, certificate: \.certificatePEM,
            key: { _ in try DevelopmentCertificate(name: "node.example", now: Date()).privateKeyPEM }),
    ]

    @Test(arguments: invalid) func anInvalidPairNamesItsError(_ example: Invalid) throws {
        let made = try DevelopmentCertificate(name: "node.example", now: Date())
        let key = try example.key(made)
        #expect(throws: example.error) {
            try ServableCertificate(
                certificatePEM: Array(example.certificate(made).utf8), privateKeyPEM: Array(key.utf8))
        }
    }

    @Test(arguments: [[], ["-traditional"]]) func anEncryptedKeyIsReported(_ format: [String]) async throws {
        let made = try DevelopmentCertificate(name: "node.example", now: Date())
        let key = try await OpenSSL.run(
            ["pkey", "-aes-256-cbc", "-passout", "pass:secret"] + format, input: made.privateKeyPEM)
        #expect(key.output.contains("ENCRYPTED"))
        #expect(throws: ServableCertificate.LoadError.encryptedKey) {
            try ServableCertificate(
                certificatePEM: Array(made.certificatePEM.utf8), privateKeyPEM: Array(key.output.utf8))
        }
    }

    @Test func aChallengeCertificateConformsToTheRFC() async throws {
        let challenge = try ChallengeCertificate(name: "node.example", keyAuthorization: "token.key", now: Date())
        #expect(challenge.servable.names == ["node.example"])
        let pem = try challenge.servable.leaf.serializeAsPEM().pemString + "\n"
        let text = try await OpenSSL.run(["x509", "-noout", "-text"], input: pem).output
        #expect(text.contains("ASN1 OID: prime256v1"))
        #expect(text.contains("Subject Alternative Name: \n                DNS:node.example\n"))
        let digest = SHA256.hash(data: Data("token.key".utf8)).map { String(format: "%02X", $0) }.joined()
        let structure = try await OpenSSL.run(["asn1parse"], input: pem).output.split(separator: "\n")
        let line = try #require(
            structure.firstIndex { $0.contains("1.3.6.1.5.5.7.1.31") || $0.contains("acmeIdentifier") })
        #expect(structure[line + 1].contains("BOOLEAN           :255"))
        #expect(structure[line + 2].hasSuffix("[HEX DUMP]:0420\(digest)"))
        let scratch = try Scratch()
        defer { scratch.remove() }
        let file = try scratch.write(pem, to: "pem")
        let verified = try await OpenSSL.run(["verify", "-ignore_critical", "-check_ss_sig", "-CAfile", file, file])
        #expect(verified.output.hasSuffix(": OK\n"))
    }
}
