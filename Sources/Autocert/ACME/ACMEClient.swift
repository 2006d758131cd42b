import Crypto
package import FoundationEssentials
import Synchronization

/// What one account says to one CA: RFC 8555, with renewal information (RFC 9773) and profiles.
///
/// Knows requests and answers; what to do when is `OrderProcess`'s business.
package final class ACMEClient: Sendable {
    package let directoryURL: String
    private let send: WebSend
    private let now: @Sendable () -> Date
    private let state: Mutex<State>

    private struct State {
        var key: AccountKey
        var account: String?
        var directory: Directory?
        var nonces: [String] = []
    }

    /// Seconds by which clocks may differ. Certificates are backdated by an hour or so, tokens live for minutes.
    private static let tolerance: TimeInterval = 300
    private static let badNonces = 10

    /// `account`: The account's URL, if it is known from before.
    package init(
        directory: String, key: AccountKey, account: String?, now: @escaping @Sendable () -> Date,
        send: @escaping WebSend
    ) {
        directoryURL = directory
        self.send = send
        self.now = now
        state = Mutex(State(key: key, account: account))
    }

    package var key: AccountKey { state.withLock { $0.key } }
    package var account: String? { state.withLock { $0.account } }

    /// Reads the directory, once for each client, and compares clocks by it.
    package func directory() async throws(ACMEError) -> Directory {
        if let known = state.withLock({ $0.directory }) { return known }
        let answer = try await send(WebRequest(.get, directoryURL))
        guard answer.status == 200 else { throw failure(answer, "directory") }
        if let date = answer.header("date").flatMap(httpDate) {
            let skew = date.timeIntervalSince(now())
            guard abs(skew) <= Self.tolerance else { throw .clockSkew(Int64(skew)) }
        }
        let directory: Directory = try Self.decode(answer, "directory")
        state.withLock { $0.directory = directory }
        return directory
    }

    // MARK: The account

    /// Registers the key, or finds its account if it is registered already (RFC 8555 section 7.3).
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
        let answer = try await post(directory.newAccount, body, asAccount: false)
        guard let account = answer.header("location") else {
            throw ACMEError.malformed("account", "it has no address")
        }
        state.withLock { $0.account = account }
        return account
    }

    /// Replaces the account's key (RFC 8555 section 7.3.5). From here on only `new` works.
    package func changeKey(to new: AccountKey) async throws {
        struct Body: Encodable {
            let account: String
            let oldKey: WebKey
        }
        guard let url = try await directory().keyChange, let account else {
            throw ACMEError.malformed("directory", "it offers no change of key")
        }
        let body = try json(Body(account: account, oldKey: key.publicKey))
        _ = try await post(url, try new.sign(body, for: url, nonce: nil, account: nil))
        state.withLock { $0.key = new }
    }

    /// Ends the account (RFC 8555 section 7.3.6). Certificates stay valid.
    package func deactivate() async throws {
        guard let account else { return }
        _ = try await post(account, Array(#"{"status":"deactivated"}"#.utf8))
        state.withLock { $0.account = nil }
    }

    // MARK: Orders

    /// `replaces`: The id of the certificate that this one follows (RFC 9773 section 5).
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
        let answer = try await post(directory.newOrder, try json(body))
        guard let url = answer.header("location") else { throw ACMEError.malformed("order", "it has no address") }
        return (url, try Self.decode(answer, "order"))
    }

    /// POST-as-GET. The date is when the CA wants to be asked again.
    package func fetch<Object: Decodable>(_ url: String, _ what: String) async throws -> (Object, retryAfter: Date?) {
        let answer = try await post(url, nil)
        return (try Self.decode(answer, what), answer.retryAfter(from: now()))
    }

    /// Tells the CA to look (RFC 8555 section 7.5.1).
    package func respond(to challenge: Challenge) async throws {
        _ = try await post(challenge.url, Array("{}".utf8))
    }

    package func finalize(_ order: Order, csr: [UInt8]) async throws -> Order {
        try Self.decode(try await post(order.finalize, try json(["csr": base64URL(csr)])), "order")
    }

    /// The chain in PEM, and where other chains for the same certificate are (RFC 8555 section 7.4.2).
    package func download(_ url: String) async throws -> (pem: [UInt8], alternates: [String]) {
        let answer = try await post(url, nil)
        guard answer.mediaType == "application/pem-certificate-chain" else {
            throw ACMEError.malformed("certificate", "it comes as \(answer.mediaType ?? "nothing in particular")")
        }
        return (answer.body, answer.links("alternate"))
    }

    /// `reason`: RFC 5280 section 5.3.1; 0 is none in particular, 1 that the key was stolen.
    package func revoke(der: [UInt8], reason: Int) async throws {
        struct Body: Encodable {
            let certificate: String
            let reason: Int
        }
        guard let url = try await directory().revokeCert else {
            throw ACMEError.malformed("directory", "it offers no revocation")
        }
        _ = try await post(url, try json(Body(certificate: base64URL(der), reason: reason)))
    }

    /// What the CA advises for a certificate, and when to ask again. Nil where it does not advise.
    ///
    /// `id`: RFC 9773 section 4.1.
    package func renewalInfo(_ id: String) async throws(ACMEError) -> (info: RenewalInfo?, retryAfter: Date?)? {
        guard let base = try await directory().renewalInfo else { return nil }
        let answer = try await send(WebRequest(.get, "\(base)/\(id)"))
        guard answer.status == 200 else { throw failure(answer, "renewal information") }
        return (RenewalInfo(json: answer.body), answer.retryAfter(from: now()))
    }

    // MARK: Signed requests

    private func post(_ url: String, _ payload: [UInt8]?, asAccount: Bool = true) async throws -> WebAnswer {
        for attempt in 1... {
            let (key, account) = state.withLock { ($0.key, asAccount ? $0.account : nil) }
            let body = try key.sign(payload, for: url, nonce: try await nonce(), account: account)
            let answer = try await send(WebRequest(.post, url, body: body))
            let fresh = answer.header("replay-nonce")
            if (200..<300).contains(answer.status) {
                if let fresh { state.withLock { $0.nonces.append(fresh) } }
                return answer
            }
            let error = failure(answer, "answer")
            guard case .refused(let problem, _) = error, problem.kind == "badNonce", attempt < Self.badNonces else {
                throw error
            }
            // What else was kept is as old, so it goes too; the refusal brings a good one (RFC 8555 section 6.5).
            state.withLock { $0.nonces = fresh.map { [$0] } ?? [] }
        }
        preconditionFailure("the loop ends by returning or throwing")
    }

    private func nonce() async throws(ACMEError) -> String {
        if let known = state.withLock({ $0.nonces.popLast() }) { return known }
        let answer = try await send(WebRequest(.head, try await directory().newNonce))
        guard let nonce = answer.header("replay-nonce") else { throw failure(answer, "nonce") }
        return nonce
    }

    private func failure(_ answer: WebAnswer, _ what: String) -> ACMEError {
        let retryAfter = answer.retryAfter(from: now())
        if answer.mediaType == "application/problem+json",
            let problem = try? JSONDecoder().decode(ACMEProblem.self, from: Data(answer.body))
        {
            return .refused(problem, retryAfter: retryAfter)
        }
        switch answer.status {
        case 429: return .refused(ACMEProblem("rateLimited", "status 429"), retryAfter: retryAfter)
        case 500...: return .refused(ACMEProblem("serverInternal", "status \(answer.status)"), retryAfter: retryAfter)
        default: return .malformed(what, "status \(answer.status) without a problem document")
        }
    }

    private static func decode<Object: Decodable>(_ answer: WebAnswer, _ what: String) throws(ACMEError) -> Object {
        guard answer.mediaType == "application/json" else {
            throw .malformed(what, "it comes as \(answer.mediaType ?? "nothing in particular")")
        }
        do {
            return try JSONDecoder().decode(Object.self, from: Data(answer.body))
        } catch {
            throw .malformed(what, "\(error)")
        }
    }
}
