import NIOCore
package import NIOSSL
import Synchronization

/// The certificate that the node serves now, and those that prove to a CA that its names are the node's.
package final class ServedCertificates: Sendable {
    /// What becomes of a handshake.
    package enum Decision: Sendable {
        case ordinary
        case challenge(ServableCertificate)
        case refuse(TLSAlert)
    }

    package enum Failure: Error, Equatable, Sendable, CustomStringConvertible {
        case noCertificateYet

        package var description: String { "There is no certificate to serve yet: wait for the CA, or install one." }
    }

    private struct State {
        var current: ServableCertificate?
        var challenges: [String: ServableCertificate] = [:]
    }

    private let names: Set<String>
    private let state = Mutex(State())

    /// Serves `names`, which are in lower case; if there are none, whatever name a client asks for.
    package init(names: Set<String>) {
        self.names = names
    }

    package var current: ServableCertificate? { state.withLock { $0.current } }

    /// From the next handshake on. Connections that stand are not touched.
    package func install(_ certificate: ServableCertificate) {
        state.withLock { $0.current = certificate }
    }

    /// Answers TLS-ALPN-01 for `name` (RFC 8737) until it is withdrawn.
    package func offer(_ challenge: ServableCertificate, for name: String) {
        state.withLock { $0.challenges[name.lowercased()] = challenge }
    }

    package func withdraw(_ name: String) {
        state.withLock { $0.challenges[name.lowercased()] = nil }
    }

    package func decision(for hello: ClientHello) -> Decision {
        if hello.protocols == [ChallengeCertificate.applicationProtocol] {
            let challenge = state.withLock { state in hello.serverName.flatMap { state.challenges[$0] } }
            return challenge.map(Decision.challenge) ?? .refuse(.noApplicationProtocol)
        }
        if let name = hello.serverName, !names.isEmpty, !names.contains(name) { return .refuse(.unrecognizedName) }
        return current == nil ? .refuse(.internalError) : .ordinary
    }

    /// For a server that asks at each handshake what to serve, and so needs no restart for a new certificate.
    package func tlsConfiguration() -> TLSConfiguration {
        // A server configuration cannot be made without a key, and a key that must never be used is best not made.
        // A client's differs in nothing but that it verifies its peer.
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .none
        configuration.minimumTLSVersion = .tlsv12
        configuration.cipherSuiteValues = TLSConfiguration.aeadSuites
        // On connections that may be half closed, NIOSSL waits this long even for a client that has said goodbye, and a
        // connection that waits takes the place of one that could be served.
        configuration.shutdownTimeout = .seconds(1)
        configuration.sslContextCallback = { [self] _, promise in
            guard let current else { return promise.fail(Failure.noCertificateYet) }
            var override = NIOSSLContextConfigurationOverride()
            override.certificateChain = current.chain.map { .certificate($0) }
            override.privateKey = .privateKey(current.key)
            promise.succeed(override)
        }
        return configuration
    }
}
