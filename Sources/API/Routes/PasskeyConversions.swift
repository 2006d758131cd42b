import Auth
import Crypto
import Encoding
import HTTPServing
import Vault
import VaultFormat
import Wire

// Conversions between the wire types of passkeys and the domain.

extension PasskeyAssertion {
    init(clientData: String, authenticatorData: String, signature: String, _ path: String) throws(Problem) {
        self.init(
            clientDataJSON: try Base64URL.bytes(clientData, path + "clientDataJSON"),
            authenticatorData: try Base64URL.bytes(authenticatorData, path + "authenticatorData"),
            signature: try Base64URL.bytes(signature, path + "signature"))
    }

    init(proof body: ProofBody) throws(Problem) {
        guard let clientData = body.clientDataJSON, let authenticatorData = body.authenticatorData,
            let signature = body.signature
        else {
            throw .malformed("proof", "must have clientDataJSON, authenticatorData and signature for a passkey")
        }
        try self.init(
            clientData: clientData, authenticatorData: authenticatorData, signature: signature, "proof.")
    }
}

extension Accounts.PasskeyLogin {
    init(wire body: PasskeyLoginBody, device: [UInt8]?) throws(Problem) {
        var credentialID: [UInt8]?
        if let text = body.credentialId { credentialID = try Base64URL.bytes(text, "passkey.credentialId") }
        self.init(
            authKey: try SymmetricKey(wire: body.authKey, "passkey.authKey"),
            assertion: try PasskeyAssertion(
                clientData: body.clientDataJSON, authenticatorData: body.authenticatorData,
                signature: body.signature, "passkey."),
            credentialID: credentialID, device: device)
    }
}

extension Accounts.NewPasskey {
    init(wire body: PasskeyEnrolmentBody) throws(Problem) {
        var wrapped: [UInt8]?
        if let l2 = body.l2 { wrapped = try Base64URL.bytes(l2.wrappedKey, "l2.wrappedKey") }
        let algorithm: AssertionKey.Algorithm
        switch body.algorithm {
        case "ES256": algorithm = .es256
        case "RS256": algorithm = .rs256
        default: throw .malformed("algorithm", "must be ES256 or RS256")
        }
        self.init(
            id: try CredentialID(wire: body.id, "id"), authKey: try SymmetricKey(wire: body.authKey, "authKey"),
            wrappedL2Key: wrapped, l2Generation: body.l2?.generation,
            key: AssertionKey(algorithm: algorithm, spki: try Base64URL.bytes(body.publicKey, "publicKey")),
            details: PasskeyDetails(
                name: body.details.name,
                credentialID: try Base64URL.bytes(body.details.credentialId, "details.credentialId"),
                transports: body.details.transports))
    }
}

extension CredentialBody {
    init(_ credential: Accounts.LastingCredential) {
        self.init(
            id: credential.id.text, kind: credential.kind.rawValue, createdAt: credential.created,
            lastUsedAt: credential.lastUsed, opensL2: credential.opensL2,
            details: credential.details.map { details in
                Details(
                    name: details.name, credentialId: Base64URL.encode(details.credentialID),
                    transports: details.transports, made: details.made)
            })
    }
}
