import AsyncHTTPClient
import Crypto
import Encoding
import Foundation
import Secrets
import ServerRuntime
import TestSupport
import VaultFormat
import Wire

/// Clients that use a node over TLS, and the keys that they sent and received.
///
/// Random keys replace derived ones, which the node cannot distinguish.
final class VaultUse {
    /// What the node receives last. Memory that was freed since then is overwritten by later requests.
    enum LastRequest: CaseIterable {
        case ownersRead, agentsRead, login, passwordChange
    }

    private(set) var keys: [SoughtKey] = []
    private(set) var session = ""
    private(set) var agent = ""
    private(set) var entry = EntryID.random()
    private(set) var field = FieldID.random()
    private var authKey: [UInt8] = []

    private let remote: LiveNode.Remote
    private let email = "ada@example.com"
    private var path: String { "/api/v1/entries/\(entry.text)/fields/\(field.text)" }
    private var client: HTTPClient

    init(_ node: ServedNode) {
        remote = .init(url: node.url, certificate: node.certificate)
        client = remote.client(http2: false)
    }

    /// Registers, writes a secret, shares it with an agent, and reads it as both, before and after a change of the password.
    func run(last: LastRequest) async throws {
        do {
            try await use(last)
        } catch {
            try await client.shutdown()
            throw error
        }
        try await client.shutdown()
    }

    private func use(_ last: LastRequest) async throws {
        try await register()
        try await login()
        try await write()
        try await share()
        try await read(as: session)
        try await read(as: agent)
        try await changePassword()
        try await login()
        try await read(as: session)
        try await read(as: agent)
        try await disconnect()
        switch last {
        case .ownersRead: try await read(as: session)
        case .agentsRead: try await read(as: agent)
        case .login: try await login()
        case .passwordChange: try await changePassword()
        }
    }

    private func disconnect() async throws {
        try await client.shutdown()
        client = remote.client(http2: false)
    }

    private func send(
        _ method: String, _ path: String, token: String? = nil, _ body: (some Encodable)? = String?.none
    ) async throws -> Data {
        let body = try body.map { Array(try JSONEncoder().encode($0)) }
        return Data(try await remote.send(client, method, path, token: token, body: body))
    }

    private func key(_ name: String) -> [UInt8] {
        let key = random(32)
        keys.append(SoughtKey(name, key))
        return key
    }

    private func token(_ text: String, _ name: String) throws -> String {
        guard let token = Token(text) else { throw Failure("no token: \(text)") }
        keys.append(SoughtKey(name, token.secret.bytes))
        return text
    }

    private func l2() -> L2Body {
        L2Body(
            generation: 1,
            wrappedKey: Base64URL.encode(Box.seal(random(32), key: .init(size: .bits256), context: Context("l2key"))))
    }

    private func register() async throws {
        authKey = key("auth key")
        let hello = try JSONDecoder().decode(
            PreloginBody.self,
            from: try await send("POST", "/api/v1/accounts/prelogin", PreloginRequestBody(email: email)))
        _ = try await send(
            "POST", "/api/v1/accounts",
            RegistrationBody(
                email: email, vault: VaultID.random().text, kdf: hello.kdf, salt: hello.salt,
                authKey: Base64URL.encode(authKey), l2: l2(),
                recovery: RecoveryBody(
                    id: CredentialID.random().text, key: Base64URL.encode(key("kit's key")), l2: l2()), invite: nil))
    }

    private func login() async throws {
        let body = LoginBody(email: email, authKey: Base64URL.encode(authKey))
        let answer = try JSONDecoder().decode(SessionBody.self, from: try await send("POST", "/api/v1/sessions", body))
        session = try token(answer.token, "session token")
    }

    private func write() async throws {
        let body = EntryWriteBody(
            title: "Bank", fields: [FieldWriteBody(label: "API key", kind: "secret", tier: 1, value: "sk-live")])
        let made = try JSONDecoder().decode(
            EntryBody.self, from: try await send("POST", "/api/v1/entries", token: session, body))
        guard let entry = EntryID(text: made.id), let field = FieldID(text: try made.field("API key").id) else {
            throw Failure("no ids: \(made)")
        }
        (self.entry, self.field) = (entry, field)
    }

    private func share() async throws {
        let body = AgentWriteBody(name: "bot", grants: [GrantBody(entry: entry.text, fields: .all)], verbs: ["read"])
        let made = try JSONDecoder().decode(
            AgentTokenBody.self, from: try await send("POST", "/api/v1/agents", token: session, body))
        agent = try token(made.token, "agent token")
    }

    private func read(as token: String) async throws {
        for _ in 0..<3 { _ = try await send("GET", path, token: token) }
    }

    private func changePassword() async throws {
        let old = authKey
        authKey = key("auth key")
        let body = PasswordBody(
            proof: ProofBody(kind: "password", secret: Base64URL.encode(old)), authKey: Base64URL.encode(authKey),
            l2: l2(),
            recovery: RecoveryBody(
                id: CredentialID.random().text, key: Base64URL.encode(key("kit's key")), l2: l2()), keep: [])
        let change = try JSONDecoder().decode(
            OwnerChangeBody.self, from: try await send("PUT", "/api/v1/account/password", token: session, body))
        session = try token(change.session.token, "session token")
    }
}
