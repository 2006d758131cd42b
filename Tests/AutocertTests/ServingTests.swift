import Autocert
import Foundation
import NIOSSL
import TestSupport
import Testing

/// Serving over real sockets, checked with OpenSSL.
@Suite(.timeLimit(.minutes(15))) struct ServingTests {
    let certificates = ServedCertificates(names: ["node.example", "second.example"])

    @Test(arguments: [
        ["-servername", "node.example"], ["-servername", "NODE.example"], ["-noservername"],
        ["-servername", "second.example", "-tls1_2"], ["-servername", "node.example", "-tls1_3"],
        ["-noservername", "-tls1_2"], ["-servername", "node.example", "-alpn", "h2"],
        ["-servername", "node.example", "-alpn", "acme-tls/1,h2"],
        // The server asks for a second hello, with a key share that it can use.
        ["-servername", "node.example", "-tls1_3", "-groups", "P-521:P-256"],
    ])
    func anOrdinaryClientIsServed(_ arguments: [String]) async throws {
        let certificate = try someCertificate()
        certificates.install(certificate)
        try await EchoServer.with(certificates) { server in
            let visit = try await OpenSSL.visit(server.port, arguments)
            #expect(visit.certificates == certificate.chain)
            #expect(visit.output.contains("\nping\n"))
            #expect(server.recorder.events.contains(.handshake(arguments.contains("-alpn") ? "h2" : nil)))
        }
    }

    @Test(arguments: ["-tls1_2", "-tls1_3"])
    func anUnknownNameIsRejectedWithoutACertificate(_ version: String) async throws {
        certificates.install(try someCertificate())
        try await EchoServer.with(certificates) { server in
            let visit = try await OpenSSL.visit(server.port, ["-servername", "other.example", version])
            #expect(visit.alert == 112)
            #expect(visit.certificates.isEmpty)
            #expect(visit.output.contains("no peer certificate available"))
            try await server.ended(1)
            #expect(server.recorder.events == [.inactive])
        }
    }

    @Test(arguments: [true, false], ["-tls1_2", "-tls1_3"])
    func beforeTheFirstCertificateEveryHandshakeIsRejected(withHandler: Bool, _ version: String) async throws {
        try await EchoServer.with(certificates, withHandler: withHandler) { server in
            let early = try await OpenSSL.visit(server.port, ["-servername", "node.example", version])
            #expect(early.alert == 80)
            #expect(early.certificates.isEmpty)
            try await server.ended(1)
            #expect(server.recorder.events == [.inactive])

            let certificate = try someCertificate()
            certificates.install(certificate)
            let later = try await OpenSSL.visit(server.port, ["-servername", "node.example", version])
            #expect(later.certificates == certificate.chain)
        }
    }

    @Test(arguments: ["-tls1_2", "-tls1_3"])
    func aChallengeIsServedBesideOrdinaryHandshakes(_ version: String) async throws {
        let certificate = try someCertificate()
        certificates.install(certificate)
        let challenge = try ChallengeCertificate(name: "node.example", keyAuthorization: "token.key", now: Date())
        let arguments = ["-servername", "node.example", "-alpn", "acme-tls/1", version]
        try await EchoServer.with(certificates) { server in
            let early = try await OpenSSL.visit(server.port, arguments)
            #expect(early.alert == 120)

            certificates.addChallenge(challenge.servable, for: "node.example")
            async let challengedOutcome = OpenSSL.visit(server.port, arguments)
            async let ordinary = OpenSSL.visit(server.port, ["-servername", "node.example", version])
            let (challenged, served) = try await (challengedOutcome, ordinary)
            #expect(challenged.certificates == challenge.servable.chain)
            #expect(challenged.output.contains("ALPN protocol: acme-tls/1"))
            #expect(!challenged.output.contains("\nping\n"))
            #expect(served.certificates == certificate.chain)
            #expect(served.output.contains("\nping\n"))
            try await server.ended(3)
            #expect(server.recorder.events.count(where: { $0 == .bytes("ping\n") }) == 1)
            #expect(server.recorder.events.count(where: { $0 == .handshake(nil) }) == 1)
            #expect(server.recorder.events.count == 5)

            certificates.removeChallenge(for: "node.example")
            let late = try await OpenSSL.visit(server.port, arguments)
            #expect(late.alert == 120)
            #expect(late.certificates.isEmpty)
        }
    }

    @Test func aSwapServesTheNextHandshake() async throws {
        let (first, second) = (try someCertificate(), try someCertificate())
        certificates.install(first)
        try await EchoServer.with(certificates) { server in
            let open = try await TLSClient.connect(server.port)
            #expect(open.certificate == first.chain[0])
            certificates.install(second)
            let next = try await OpenSSL.visit(server.port, ["-servername", "node.example"])
            #expect(next.certificates == second.chain)
            let response = try await open.ask("still there")
            #expect(response == "still there")
        }
    }

    @Test(arguments: ["-tls1_2", "-tls1_3"])
    func aSessionFromBeforeASwapCanBeResumed(_ version: String) async throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let arguments = ["-servername", "node.example", version]
        certificates.install(try someCertificate())
        try await EchoServer.with(certificates) { server in
            _ = try await OpenSSL.visit(server.port, arguments + ["-sess_out", scratch.file("session")])
            certificates.install(try someCertificate())
            let again = try await OpenSSL.visit(server.port, arguments + ["-sess_in", scratch.file("session")])
            #expect(again.output.contains("\nping\n"))
        }
    }

    @Test func noHandshakeFailsWhileCertificatesAreSwapped() async throws {
        let all = try (0..<8).map { _ in try someCertificate() }
        let leaves = Set(all.map { $0.chain[0] })
        certificates.install(all[0])
        try await EchoServer.with(certificates) { server in
            let seen = try await withThrowingTaskGroup(of: Set<NIOSSLCertificate>.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        var seen: Set<NIOSSLCertificate> = []
                        for turn in 0..<125 {
                            let client = try await TLSClient.connect(server.port)
                            let leaf = try #require(client.certificate)
                            #expect(leaves.contains(leaf))
                            seen.insert(leaf)
                            let response = try await client.ask("turn \(turn)")
                            #expect(response == "turn \(turn)")
                            certificates.install(all[(turn + seen.count) % all.count])
                        }
                        return seen
                    }
                }
                return try await group.reduce(into: Set()) { $0.formUnion($1) }
            }
            #expect(seen.count > 1)

            certificates.install(all[7])
            let last = try await OpenSSL.visit(server.port, ["-servername", "node.example"])
            #expect(last.certificates == all[7].chain)
        }
    }

    @Test func aHelloInSingleBytesIsServed() async throws {
        let certificate = try someCertificate()
        certificates.install(certificate)
        try await EchoServer.with(certificates) { server in
            let client = try await TLSClient.connect(server.port, byteByByte: true)
            #expect(client.certificate == certificate.chain[0])
            let response = try await client.ask("slowly")
            #expect(response == "slowly")
        }
    }

    @Test func aClientWithoutTLSIsClosed() async throws {
        certificates.install(try someCertificate())
        try await EchoServer.with(certificates) { server in
            let response = try await TLSClient.send(Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8), to: server.port)
            #expect(response == [])
            try await server.ended(1)
            #expect(server.recorder.events == [.inactive])
        }
    }

    @Test(arguments: [["-alpn", "h2"], ["-alpn", "acme-tls/1"]], [10, .max])
    func aClientThatHalfClosesTooEarlyIsClosed(_ arguments: [String], _ count: Int) async throws {
        certificates.install(try someCertificate())
        certificates.addChallenge(try someCertificate(), for: "node.example")
        let hello = try await RecordedHello.openSSL(["-servername", "node.example"] + arguments)
        try await EchoServer.with(certificates) { server in
            let response = try await TLSClient.send(Array(hello.prefix(count)), to: server.port, ending: true)
            #expect(response.isEmpty || count == .max)
            try await server.ended(1)
            #expect(server.recorder.events == [.inactive])
        }
    }
}
