import Crypto
import Encoding
package import FoundationEssentials
import Synchronization

/// Publishes the response to a challenge where the CA validates it.
package protocol ChallengeSolver: Sendable {
    /// The challenge type of RFC 8555 section 8, such as `http-01`.
    var type: String { get }
    /// `authorization`: The key authorization (RFC 8555 section 8.1).
    func present(name: String, token: String, authorization: String) async throws
    func cleanUp(name: String, token: String, authorization: String) async
}

/// HTTP-01 (RFC 8555 section 8.3). Stores the key authorizations; the program serves them on port 80.
package final class HTTP01Solver: ChallengeSolver {
    package let type = "http-01"
    package static let path = "/.well-known/acme-challenge/"
    private let authorizations = Mutex<[String: String]>([:])

    package init() {}

    package func present(name: String, token: String, authorization: String) async throws {
        authorizations.withLock { $0[token] = authorization }
    }

    package func cleanUp(name: String, token: String, authorization: String) async {
        authorizations.withLock { $0[token] = nil }
    }

    /// The response body for a challenge path. Nil for any other path.
    package func response(path: String) -> String? {
        guard path.hasPrefix(Self.path) else { return nil }
        return authorizations.withLock { $0[String(path.dropFirst(Self.path.count))] }
    }
}

/// DNS-01 (RFC 8555 section 8.4), for names that the CA cannot reach.
package struct DNS01Solver: ChallengeSolver {
    package let type = "dns-01"
    private let add: @Sendable (_ name: String, _ text: String) async throws -> Void
    private let remove: @Sendable (_ name: String, _ text: String) async throws -> Void

    /// `add` and `remove`: Change the TXT records of a name and keep other values.
    package init(
        add: @escaping @Sendable (_ name: String, _ text: String) async throws -> Void,
        remove: @escaping @Sendable (_ name: String, _ text: String) async throws -> Void
    ) {
        self.add = add
        self.remove = remove
    }

    package func present(name: String, token: String, authorization: String) async throws {
        try await add("_acme-challenge.\(name)", Self.text(authorization))
    }

    package func cleanUp(name: String, token: String, authorization: String) async {
        // A leftover record does no harm: tokens are valid once.
        try? await remove("_acme-challenge.\(name)", Self.text(authorization))
    }

    private static func text(_ authorization: String) -> String {
        Base64URL.encode(Array(SHA256.hash(data: Array(authorization.utf8))))
    }
}

/// TLS-ALPN-01 (RFC 8737). The response is the certificate of a handshake.
package struct TLSALPN01Solver: ChallengeSolver {
    package let type = "tls-alpn-01"
    private let served: ServedCertificates
    private let now: @Sendable () -> Date

    package init(_ served: ServedCertificates, now: @escaping @Sendable () -> Date) {
        self.served = served
        self.now = now
    }

    package func present(name: String, token: String, authorization: String) async throws {
        served.addChallenge(
            try ChallengeCertificate(name: name, keyAuthorization: authorization, now: now()).servable, for: name)
    }

    package func cleanUp(name: String, token: String, authorization: String) async {
        served.removeChallenge(for: name)
    }
}
