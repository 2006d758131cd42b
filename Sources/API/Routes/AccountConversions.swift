import Auth
import Crypto
import Encoding
import HTTPServing
import Vault
import VaultFormat
import Wire

// Conversions between the wire types of accounts and the domain.

extension EmailAddress {
    init(wire text: String) throws(Problem) {
        guard let address = EmailAddress(text) else { throw .malformed("email", "must be an e-mail address") }
        self = address
    }
}

extension KDF {
    init(wire body: KDFBody) throws(Problem) {
        guard body.type == "argon2id" else { throw .malformed("kdf.type", "must be argon2id") }
        self.init(memoryKiB: body.memoryKiB, iterations: body.iterations, parallelism: body.parallelism)
    }
}

extension KDFBody {
    init(_ kdf: KDF) {
        self.init(
            type: "argon2id", memoryKiB: kdf.memoryKiB, iterations: kdf.iterations, parallelism: kdf.parallelism)
    }
}

extension Accounts.Secrets {
    init(wire authKey: String, _ l2: L2Body, _ member: String) throws(Problem) {
        self.init(
            authKey: try SymmetricKey(wire: authKey, member),
            wrappedL2Key: try Base64URL.bytes(l2.wrappedKey, "l2.wrappedKey"), l2Generation: l2.generation)
    }

}

extension Accounts.Kit {
    init(wire recovery: RecoveryBody) throws(Problem) {
        self.init(
            id: try CredentialID(wire: recovery.id, "recovery.id"),
            secrets: try .init(wire: recovery.key, recovery.l2, "recovery.key"))
    }
}

extension CredentialID {
    init(wire text: String, _ member: String) throws(Problem) {
        guard let id = CredentialID(text: text) else { throw .malformed(member, "must be 16 bytes in base64url") }
        self = id
    }
}

extension Accounts.Proof {
    init(wire body: ProofBody) throws(Problem) {
        let kinds: [CredentialKind] = [.password, .recovery, .passkey]
        guard let kind = CredentialKind(rawValue: body.kind), kinds.contains(kind) else {
            throw .malformed("proof.kind", "must be password, recovery or passkey")
        }
        self.init(
            kind: kind, secret: try SymmetricKey(wire: body.secret, "proof.secret"), code: body.code,
            assertion: kind == .passkey ? try PasskeyAssertion(proof: body) : nil)
    }
}

extension Accounts.OwnerChangeOptions {
    init(recovery: RecoveryBody?, keep: [String], agents: [String]?) throws(Problem) {
        var credentials: Set<CredentialID> = []
        for text in keep { credentials.insert(try CredentialID(wire: text, "keep")) }
        var kept: [PrincipalID]?
        if let agents {
            kept = []
            for text in agents {
                guard let id = PrincipalID(text: text) else { throw .malformed("keepAgents", "must contain agent ids") }
                kept?.append(id)
            }
        }
        var kit: Accounts.Kit?
        if let recovery { kit = try .init(wire: recovery) }
        self.init(recovery: kit, keep: credentials, agents: kept)
    }
}

extension OwnerChangeBody {
    init(_ change: Accounts.OwnerChange) {
        self.init(
            session: SessionBody(change.session), kit: change.kit.rawValue, kept: change.kept.map(\.text),
            ended: change.ended.map(\.text), endedSessions: change.endedSessions,
            activeAgents: change.activeAgents.map(\.text), pausedAgents: change.pausedAgents.map(\.text),
            owed: change.isOwed)
    }
}

extension SymmetricKey {
    init(wire text: String, _ member: String) throws(Problem) {
        guard let key = SymmetricKey(base64URL: text) else { throw .malformed(member, "must be 32 bytes in base64url") }
        self = key
    }
}

extension Base64URL {
    static func bytes(_ text: String, _ member: String) throws(Problem) -> [UInt8] {
        guard let bytes = decode(text) else { throw .malformed(member, "must be base64url without padding") }
        return bytes
    }
}

extension SessionBody {
    init(_ session: Accounts.NewSession) {
        self.init(
            token: session.token.text, id: session.id.text, expiresAt: session.expires, vault: session.vault.text,
            l2: session.wrappedL2Key.map {
                L2Body(generation: session.l2Generation, wrappedKey: Base64URL.encode($0))
            },
            device: Base64URL.encode(session.device))
    }
}
