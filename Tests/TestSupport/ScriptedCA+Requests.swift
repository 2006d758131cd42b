package import Autocert
import Crypto
import Foundation
import Synchronization

/// Receives requests, verifies their signatures, and forms responses.
extension ScriptedCA {
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

    func respond(
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

    struct Signed {
        var payload: [String: Any]
        var account: String
        var key: P256.Signing.PublicKey
    }

    func verify(_ request: ACMERequest) throws -> Signed {
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

    func object(_ bytes: [UInt8]) throws -> [String: Any] {
        try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any] ?? [:]
    }

    func decode(_ text: Any?) -> [UInt8] {
        var text = (text as? String ?? "").replacing("-", with: "+").replacing("_", with: "/")
        while text.count % 4 != 0 { text += "=" }
        return Array(Data(base64Encoded: text) ?? Data())
    }

    // MARK: Responses

    func respond(_ status: Int, json: [String: Any], location: String? = nil, headers: [(String, String)] = [])
        -> ACMEResponse
    {
        let body = (try? JSONSerialization.data(withJSONObject: json)) ?? Data()
        return respond(
            status, Array(body), type: "application/json",
            headers: headers + (location.map { [("location", $0)] } ?? []))
    }

    func respond(_ status: Int, _ problem: ACMEProblem, type: String) -> ACMEResponse {
        respond(status, Array((try? JSONEncoder().encode(problem)) ?? Data()), type: type)
    }

    func respond(_ status: Int, _ body: [UInt8], type: String, headers: [(String, String)] = []) -> ACMEResponse {
        let nonce = UUID().uuidString
        state.withLock { _ = $0.nonces.insert(nonce) }
        return ACMEResponse(
            status: status,
            headers: [("content-type", type), ("replay-nonce", nonce)].map { (name: $0.0, value: $0.1) }
                + headers.map { (name: $0.0, value: $0.1) }, body: body)
    }
}
