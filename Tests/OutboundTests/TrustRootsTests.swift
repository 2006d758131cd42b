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
        for file in [path, scratch.file("missing")] {
            #expect(throws: TrustRootsError.notCertificates(file)) { _ = try TrustRoots.file(file).tlsConfiguration() }
        }
        for bytes in [[], [0, 255]] as [[UInt8]] {
            #expect(throws: TrustRootsError.notCertificates(nil)) { _ = try TrustRoots.pem(bytes).tlsConfiguration() }
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
