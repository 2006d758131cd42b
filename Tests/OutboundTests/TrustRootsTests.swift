import AsyncHTTPClient
import NIOCore
import NIOSSL
import Outbound
import TestSupport
import Testing

@Suite struct TrustRootsTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    @Test func whatIsNoCertificateIsRefused() throws {
        let path = try scratch.write(Array("no certificate\n".utf8), to: "ca.pem")
        for roots in [TrustRoots.file(path), .file(scratch.file("missing")), .pem([]), .pem([0, 255])] {
            #expect(throws: TrustRootsError.notCertificates) { _ = try roots.tlsConfiguration() }
        }
    }

    @Test func anOptionThatIsLeftOutMeansTheSystems() throws {
        guard case .system = TrustRoots(file: nil), case .system = TrustRoots(pem: nil) else {
            Issue.record("something else is trusted")
            return
        }
        let configuration = try TrustRoots.system.tlsConfiguration()
        #expect(configuration.certificateVerification == .fullVerification)
    }

    @Test func aClientFollowsNoRedirectAndRetriesNothing() throws {
        let configuration = try HTTPClient.Configuration.outbound(trusting: .system)
        #expect(!configuration.connectionPool.retryConnectionEstablishment)
        #expect(configuration.timeout.connect == .seconds(10))
        #expect("\(configuration.redirectConfiguration)".contains("disallow"))
    }
}
