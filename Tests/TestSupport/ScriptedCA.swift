package import Autocert
import Crypto
package import Foundation
import SwiftASN1
import Synchronization
package import X509

/// A certificate authority in memory with real signatures and certificates, the test's clock, and faults on demand.
///
/// Offers what pebble and Caddy lack: renewal information, profiles, 429, `alreadyReplaced`, truncated downloads, five
/// years in a second. Counts what a real CA's rate limits would have refused.
package final class ScriptedCA: Sendable {
    package struct Behaviour: Sendable {
        package var lifetime: TimeInterval = 90 * 86_400
        /// Nil for a CA without renewal information.
        package var suggestedWindow: (@Sendable (_ notBefore: Date, _ notAfter: Date) -> (start: Date, end: Date))?
        package var profiles: [String: String]?
        /// The key authorization that the CA finds for a challenge, or nil when it finds none.
        package var validate: @Sendable (_ type: String, _ name: String, _ token: String) -> String?
        /// Runs before everything else: returns the test's own response, or throws as if the CA were unreachable.
        package var intercept: @Sendable (_ kind: String, ACMERequest) throws(ACMEError) -> ACMEResponse?
        package var types = ["http-01", "tls-alpn-01"]
        /// A wrong response leaves the challenge pending, with an error, as some CAs do.
        package var leavesPending = false
        package var issue: @Sendable (ScriptedCA, [String], Certificate.PublicKey) throws -> String

        package init(validate: @escaping @Sendable (_ type: String, _ name: String, _ token: String) -> String?) {
            self.validate = validate
            intercept = { (_, _) throws(ACMEError) in nil }
            issue = { ca, names, key in try ca.chain(names, key) }
        }
    }

    /// Everything that happened, for a test to count.
    package struct Record: Sendable {
        /// When certificates were issued, and which certificate each one replaced.
        package var issued: [(at: Date, replaces: String?)] = []
        package var orders: [Date] = []
        package var failedValidations: [Date] = []
        package var requests: [String] = []
        package var revoked: Set<String> = []
    }

    package let directory: String
    private let now: @Sendable () -> Date
    private let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
    private let state: Mutex<State>

    private struct OrderState {
        var names: [String]
        var account: String
        var replaces: String?
        var validated: Set<String> = []
        var failed: Set<String> = []
        var unreached: Set<String> = []
        var chain: String?
    }

    private struct State {
        var behaviour: Behaviour
        var record = Record()
        var nonces: Set<String> = []
        var accounts: [String: P256.Signing.PublicKey] = [:]
        var orders: [OrderState] = []
        var replaced: Set<String> = []
        var windows: [String: (notBefore: Date, notAfter: Date)] = [:]
        var serial: UInt64 = 1
    }

    package init(
        _ behaviour: Behaviour, host: String = "ca.test", now: @escaping @Sendable () -> Date
    ) {
        directory = "https://\(host)/directory"
        self.now = now
        state = Mutex(State(behaviour: behaviour))
    }

    package var record: Record { state.withLock { $0.record } }

    package func change(_ body: @Sendable (inout Behaviour) -> Void) { state.withLock { body(&$0.behaviour) } }

    /// Revokes everything issued so far: its suggested window moves into the past.
    package func revokeAll() { state.withLock { state in state.record.revoked.formUnion(state.windows.keys) } }

    /// Deletes every account, as after an accident at the CA.
    package func deleteAccounts() { state.withLock { $0.accounts = [:] } }

    private var base: String { String(directory.dropLast("/directory".count)) }

    // MARK: Requests

    package func send(_ request: ACMERequest) async throws(ACMEError) -> ACMEResponse {
        let path = request.url.hasPrefix(base) ? String(request.url.dropFirst(base.count + 1)) : "elsewhere"
        let kind = String(path.prefix { $0 != "/" })
        let behaviour = state.withLock { state in
            state.record.requests.append(kind)
            return state.behaviour
        }
        if let response = try behaviour.intercept(kind, request) { return response }
        do {
            return try respond(kind, path.split(separator: "/").dropFirst().map(String.init), request, behaviour)
        } catch let problem as ACMEProblem {
            return respond(problem.status ?? 400, problem, type: "application/problem+json")
        } catch {
            return respond(500, ACMEProblem("serverInternal", "\(error)"), type: "application/problem+json")
        }
    }

    private func respond(
        _ kind: String, _ path: [String], _ request: ACMERequest, _ behaviour: Behaviour
    ) throws -> ACMEResponse {
        switch kind {
        case "directory":
            var body: [String: Any] = [
                "newNonce": "\(base)/nonce", "newAccount": "\(base)/account", "newOrder": "\(base)/new-order",
            ]
            body["revokeCert"] = "\(base)/revoke"
            body["keyChange"] = "\(base)/key-change"
            if behaviour.suggestedWindow != nil { body["renewalInfo"] = "\(base)/renewal-info" }
            if let profiles = behaviour.profiles { body["meta"] = ["profiles": profiles] }
            return respond(200, json: body)
        case "nonce":
            return respond(200, json: [:])
        case "renewal-info":
            return try renewalInfo(path[0], behaviour)
        default:
            let signed = try verify(request)
            switch kind {
            case "account": return try account(signed)
            case "new-order": return try newOrder(signed)
            case "order": return try order(Int(path[0]) ?? -1)
            case "authorization": return try authorization(Int(path[0]) ?? -1, path[1], behaviour)
            case "challenge": return try validate(Int(path[0]) ?? -1, path[1], path[2], signed, behaviour)
            case "finalize": return try finalize(Int(path[0]) ?? -1, signed, behaviour)
            case "certificate": return try certificate(Int(path[0]) ?? -1)
            case "revoke": return try revoke(signed)
            default: throw ACMEProblem(type: "about:blank", detail: "nothing at \(request.url)", status: 404)
            }
        }
    }

    // MARK: Signatures

    private struct Signed {
        var payload: [String: Any]
        var account: String
        var key: P256.Signing.PublicKey
    }

    private func verify(_ request: ACMERequest) throws -> Signed {
        let body = try object(request.body ?? [])
        let header = try object(decode(body["protected"]))
        guard let nonce = header["nonce"] as? String, state.withLock({ $0.nonces.remove(nonce) }) != nil else {
            throw ACMEProblem("badNonce", "unknown nonce")
        }
        guard header["url"] as? String == request.url else { throw ACMEProblem("unauthorized", "another url") }
        let key: P256.Signing.PublicKey
        let account: String
        if let jwk = header["jwk"] as? [String: String] {
            key = try P256.Signing.PublicKey(rawRepresentation: Data(decode(jwk["x"]) + decode(jwk["y"])))
            account =
                "\(base)/account/\(SHA256.hash(data: key.rawRepresentation).prefix(4).map { "\($0)" }.joined(separator: "-"))"
        } else {
            account = header["kid"] as? String ?? ""
            guard let known = state.withLock({ $0.accounts[account] }) else {
                throw ACMEProblem("accountDoesNotExist", account)
            }
            key = known
        }
        let message = "\(body["protected"] as? String ?? "").\(body["payload"] as? String ?? "")"
        let signature = try P256.Signing.ECDSASignature(rawRepresentation: decode(body["signature"]))
        guard key.isValidSignature(signature, for: Data(message.utf8)) else {
            throw ACMEProblem("unauthorized", "signature")
        }
        let payload = decode(body["payload"])
        return Signed(payload: payload.isEmpty ? [:] : try object(payload), account: account, key: key)
    }

    private func object(_ bytes: [UInt8]) throws -> [String: Any] {
        try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any] ?? [:]
    }

    private func decode(_ text: Any?) -> [UInt8] {
        var text = (text as? String ?? "").replacing("-", with: "+").replacing("_", with: "/")
        while text.count % 4 != 0 { text += "=" }
        return Array(Data(base64Encoded: text) ?? Data())
    }

    // MARK: Resources

    private func account(_ signed: Signed) throws -> ACMEResponse {
        state.withLock { $0.accounts[signed.account] = signed.key }
        return respond(201, json: ["status": "valid"], location: signed.account)
    }

    private func newOrder(_ signed: Signed) throws -> ACMEResponse {
        let names = (signed.payload["identifiers"] as? [[String: String]] ?? []).compactMap { $0["value"] }
        let replaces = signed.payload["replaces"] as? String
        let date = now()
        let number = try state.withLock { state in
            if let replaces, state.replaced.contains(replaces) {
                throw ACMEProblem("alreadyReplaced", "\(replaces) was replaced")
            }
            state.record.orders.append(date)
            state.orders.append(OrderState(names: names, account: signed.account, replaces: replaces))
            return state.orders.count - 1
        }
        return try order(number, status: 201)
    }

    private func order(_ number: Int, status: Int = 200) throws -> ACMEResponse {
        let order = try state.withLock { state in
            guard state.orders.indices.contains(number) else {
                throw ACMEProblem(type: "urn:ietf:params:acme:error:malformed", detail: "no such order", status: 404)
            }
            return state.orders[number]
        }
        var body: [String: Any] = [
            "authorizations": order.names.map { "\(base)/authorization/\(number)/\($0)" },
            "finalize": "\(base)/finalize/\(number)",
        ]
        if order.chain != nil {
            body["status"] = "valid"
            body["certificate"] = "\(base)/certificate/\(number)"
        } else if !order.failed.isEmpty {
            body["status"] = "invalid"
        } else {
            body["status"] = order.validated.count == order.names.count ? "ready" : "pending"
        }
        return respond(status, json: body, location: "\(base)/order/\(number)")
    }

    private func authorization(_ number: Int, _ name: String, _ behaviour: Behaviour) throws -> ACMEResponse {
        let order = state.withLock { $0.orders[number] }
        let status = order.validated.contains(name) ? "valid" : order.failed.contains(name) ? "invalid" : "pending"
        return respond(
            200,
            json: [
                "identifier": ["type": "dns", "value": name], "status": status,
                "challenges": behaviour.types.map { type -> [String: Any] in
                    var challenge: [String: Any] = [
                        "type": type, "url": "\(base)/challenge/\(number)/\(name)/\(type)", "status": status,
                        "token": "token-\(number)",
                    ]
                    if status == "invalid" || order.unreached.contains(name) {
                        challenge["error"] = [
                            "type": "urn:ietf:params:acme:error:unauthorized", "detail": "wrong response",
                        ]
                    }
                    return challenge
                },
            ])
    }

    private func validate(
        _ number: Int, _ name: String, _ type: String, _ signed: Signed, _ behaviour: Behaviour
    ) throws -> ACMEResponse {
        let point = Array(signed.key.rawRepresentation)
        let jwk = #"{"crv":"P-256","kty":"EC","x":"\#(encode(point.prefix(32)))","y":"\#(encode(point.suffix(32)))"}"#
        let wanted = "token-\(number).\(encode(SHA256.hash(data: Data(jwk.utf8))))"
        let isRight = behaviour.validate(type, name, "token-\(number)") == wanted
        let date = now()
        state.withLock { state in
            if isRight {
                state.orders[number].validated.insert(name)
            } else {
                if behaviour.leavesPending {
                    state.orders[number].unreached.insert(name)
                } else {
                    state.orders[number].failed.insert(name)
                }
                state.record.failedValidations.append(date)
            }
        }
        return respond(200, json: [:])
    }

    private func finalize(_ number: Int, _ signed: Signed, _ behaviour: Behaviour) throws -> ACMEResponse {
        let order = state.withLock { $0.orders[number] }
        guard order.validated.count == order.names.count else { throw ACMEProblem("orderNotReady", "not yet") }
        if order.chain == nil {
            let csr = try CertificateSigningRequest(derEncoded: decode(signed.payload["csr"]))
            guard csr.publicKey.isValidSignature(csr.signature, for: csr) else {
                throw ACMEProblem("badCSR", "signature")
            }
            let chain = try behaviour.issue(self, order.names, csr.publicKey)
            let date = now()
            state.withLock { state in
                state.orders[number].chain = chain
                state.record.issued.append((date, order.replaces))
                if let replaces = order.replaces { state.replaced.insert(replaces) }
            }
        }
        return try self.order(number)
    }

    private func certificate(_ number: Int) throws -> ACMEResponse {
        let chain = state.withLock { $0.orders[number].chain } ?? ""
        return respond(200, Array(chain.utf8), type: "application/pem-certificate-chain")
    }

    private func revoke(_ signed: Signed) throws -> ACMEResponse {
        let certificate = try Certificate(derEncoded: decode(signed.payload["certificate"]))
        state.withLock { state in
            for id in state.windows.keys where id.hasSuffix(encode(certificate.serialNumber.bytes)) {
                state.record.revoked.insert(id)
            }
        }
        return respond(200, json: [:])
    }

    private func renewalInfo(_ id: String, _ behaviour: Behaviour) throws -> ACMEResponse {
        let (window, isRevoked) = state.withLock { ($0.windows[id], $0.record.revoked.contains(id)) }
        guard let window, let suggestedWindow = behaviour.suggestedWindow else {
            throw ACMEProblem(type: "urn:ietf:params:acme:error:malformed", detail: "no such certificate", status: 404)
        }
        var (start, end) = suggestedWindow(window.notBefore, window.notAfter)
        if isRevoked { (start, end) = (window.notBefore, window.notBefore.addingTimeInterval(3_600)) }
        let format = Date.ISO8601FormatStyle()
        return respond(
            200, json: ["suggestedWindow": ["start": start.formatted(format), "end": end.formatted(format)]],
            headers: [("retry-after", "21600")])
    }

    // MARK: Certificates

    /// A leaf and the CA's own certificate.
    package func chain(
        _ names: [String], _ publicKey: Certificate.PublicKey, from: Date? = nil, lifetime: TimeInterval? = nil
    ) throws -> String {
        let (serial, standard) = state.withLock { state in
            state.serial += 1
            return (state.serial, state.behaviour.lifetime)
        }
        // Backdated by an hour, as Let's Encrypt does; to the second, as certificates are.
        let start = Date(timeIntervalSince1970: ((from ?? now()).timeIntervalSince1970 - 3_600).rounded())
        let end = start.addingTimeInterval(lifetime ?? standard)
        let subject = try DistinguishedName { CommonName("Scripted CA") }
        let keyID = SubjectKeyIdentifier(hash: key.publicKey)
        let root = try Certificate(
            version: .v3, serialNumber: .init(bytes: [1]), publicKey: key.publicKey,
            notValidBefore: start.addingTimeInterval(-86_400), notValidAfter: end.addingTimeInterval(86_400),
            issuer: subject, subject: subject, signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try .init {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
                keyID
            }, issuerPrivateKey: key)
        let bytes = (0..<8).map { UInt8(truncatingIfNeeded: serial >> UInt64(56 - 8 * $0)) }
        let leaf = try Certificate(
            version: .v3, serialNumber: .init(bytes: [0x42] + bytes), publicKey: publicKey, notValidBefore: start,
            notValidAfter: end, issuer: subject, subject: DistinguishedName(), signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try .init {
                SubjectAlternativeNames(names.map { .dnsName($0) })
                try ExtendedKeyUsage([.serverAuth])
                AuthorityKeyIdentifier(keyIdentifier: keyID.keyIdentifier)
            }, issuerPrivateKey: key)
        let id = "\(encode(keyID.keyIdentifier)).\(encode(leaf.serialNumber.bytes))"
        state.withLock { $0.windows[id] = (start, end) }
        return try [leaf, root].map { try $0.serializeAsPEM().pemString + "\n" }.joined()
    }

    private func encode(_ bytes: some Sequence<UInt8>) -> String {
        Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    // MARK: Responses

    private func respond(_ status: Int, json: [String: Any], location: String? = nil, headers: [(String, String)] = [])
        -> ACMEResponse
    {
        let body = (try? JSONSerialization.data(withJSONObject: json)) ?? Data()
        return respond(
            status, Array(body), type: "application/json",
            headers: headers + (location.map { [("location", $0)] } ?? []))
    }

    private func respond(_ status: Int, _ problem: ACMEProblem, type: String) -> ACMEResponse {
        respond(status, Array((try? JSONEncoder().encode(problem)) ?? Data()), type: type)
    }

    private func respond(_ status: Int, _ body: [UInt8], type: String, headers: [(String, String)] = []) -> ACMEResponse
    {
        let nonce = UUID().uuidString
        state.withLock { _ = $0.nonces.insert(nonce) }
        return ACMEResponse(
            status: status,
            headers: [("content-type", type), ("replay-nonce", nonce)].map { (name: $0.0, value: $0.1) }
                + headers.map { (name: $0.0, value: $0.1) }, body: body)
    }
}
