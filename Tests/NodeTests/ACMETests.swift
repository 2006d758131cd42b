import Foundation
import TestSupport
import Testing

/// `clavitor-node serve --domain` as a process, with pebble as its CA, verified by OpenSSL.
@Suite(.timeLimit(.minutes(15))) struct ACMETests {
    private static let name = "vault.example.org"

    /// A node process and its log.
    private final class Visited {
        let scratch: Scratch
        let ca: Pebble
        private(set) var process: RunningTool

        /// `directory`: A directory URL instead of the CA's.
        init(
            _ ca: Pebble, _ arguments: [String] = [], directory: String? = nil, program: String = "clavitor-node"
        ) throws {
            scratch = try Scratch()
            self.ca = ca
            process = try Self.start(scratch, ca, arguments, directory, program: program)
        }

        deinit {
            process.kill()
            scratch.remove()
        }

        private static func start(
            _ scratch: Scratch, _ ca: Pebble, _ arguments: [String], _ directory: String? = nil,
            program: String = "clavitor-node"
        ) throws -> RunningTool {
            let log = scratch.file("log")
            return try Program(name: program).start(
                [
                    "serve", "--dev", "--data", scratch.file("data"), "--domain", ACMETests.name, "--https",
                    "127.0.0.1:\(ca.tlsPort)", "--http", "127.0.0.1:\(ca.httpPort)", "--acme-directory",
                    directory ?? ca.directory,
                    "--acme-ca-file", ca.trust,
                ] + arguments, output: log, errors: log)
        }

        func kill9() { process.kill() }

        func kill9AndStartAgain(_ arguments: [String] = []) throws {
            kill9()
            process = try Self.start(scratch, ca, arguments)
        }

        var log: String { (try? scratch.text("log")) ?? "" }

        /// The CA validated while the node was down, and the back-off may be ten minutes: pretend that it has passed.
        func skipTheBackOff() throws {
            let path = scratch.file("data/tls/ledger.json")
            let ledger = try String(contentsOfFile: path, encoding: .utf8)
            try ledger.replacing(/"notBefore":"[^"]*"/, with: "\"notBefore\":\"2000-01-01T00:00:00Z\"")
                .write(toFile: path, atomically: true, encoding: .utf8)
        }

        /// Waits until the log contains one of `texts` this many times, for three minutes at most.
        func says(_ texts: String..., times: Int = 1) async throws -> Bool {
            do {
                try await process.wait { process in
                    let log = process.text
                    return texts.contains { log.ranges(of: $0).count >= times }
                }
                return true
            } catch is NeverHappened {
                return false
            } catch is RunningTool.Ended {
                return false
            }
        }

        func openssl(_ arguments: [String] = []) throws -> String {
            try Tool(
                "/usr/bin/openssl",
                ["s_client", "-connect", "127.0.0.1:\(ca.tlsPort)", "-servername", ACMETests.name] + arguments
            ).text
        }

        func cert(_ arguments: String...) throws -> Program.Result {
            try Program(name: "clavitor-node").run(["cert"] + arguments + ["--data", scratch.file("data")])
        }
    }

    struct Case: CustomTestStringConvertible {
        var testDescription: String
        var options: Pebble.Options
        var arguments: [String]
    }

    @Test(arguments: [
        Case(testDescription: "as it comes", options: .init(), arguments: []),
        Case(testDescription: "HTTP-01", options: .init(), arguments: ["--acme-challenge", "http-01"]),
        Case(testDescription: "TLS-ALPN-01", options: .init(), arguments: ["--acme-challenge", "tls-alpn-01"]),
        Case(testDescription: "half of all nonces refused", options: .init(badNonces: 50), arguments: []),
        Case(testDescription: "authorizations used again", options: .init(reuse: 100), arguments: []),
        Case(testDescription: "slow validation", options: .init(delay: 2), arguments: []),
        Case(testDescription: "P-384", options: .init(), arguments: ["--acme-key", "p384"]),
        Case(testDescription: "RSA", options: .init(), arguments: ["--acme-key", "rsa2048"]),
    ])
    func anEmptyDirectoryGetsACertificateThatOpenSSLAccepts(_ example: Case) async throws {
        let node = try Visited(try Pebble(example.options), example.arguments)
        let isIssued = try await node.says("certificate issued")
        let visit = try node.openssl([
            "-CAfile", try node.ca.root(), "-verify_return_error", "-verify_hostname", Self.name,
        ])
        let status = try node.cert("status")
        #expect(isIssued, "\(node.log)")
        #expect(visit.contains("Verify return code: 0 (ok)"), "\(visit)")
        #expect(status.status == 0 && status.output.contains(Self.name), "\(status.output)\(status.errors)")
    }

    @Test func theMonitorGetsACertificateToo() async throws {
        let monitor = try Visited(try Pebble(), program: "clavitor-monitor")
        let isIssued = try await monitor.says("certificate issued")
        let visit = try monitor.openssl([
            "-CAfile", try monitor.ca.root(), "-verify_return_error", "-verify_hostname", Self.name,
        ])
        #expect(isIssued, "\(monitor.log)")
        #expect(visit.contains("Verify return code: 0 (ok)"), "\(visit)")
    }

    /// Another client at the same CA, as a control.
    @Test func legoIsServedByTheSameCA() async throws {
        let ca = try Pebble()
        let output = try await Tool(
            "/usr/bin/env",
            [
                "LEGO_CA_CERTIFICATES=\(ca.trust)", "/usr/bin/lego", "--path", ca.scratch.file("lego"), "--server",
                ca.directory, "--accept-tos", "--email", "soc@example.org", "--domains", Self.name, "--http",
                "--http.port",
                "127.0.0.1:\(ca.httpPort)", "run",
            ]
        ).text
        let certificate = ca.scratch.file("lego/certificates/\(Self.name).crt")
        #expect(FileManager.default.fileExists(atPath: certificate), "\(output)")
    }

    @Test func anExternalAccountIsBound() async throws {
        let key = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"
        let ca = try Pebble(.init(externalAccount: ("kid-1", key)))
        let node = try Visited(ca)
        let isRefused = try await node.says("external account binding")
        let path = try node.scratch.write(key + "\n", to: "eab")
        node.kill9()
        try FileManager.default.removeItem(atPath: node.scratch.file("data/tls/ledger.json"))
        try node.kill9AndStartAgain(["--acme-eab-kid", "kid-1", "--acme-eab-key-file", path])
        let isIssued = try await node.says("certificate issued")
        #expect(isRefused)
        #expect(isIssued, "\(node.log)")
    }

    @Test func aNameThatTheCACannotReachIsProvenThroughDNS() async throws {
        let knot = try KnotServer()
        let node = try Visited(
            try Pebble(.init(dns: (knot.address, knot.port))),
            [
                "--acme-challenge", "dns-01", "--dns-server", "\(knot.address):\(knot.port)", "--dns-zone",
                "example.org",
                "--dns-key-file", try knot.keyFile(),
            ])
        let isIssued = try await node.says("certificate issued")
        let left = try knot.lookUp("_acme-challenge.\(Self.name)", "TXT")
        #expect(isIssued, "\(node.log)")
        #expect(left.isEmpty)
    }

    @Test func ofSeveralChainsThePreferredOneIsServed() async throws {
        let ca = try Pebble(.init(alternates: 2))
        let root = try ca.root(2)
        let subject = try await Tool(
            "/usr/bin/openssl", ["x509", "-in", root, "-noout", "-subject", "-nameopt", "sep_multiline"]
        ).text
        let name = try #require(subject.firstMatch(of: /CN=(.+)/)?.1)
        let node = try Visited(ca, ["--acme-chain", String(name)])
        let isIssued = try await node.says("certificate issued")
        let visit = try node.openssl(["-CAfile", root, "-verify_return_error"])
        #expect(isIssued, "\(node.log)")
        #expect(visit.contains("Verify return code: 0 (ok)"), "\(visit)")
    }

    @Test func aShortCertificateIsReplacedWithoutARestart() async throws {
        // Half of 60 seconds: the first renewal comes while the test looks.
        let node = try Visited(try Pebble(.init(badNonces: 0, validity: 60)))
        let isRenewed = try await node.says("certificate issued", times: 2)
        #expect(isRenewed, "\(node.log)")
    }

    @Test func anOperatorsRenewalAndRevocationReachTheCA() async throws {
        let node = try Visited(try Pebble())
        let isIssued = try await node.says("certificate issued")
        let revoked = try node.cert("revoke", "--key-compromise", "--acme-ca-file", node.ca.trust)
        let isReplaced = try await node.says("certificate issued", times: 2)
        let again = try node.cert("revoke", "--acme-ca-file", node.scratch.file("nothing"))
        #expect(isIssued)
        #expect(revoked.status == 0, "\(revoked.errors)")
        #expect(isReplaced, "\(node.log)")
        #expect(again.status != 0)
    }

    @Test func aRestartRequestsNoCertificate() async throws {
        let node = try Visited(try Pebble())
        let isIssued = try await node.says("certificate issued")
        let before = try node.openssl()
        try node.kill9AndStartAgain()
        let isServing = try await node.says("\"message\":\"serving\"", times: 2)
        let after = try node.openssl()
        let pem = /-----BEGIN CERTIFICATE-----[^-]+/
        #expect(isIssued && isServing)
        #expect(before.firstMatch(of: pem)?.0 == after.firstMatch(of: pem)?.0)
        #expect(node.log.ranges(of: "certificate issued").count == 1)
    }

    @Test func killedAtAnyMomentOfAnOrderItStillGetsItsCertificate() async throws {
        let node = try Visited(try Pebble(.init(delay: 1)))
        for turn in 0..<8 {
            // From before the first request to the middle of the validation.
            try await Task.sleep(for: .milliseconds(40 + 90 * turn))
            try node.kill9AndStartAgain()
        }
        _ = try await node.says("certificate issued", "certificate renewal failed")
        if !node.log.contains("certificate issued") {
            node.kill9()
            try node.skipTheBackOff()
            try node.kill9AndStartAgain()
        }
        let isIssued = try await node.says("certificate issued")
        node.kill9()
        let audit = try Program(name: "clavitor-node").run(["audit", "export", "--data", node.scratch.file("data")])
        #expect(isIssued, "\(node.log)")
        #expect((1...6).contains(audit.output.ranges(of: "certificate.order").count), "\(audit.output)")
        // Twice if it died between the line and the note that it was written.
        #expect((1...2).contains(audit.output.ranges(of: "certificate.issue").count))
    }

    @Test func withoutCertificateAHandshakeIsRefusedAndPlainHTTPRedirects() async throws {
        let ca = try Pebble()
        // Nothing listens where this CA would be.
        let node = try Visited(ca, directory: "https://localhost:1/dir")
        _ = try await node.says("\"message\":\"serving\"")
        let refused = try node.openssl()
        let plain = try await Tool(
            "/usr/bin/curl", ["-si", "-H", "Host: \(Self.name)", "http://127.0.0.1:\(ca.httpPort)/a?b=c"]
        ).text
        let otherPerson = try await Tool(
            "/usr/bin/curl", ["-si", "-H", "Host: evil.example.net", "http://127.0.0.1:\(ca.httpPort)/"]
        ).text
        let unknown = try await Tool(
            "/usr/bin/curl", ["-si", "http://127.0.0.1:\(ca.httpPort)/.well-known/acme-challenge/guess"]
        ).text
        #expect(!refused.contains("BEGIN CERTIFICATE") && refused.contains("alert internal error"), "\(refused)")
        #expect(plain.hasPrefix("HTTP/1.1 308"))
        #expect(plain.contains("https://\(Self.name):\(ca.tlsPort)/a?b=c"))
        #expect(otherPerson.contains("https://\(Self.name):"))
        #expect(unknown.hasPrefix("HTTP/1.1 404"))
    }

    @Test func withPort80InUseTheOtherChallengeWorks() async throws {
        let ca = try Pebble()
        let other = try Visited(ca, ["--acme-challenge", "tls-alpn-01"])
        _ = try await other.says("certificate issued")
        let scratch = try Scratch()
        defer { scratch.remove() }
        let process = try Program(name: "clavitor-node").start(
            [
                "serve", "--dev", "--data", scratch.file("data"), "--domain", Self.name, "--https", "127.0.0.1:0",
                "--http", "127.0.0.1:\(ca.httpPort)", "--acme-directory", ca.directory, "--acme-ca-file", ca.trust,
            ])
        defer { process.kill() }
        try await process.wait { $0.text.contains("plain HTTP is not served") }
        #expect(process.isRunning)
    }

    @Test func aSecondNodeOnOneDirectoryIsRejected() async throws {
        let node = try Visited(try Pebble())
        _ = try await node.says("certificate issued")
        let second = try Program(name: "clavitor-node").run([
            "serve", "--dev", "--data", node.scratch.file("data"), "--domain", Self.name, "--https", "127.0.0.1:0",
        ])
        #expect(second.status != 0)
        #expect(node.log.ranges(of: "certificate issued").count == 1)
    }
}
