import Foundation
import Monitor
import TestSupport
import Testing

/// The webhook's signature, verified with OpenSSL's HMAC.
@Suite struct SignatureTests {
    @Test func theSignatureMatchesOpenSSL() async throws {
        let scratch = try Scratch()
        let kind = ChannelSettings.Kind.webhook(.init(urlFile: "/url", keyFile: "/key"))
        let request = try await ChannelFormatTests.requests(kind, aMessage("c"))[0]
        let header = try #require(request.header("X-Clavitor-Signature"))
        let parts = try #require(header.wholeMatch(of: /t=(\d+),v1=([0-9a-f]{64})/))
        #expect(parts.1 == "1709312400")
        let signed = "\(parts.1)." + String(decoding: request.body, as: UTF8.self)
        let file = try scratch.write(signed, to: "signed")
        let openssl = try await Tool(
            "/usr/bin/openssl", ["dgst", "-sha256", "-hmac", "0123456789abcdef0123456789abcdef", file])
        #expect(openssl.output.trimmingCharacters(in: .whitespacesAndNewlines).hasSuffix("= \(parts.2)"))
    }
}

extension Scratch {
    /// A key and a self-signed certificate for localhost and 127.0.0.1, in PEM files.
    func makeCertificate() async throws -> (certificate: String, key: String) {
        let (certificate, key) = (file("certificate.pem"), file("key.pem"))
        _ = try await Tool(
            "/usr/bin/openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out",
                certificate,
            ])
        return (certificate, key)
    }
}
