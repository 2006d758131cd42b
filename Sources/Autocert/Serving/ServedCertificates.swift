import NIOCore
package import NIOSSL
import Synchronization

/// The certificate that is currently served, and the challenge certificates for TLS-ALPN-01.
package final class ServedCertificates: Sendable {
    /// How a handshake continues.
    package enum Decision: Sendable {
        case ordinary
        case challenge(ServableCertificate)
        case reject(TLSAlert)
    }

    package enum Failure: Error, Equatable, Sendable, CustomStringConvertible {
        case noCertificateYet

        package var description: String { "No certificate is installed yet: wait for the CA, or install one." }
    }

    private struct State {
        var current: ServableCertificate?
        var challenges: [String: ServableCertificate] = [:]
    }

    private let names: Set<String>
    private let state = Mutex(State())

    /// Serves `names`, which are in lower case; if there are none, any name that a client asks for.
    package init(names: Set<String>) {
        self.names = names
    }

    package var current: ServableCertificate? { state.withLock { $0.current } }

    /// Serves `certificate` from the next handshake on. Open connections are not affected.
    package func install(_ certificate: ServableCertificate) {
        state.withLock { $0.current = certificate }
    }

    /// Responds to TLS-ALPN-01 for `name` (RFC 8737) with `challenge` until it is removed.
    package func addChallenge(_ challenge: ServableCertificate, for name: String) {
        state.withLock { $0.challenges[name.lowercased()] = challenge }
    }

    package func removeChallenge(for name: String) {
        state.withLock { $0.challenges[name.lowercased()] = nil }
    }

    package func decision(for hello: ClientHello) -> Decision {
        if hello.protocols == [ChallengeCertificate.applicationProtocol] {
            let challenge = state.withLock { state in hello.serverName.flatMap { state.challenges[$0] } }
            return challenge.map(Decision.challenge) ?? .reject(.noApplicationProtocol)
        }
        if let name = hello.serverName, !names.isEmpty, !names.contains(name) { return .reject(.unrecognizedName) }
        return current == nil ? .reject(.internalError) : .ordinary
    }

    /// The configuration of a server that looks up the certificate at each handshake, so that a new one needs no restart.
    package func tlsConfiguration() -> TLSConfiguration {
        // A server configuration requires a key, and a placeholder key could be served by mistake. A client
        // configuration differs only in that it verifies its peer.
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .none
        configuration.minimumTLSVersion = .tlsv12
        configuration.cipherSuiteValues = TLSConfiguration.aeadSuites
        // On connections that allow half closure, NIOSSL waits this long even after the client's close_notify, and a
        // waiting connection counts towards the connection limit.
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
