import Autocert
import Crypto
import Foundation
import SwiftASN1
import Synchronization
import X509

/// The resources of RFC 8555, section 7.1, and RFC 9773.
extension ScriptedCA {
    func account(_ signed: Signed) throws -> ACMEResponse {
        state.withLock { $0.accounts[signed.account] = signed.key }
        return respond(201, json: ["status": "valid"], location: signed.account)
    }

    func newOrder(_ signed: Signed) throws -> ACMEResponse {
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

    func order(_ number: Int, status: Int = 200) throws -> ACMEResponse {
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

    func authorization(_ number: Int, _ name: String, _ behaviour: Behaviour) throws -> ACMEResponse {
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

    func validate(
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

    func finalize(_ number: Int, _ signed: Signed, _ behaviour: Behaviour) throws -> ACMEResponse {
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

    func certificate(_ number: Int) throws -> ACMEResponse {
        let chain = state.withLock { $0.orders[number].chain } ?? ""
        return respond(200, Array(chain.utf8), type: "application/pem-certificate-chain")
    }

    func revoke(_ signed: Signed) throws -> ACMEResponse {
        let certificate = try Certificate(derEncoded: decode(signed.payload["certificate"]))
        state.withLock { state in
            for id in state.windows.keys where id.hasSuffix(encode(certificate.serialNumber.bytes)) {
                state.record.revoked.insert(id)
            }
        }
        return respond(200, json: [:])
    }

    func renewalInfo(_ id: String, _ behaviour: Behaviour) throws -> ACMEResponse {
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
}
