import Crypto
import Encoding
package import FoundationEssentials
import Synchronization

/// ACME client for one account at one CA: RFC 8555, with renewal information (RFC 9773) and profiles.
///
/// Sends requests and decodes responses; `OrderStateMachine` decides which request comes next.
package final class ACMEClient: Sendable {
    package let directoryURL: String
    private let transport: ACMETransport
    private let now: @Sendable () -> Date
    private let state: Mutex<State>

    private struct State {
        var key: AccountKey
        var account: String?
        var directory: Directory?
        var nonces: [String] = []
    }

    /// Largest accepted clock skew in seconds. Certificates are backdated by about an hour, tokens live for minutes.
    private static let maximumClockSkew: TimeInterval = 300
    private static let maximumBadNonces = 10

    /// `account`: The account's URL, if it is already registered.
    package init(
        directory: String, key: AccountKey, account: String?, now: @escaping @Sendable () -> Date,
        transport: @escaping ACMETransport
    ) {
        directoryURL = directory
        self.transport = transport
        self.now = now
        state = Mutex(State(key: key, account: account))
    }

    package var key: AccountKey { state.withLock { $0.key } }
    package var account: String? { state.withLock { $0.account } }

    /// Fetches the directory, once per client, and compares its `Date` header with the local clock.
    package func directory() async throws(ACMEError) -> Directory {
        if let known = state.withLock({ $0.directory }) { return known }
        let response = try await transport(ACMERequest(.get, directoryURL))
        guard response.status == 200 else { throw failure(response, "directory") }
        if let seconds = response.header("date").flatMap(HTTPDate.seconds) {
            let skew = Double(seconds) - now().timeIntervalSince1970
            guard abs(skew) <= Self.maximumClockSkew else { throw .clockSkew(Int64(skew)) }
        }
        let directory: Directory = try Self.decode(response, "directory")
        state.withLock { $0.directory = directory }
        return directory
    }

    // MARK: Account

    /// Registers the key, or returns its account if it is already registered (RFC 8555 section 7.3).
    package func register(contact: [String], external: ExternalAccount?) async throws -> String {
        struct Body: Encodable {
            let contact: [String]
            let termsOfServiceAgreed = true
            let externalAccountBinding: JWS?
        }
        let directory = try await directory()
        guard external != nil || directory.meta?.externalAccountRequired != true else {
            throw ACMEError.externalAccountNeeded
        }
        let binding = try external?.binding(key.publicKey, url: directory.newAccount)
        let body = try json(Body(contact: contact.map { "mailto:\($0)" }, externalAccountBinding: binding))
        let response = try await post(directory.newAccount, body, asAccount: false)
        guard let account = response.header("location") else {
            throw ACMEError.malformed("account response", "it has no Location header")
        }
        state.withLock { $0.account = account }
        return account
    }

    /// Replaces the account's key (RFC 8555 section 7.3.5). Afterwards only `new` is valid.
    package func changeKey(to new: AccountKey) async throws {
        struct Body: Encodable {
            let account: String
            let oldKey: JSONWebKey
        }
        guard let url = try await directory().keyChange, let account else {
            throw ACMEError.malformed("directory", "it has no keyChange URL")
        }
        let body = try json(Body(account: account, oldKey: key.publicKey))
        _ = try await post(url, try new.sign(body, for: url, nonce: nil, account: nil))
        state.withLock { $0.key = new }
    }

    /// Deactivates the account (RFC 8555 section 7.3.6). Certificates stay valid.
    package func deactivate() async throws {
        guard let account else { return }
        _ = try await post(account, Array(#"{"status":"deactivated"}"#.utf8))
        state.withLock { $0.account = nil }
    }

    // MARK: Orders

    /// `replaces`: The id of the certificate that the new one replaces (RFC 9773 section 5).
    package func order(
        _ names: [String], profile: String?, replaces: String?
    ) async throws -> (url: String, order: Order) {
        struct Body: Encodable {
            let identifiers: [Authorization.Identifier]
            let profile: String?
            let replaces: String?
        }
        let directory = try await directory()
        if let profile, directory.meta?.profiles?[profile] == nil {
            throw ACMEError.profileUnknown(profile, offered: Array((directory.meta?.profiles ?? [:]).keys))
        }
        let body = Body(
            identifiers: names.map(Authorization.Identifier.init(dns:)), profile: profile, replaces: replaces)
        let response = try await post(directory.newOrder, try json(body))
        guard let url = response.header("location") else {
            throw ACMEError.malformed("order", "it has no Location header")
        }
        return (url, try Self.decode(response, "order"))
    }

    /// Fetches an object with POST-as-GET. `retryAfter` is the CA's Retry-After.
    package func fetch<Object: Decodable>(_ url: String, _ what: String) async throws -> (Object, retryAfter: Date?) {
        let response = try await post(url, nil)
        return (try Self.decode(response, what), response.retryAfter(from: now()))
    }

    /// Tells the CA that the challenge is ready for validation (RFC 8555 section 7.5.1).
    package func respond(to challenge: Challenge) async throws {
        _ = try await post(challenge.url, Array("{}".utf8))
    }

    package func finalize(_ order: Order, csr: [UInt8]) async throws -> Order {
        try Self.decode(try await post(order.finalize, try json(["csr": Base64URL.encode(csr)])), "order")
    }

    /// Downloads the chain in PEM and the URLs of alternate chains for the same certificate (RFC 8555 section 7.4.2).
    package func download(_ url: String) async throws -> (pem: [UInt8], alternates: [String]) {
        let response = try await post(url, nil)
        guard response.mediaType == "application/pem-certificate-chain" else {
            throw ACMEError.malformed("certificate", "its media type is \(response.mediaType ?? "missing")")
        }
        return (response.body, response.links("alternate"))
    }

    /// `reason`: RFC 5280 section 5.3.1; 0 is unspecified, 1 is keyCompromise.
    package func revoke(der: [UInt8], reason: Int) async throws {
        struct Body: Encodable {
            let certificate: String
            let reason: Int
        }
        guard let url = try await directory().revokeCert else {
            throw ACMEError.malformed("directory", "it has no revokeCert URL")
        }
        _ = try await post(url, try json(Body(certificate: Base64URL.encode(der), reason: reason)))
    }

    /// Fetches the CA's renewal information for a certificate and its Retry-After. Nil for a CA without renewal
    /// information.
    ///
    /// `id`: RFC 9773 section 4.1.
    package func renewalInfo(_ id: String) async throws(ACMEError) -> (info: RenewalInfo?, retryAfter: Date?)? {
        guard let base = try await directory().renewalInfo else { return nil }
        let response = try await transport(ACMERequest(.get, "\(base)/\(id)"))
        guard response.status == 200 else { throw failure(response, "renewal information") }
        return (RenewalInfo(json: response.body), response.retryAfter(from: now()))
    }

    // MARK: Signed requests

    private func post(_ url: String, _ payload: [UInt8]?, asAccount: Bool = true) async throws -> ACMEResponse {
        for attempt in 1... {
            let (key, account) = state.withLock { ($0.key, asAccount ? $0.account : nil) }
            let body = try key.sign(payload, for: url, nonce: try await nonce(), account: account)
            let response = try await transport(ACMERequest(.post, url, body: body))
            let fresh = response.header("replay-nonce")
            if (200..<300).contains(response.status) {
                if let fresh { state.withLock { $0.nonces.append(fresh) } }
                return response
            }
            let error = failure(response, "response")
            guard case .refused(let problem, _) = error, problem.kind == "badNonce", attempt < Self.maximumBadNonces
            else { throw error }
            // The other stored nonces are as old, so they are dropped too; the error response carries a valid one
            // (RFC 8555 section 6.5).
            state.withLock { $0.nonces = fresh.map { [$0] } ?? [] }
        }
        preconditionFailure("the loop ends by returning or throwing")
    }

    private func nonce() async throws(ACMEError) -> String {
        if let known = state.withLock({ $0.nonces.popLast() }) { return known }
        let response = try await transport(ACMERequest(.head, try await directory().newNonce))
        guard let nonce = response.header("replay-nonce") else { throw failure(response, "nonce") }
        return nonce
    }

    private func failure(_ response: ACMEResponse, _ what: String) -> ACMEError {
        let retryAfter = response.retryAfter(from: now())
        if response.mediaType == "application/problem+json",
            let problem = try? JSONDecoder().decode(ACMEProblem.self, from: Data(response.body))
        {
            return .refused(problem, retryAfter: retryAfter)
        }
        switch response.status {
        case 429: return .refused(ACMEProblem("rateLimited", "status 429"), retryAfter: retryAfter)
        case 500...: return .refused(ACMEProblem("serverInternal", "status \(response.status)"), retryAfter: retryAfter)
        default: return .malformed(what, "status \(response.status) without a problem document")
        }
    }

    private static func decode<Object: Decodable>(_ response: ACMEResponse, _ what: String) throws(ACMEError) -> Object
    {
        guard response.mediaType == "application/json" else {
            throw .malformed(what, "its media type is \(response.mediaType ?? "missing")")
        }
        do {
            return try JSONDecoder().decode(Object.self, from: Data(response.body))
        } catch {
            throw .malformed(what, "\(error)")
        }
    }
}
