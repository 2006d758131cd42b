import Autocert
import Foundation
import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import ServerRuntime
import Testing

/// Redirects of port 80 for configured and unconfigured names.
@Suite struct PlainHTTPTests {
    private func answer(
        to host: String?, names: [String] = [], certificate: [String] = [], path: String = "/a?b=c"
    ) throws -> Response {
        let served = ServedCertificates(names: [])
        for name in certificate {
            let made = try DevelopmentCertificate(name: name, now: Date())
            served.install(
                try ServableCertificate(
                    certificatePEM: Array(made.certificatePEM.utf8), privateKeyPEM: Array(made.privateKeyPEM.utf8)))
        }
        let plain = PlainHTTP(
            address: BindAddress(host: "127.0.0.1", port: 0), challenges: HTTP01Solver(), names: names,
            served: served,
            httpsPort: 443, group: MultiThreadedEventLoopGroup.singleton,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let head = HTTPRequest(method: .get, scheme: nil, authority: host, path: path)
        return plain.response(to: Request(head: head, body: .init(buffer: ByteBuffer())))
    }

    private func location(_ response: Response) -> String? { response.headers[.location] }

    @Test(arguments: [nil, "", "anything", "a:1:2", "[::1]:80"]) func withoutAnyNameNothingIsRedirected(
        _ host: String?
    ) throws {
        let response = try answer(to: host)
        #expect(response.status == .notFound && location(response) == nil)
    }

    @Test func withoutConfiguredNamesTheCertificatesNameApplies() throws {
        // Such a certificate has the name localhost too, and first.
        for (host, name) in [
            ("hub.example.org", "hub.example.org"), ("HUB.example.org:80", "hub.example.org"),
            ("stranger.example", "localhost"), (nil, "localhost"),
        ] {
            let response = try answer(to: host, certificate: ["hub.example.org"])
            #expect(response.status == .permanentRedirect)
            #expect(location(response) == "https://\(name)/a?b=c")
        }
    }

    @Test func theRequestedNameIsKept() throws {
        let names = ["one.example", "two.example"]
        #expect(location(try answer(to: "two.example", names: names)) == "https://two.example/a?b=c")
        #expect(location(try answer(to: "three.example", names: names)) == "https://one.example/a?b=c")
        let certificate = try answer(to: "hub.example", names: names, certificate: ["hub.example"])
        #expect(location(certificate) == "https://one.example/a?b=c")
    }

    @Test func aWildcardMatchesOneLabel() throws {
        let names = ["*.example.org"]
        #expect(location(try answer(to: "a.example.org", names: names)) == "https://a.example.org/a?b=c")
        for host in ["example.org", "a.b.example.org", "evil.net/.example.org", "*.example.org", "a.example.com"] {
            #expect(try answer(to: host, names: names).status == .notFound, "\(host)")
        }
        #expect(location(try answer(to: "other", names: names + ["x.example"])) == "https://x.example/a?b=c")
    }

    @Test func anUnknownChallengeIsNotFound() throws {
        #expect(try answer(to: nil, path: "/.well-known/acme-challenge/x").status == .notFound)
    }
}
