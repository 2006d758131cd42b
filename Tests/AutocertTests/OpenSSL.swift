import Foundation
import NIOSSL
import TestSupport

/// The `openssl` program, an independent implementation of TLS and certificates.
enum OpenSSL {
    struct Outcome: Sendable {
        let status: Int32
        let output: String
        let errors: String

        /// What the server presented, leaf first.
        var certificates: [NIOSSLCertificate] {
            (try? NIOSSLCertificate.fromPEMBytes(Array(output.utf8))) ?? []
        }

        /// The alert that ended the handshake.
        var alert: Int? {
            errors.firstMatch(of: /SSL alert number (\d+)/).flatMap { Int($0.1) }
        }
    }

    /// Connects as a client, sends "ping" and reads until the server closes.
    static func visit(_ port: Int, _ arguments: [String]) async throws -> Outcome {
        try await run(
            ["s_client", "-connect", "127.0.0.1:\(port)", "-showcerts", "-ign_eof"] + arguments, input: "ping\n")
    }

    static func run(_ arguments: [String], input: String = "") async throws -> Outcome {
        let tool = try await Tool("/usr/bin/openssl", arguments, input: input)
        return Outcome(status: tool.status, output: tool.output, errors: tool.errors)
    }
}
