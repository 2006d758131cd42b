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

    struct DidNotEnd: Error { let arguments: [String] }

    /// Connects as a client, sends "ping" and reads until the server closes.
    static func visit(_ port: Int, _ arguments: [String]) async throws -> Outcome {
        try await run(
            ["s_client", "-connect", "127.0.0.1:\(port)", "-showcerts", "-ign_eof"] + arguments, input: "ping\n")
    }

    /// Runs to the end. Input and output go through files, so that no full pipe can block the process.
    static func run(_ arguments: [String], input: String = "") async throws -> Outcome {
        let scratch = try Scratch()
        defer { scratch.remove() }
        for name in ["out", "err"] { _ = try scratch.write("", to: name) }
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/openssl")
        process.arguments = arguments
        process.standardInput = try FileHandle(forReadingFrom: URL(filePath: scratch.write(input, to: "in")))
        process.standardOutput = try FileHandle(forWritingTo: scratch.url("out"))
        process.standardError = try FileHandle(forWritingTo: scratch.url("err"))
        let (ended, end) = AsyncStream<Void>.makeStream()
        process.terminationHandler = { _ in end.finish() }
        try process.run()
        // Threads of the pool block SIGTERM, and a child inherits the signal mask of the thread that started it.
        let child = process.processIdentifier
        let watchdog = Task {
            try await Task.sleep(for: .seconds(30))
            kill(child, SIGKILL)
        }
        for await _ in ended {}
        watchdog.cancel()
        if process.terminationReason != .exit { throw DidNotEnd(arguments: arguments) }
        return Outcome(
            status: process.terminationStatus, output: try scratch.text("out"), errors: try scratch.text("err"))
    }
}
