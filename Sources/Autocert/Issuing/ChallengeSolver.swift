import Crypto
package import FoundationEssentials
import Synchronization

/// Puts the answer to a challenge where the CA looks for it.
package protocol ChallengeSolver: Sendable {
    /// As in RFC 8555 section 8, such as `http-01`.
    var type: String { get }
    /// `authorization`: The key authorization (RFC 8555 section 8.1).
    func present(name: String, token: String, authorization: String) async throws
    func withdraw(name: String, token: String, authorization: String) async
}

/// HTTP-01 (RFC 8555 section 8.3). Holds the answers; the program serves them on port 80.
package final class HTTPChallenges: ChallengeSolver {
    package let type = "http-01"
    package static let path = "/.well-known/acme-challenge/"
    private let answers = Mutex<[String: String]>([:])

    package init() {}

    package func present(name: String, token: String, authorization: String) async throws {
        answers.withLock { $0[token] = authorization }
    }

    package func withdraw(name: String, token: String, authorization: String) async {
        answers.withLock { $0[token] = nil }
    }

    /// The body for a request, nil for any other path.
    package func answer(path: String) -> String? {
        guard path.hasPrefix(Self.path) else { return nil }
        return answers.withLock { $0[String(path.dropFirst(Self.path.count))] }
    }
}

/// DNS-01 (RFC 8555 section 8.4), for names that the CA cannot reach.
package struct DNSChallenges: ChallengeSolver {
    package let type = "dns-01"
    private let add: @Sendable (_ name: String, _ text: String) async throws -> Void
    private let remove: @Sendable (_ name: String, _ text: String) async throws -> Void

    /// `add` and `remove`: Change the TXT records of a name, and leave other values alone.
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

    package func withdraw(name: String, token: String, authorization: String) async {
        // A record that stays is useless to anybody: tokens are good once.
        try? await remove("_acme-challenge.\(name)", Self.text(authorization))
    }

    private static func text(_ authorization: String) -> String {
        base64URL(Array(SHA256.hash(data: Array(authorization.utf8))))
    }
}

/// TLS-ALPN-01 (RFC 8737), answered in the handshake itself.
package struct TLSChallenges: ChallengeSolver {
    package let type = "tls-alpn-01"
    private let served: ServedCertificates
    private let now: @Sendable () -> Date

    package init(_ served: ServedCertificates, now: @escaping @Sendable () -> Date) {
        self.served = served
        self.now = now
    }

    package func present(name: String, token: String, authorization: String) async throws {
        served.offer(
            try ChallengeCertificate(name: name, keyAuthorization: authorization, now: now()).servable, for: name)
    }

    package func withdraw(name: String, token: String, authorization: String) async { served.withdraw(name) }
}
