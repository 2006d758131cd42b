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
        let output = try await ChildProcess.run(
            "/usr/bin/openssl", ["dgst", "-sha256", "-hmac", "0123456789abcdef0123456789abcdef", file], in: scratch)
        #expect(output.trimmingCharacters(in: .whitespacesAndNewlines).hasSuffix("= \(parts.2)"))
    }
}

/// A program of the machine.
enum ChildProcess {
    struct Failed: Error { let output: String }

    /// Runs to completion and returns the output. Output goes through a file, so that no full pipe can block it.
    static func run(_ program: String, _ arguments: [String], in scratch: Scratch) async throws -> String {
        let name = "output-\(UUID().uuidString)"
        let process = try start(program, arguments, output: scratch.write("", to: name))
        while process.isRunning { try await Task.sleep(for: .milliseconds(5)) }
        let output = try scratch.text(name)
        guard process.terminationStatus == 0 else { throw Failed(output: output) }
        return output
    }

    static func start(_ program: String, _ arguments: [String], output: String) throws -> Process {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        let file = try FileHandle(forWritingTo: URL(filePath: output))
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = file
        process.standardError = file
        try process.run()
        return process
    }

    /// A key and a self-signed certificate for localhost and 127.0.0.1, in PEM files.
    static func makeCertificate(in scratch: Scratch) async throws -> (certificate: String, key: String) {
        let (certificate, key) = (scratch.file("certificate.pem"), scratch.file("key.pem"))
        _ = try await run(
            "/usr/bin/openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out",
                certificate,
            ], in: scratch)
        return (certificate, key)
    }
}
