import Autocert
import Foundation
import TestSupport
import Testing

/// A CA that sends too much, or nothing, simulated by OpenSSL.
@Suite(.timeLimit(.minutes(15))) struct ACMEHTTPClientTests {
    private final class Server {
        let scratch: Scratch
        let port: Int
        private let process: RunningTool

        /// `arguments`: The arguments of `openssl s_server`.
        init(_ arguments: [String]) throws {
            scratch = try Scratch()
            port = try FreePort.take()
            let made = try DevelopmentCertificate(name: "localhost", now: Date())
            _ = try scratch.write(made.certificatePEM, to: "cert.pem")
            _ = try scratch.write(made.privateKeyPEM, to: "key.pem")
            try Data(repeating: 0x20, count: 1 << 20).write(to: scratch.url("huge"))
            process = try RunningTool(
                "/usr/bin/openssl",
                ["s_server", "-accept", "127.0.0.1:\(port)", "-cert", "cert.pem", "-key", "key.pem"] + arguments,
                input: nil, in: scratch.path)
        }

        /// Waits for the server, and requests `path`.
        func get(_ path: String) async throws -> ACMEError? {
            let client = try ACMEHTTPClient(trustedPEM: Array(Data(contentsOf: scratch.url("cert.pem"))))
            let transport: ACMETransport = { (request) async throws(ACMEError) in try await client.send(request) }
            var error: ACMEError?
            var listens = false
            try? await eventually("", every: .milliseconds(50)) {
                let acme = ACMEClient(
                    directory: "https://localhost:\(port)/\(path)", key: AccountKey(), account: nil, now: { Date() },
                    transport: transport)
                do throws(ACMEError) {
                    _ = try await acme.directory()
                    error = nil
                } catch let thrown {
                    error = thrown
                }
                if case .unreachable(let why)? = error, why.contains("onnect") { return false }
                listens = true
                return true
            }
            try await client.shutdown()
            #expect(listens)
            return error
        }
    }

    @Test func anEndlessResponseIsAborted() async throws {
        let error = try await Server(["-WWW"]).get("huge")
        guard case .malformed("response", let why)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(why.contains("longer than"))
    }

    @Test func aSilentServerTimesOut() async throws {
        let error = try await Server(["-quiet"]).get("directory")
        guard case .unreachable? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }
}
