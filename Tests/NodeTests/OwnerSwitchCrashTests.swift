import AsyncHTTPClient
import Auth
import Crypto
import Encoding
import Foundation
import SQLite
import Secrets
import TestSupport
import Testing
import VaultFormat
import Wire

/// The node is killed during a change of the owner's key holder, at each of its steps: afterwards the vault has the old or the new
/// one, all values are readable, and the credentials are those of that state.
@Suite(.timeLimit(.minutes(15))) struct OwnerSwitchCrashTests {
    enum Step: CaseIterable, CustomTestStringConvertible {
        /// There is a second key holder; some data keys are wrapped for it; all are.
        case begun, rewrapping, rewrapped
        /// It is the owner's; some wraps of the former one are deleted; all are.
        case switched, erasing, erased
        case answered

        var testDescription: String { "\(self)" }

        /// Whether the file has come as far. `wraps`: Those of the former key holder before the change.
        func isReached(_ file: Connection, former: [UInt8], wraps: Int) throws -> Bool {
            func count(_ sql: StaticString) throws -> Int { try file.first(sql, .blob(former)) { $0.int(0) } ?? 0 }
            let hasSwitched = { try count("SELECT owner <> ?1 FROM account") == 1 }
            let others = { try count("SELECT count(*) FROM wrap WHERE holder <> ?1") }
            let rest = { try count("SELECT count(*) FROM wrap WHERE holder = ?1") }
            switch self {
            case .begun: return try count("SELECT count(*) FROM holder WHERE id <> ?1") == 1
            case .rewrapping: return try others() > 0
            case .rewrapped: return try others() >= wraps
            case .switched: return try hasSwitched()
            case .erasing: return try hasSwitched() && rest() < wraps
            case .erased: return try hasSwitched() && rest() == 0
            case .answered: return false
            }
        }
    }

    @Test(arguments: Step.allCases) func theVaultHasTheOldOrTheNewOwner(_ step: Step) async throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let node = try ServedNode(in: scratch)
        defer { node.stop() }
        var owner = SwitchingOwner(node)
        try await owner.setUp()
        let file = try Connection(path: node.data + "/clavitor.db", access: .readOnly)
        let former = try #require(try file.first("SELECT owner FROM account") { $0.blob(0) })
        let wraps = try file.first("SELECT count(*) FROM wrap") { $0.int(0) } ?? 0
        #expect(wraps > 1_500)
        let change = Task { [owner] in try await owner.change() }
        if step == .answered {
            try await change.value
        } else {
            while try !step.isReached(file, former: former, wraps: wraps) { await Task.yield() }
        }
        node.kill()
        let isAnswered = await thrown { try await change.value } == nil
        try await owner.close()
        try node.restart()
        owner = owner.reconnected(to: node)
        try await owner.check(isNew: isAnswered ? true : nil)
        try await owner.close()
        // The start deletes what the other key holder has left.
        try await eventually("one key holder is left") {
            try file.first("SELECT count(*) FROM holder") { $0.int(0) } == 1
        }
        node.stop()
        let verified = try Program(name: "clavitor-node").run(["audit", "verify", "--data", node.data])
        #expect(verified.status == 0, "\(verified.output)\(verified.errors)")
    }
}

/// An owner with many values, a kit and two passkeys, who changes the password and keeps the kit and one of the passkeys.
private struct SwitchingOwner: Sendable {
    private var remote: LiveNode.Remote
    private var client: HTTPClient
    private let email = "ada@example.com"
    private let vault = VaultID.random()
    private let old = random(32)
    private let new = random(32)
    private let kit = random(32)
    private let kitID = CredentialID.random()
    private let kept = TestPasskey()
    private let ended = TestPasskey()
    private var session = ""
    private static let entries = 15
    private static let fields = 100

    init(_ node: ServedNode) {
        remote = .init(url: node.url, certificate: node.certificate)
        client = remote.client()
    }

    func reconnected(to node: ServedNode) -> SwitchingOwner {
        var next = self
        next.remote = .init(url: node.url, certificate: node.certificate)
        next.client = next.remote.client()
        return next
    }

    func close() async throws { try await client.shutdown() }

    private func send(
        _ method: String, _ path: String, token: String? = nil, _ body: (any Encodable)? = nil
    ) async throws -> Data {
        let bytes = try body.map { Array(try JSONEncoder().encode($0)) }
        return Data(try await remote.send(client, method, path, token: token, body: bytes))
    }

    private func send<Answer: Decodable>(
        _ method: String, _ path: String, token: String? = nil, _ body: (any Encodable)? = nil, as: Answer.Type
    ) async throws -> Answer {
        try JSONDecoder().decode(Answer.self, from: try await send(method, path, token: token, body))
    }

    private func l2() -> L2Body {
        L2Body(
            generation: 1,
            wrappedKey: Base64URL.encode(Box.seal(random(32), key: .init(size: .bits256), context: Context("l2key"))))
    }

    private func proof(_ key: [UInt8]) -> ProofBody { ProofBody(kind: "password", secret: Base64URL.encode(key)) }

    mutating func setUp() async throws {
        let hello = try await send(
            "POST", "/api/v1/accounts/prelogin", PreloginRequestBody(email: email), as: PreloginBody.self)
        _ = try await send(
            "POST", "/api/v1/accounts",
            RegistrationBody(
                email: email, vault: vault.text, kdf: hello.kdf, salt: hello.salt, authKey: Base64URL.encode(old),
                l2: l2(), recovery: RecoveryBody(id: kitID.text, key: Base64URL.encode(kit), l2: l2()), invite: nil))
        session = try await login(old).token
        for passkey in [kept, ended] {
            _ = try await send(
                "POST", "/api/v1/account/passkeys", token: session,
                PasskeyEnrolmentBody(
                    proof: proof(old), id: passkey.id.text, authKey: passkey.authKey.base64URL, l2: nil,
                    publicKey: Base64URL.encode(passkey.assertionKey.spki), algorithm: "ES256",
                    details: .init(name: "key", credentialId: Base64URL.encode(passkey.credentialID), transports: [])))
        }
        for entry in 0..<Self.entries {
            let fields = (0..<Self.fields).map {
                FieldWriteBody(label: "\($0)", kind: "text", tier: 1, value: "\(entry)/\($0)")
            }
            _ = try await send(
                "POST", "/api/v1/entries", token: session, EntryWriteBody(title: "\(entry)", fields: fields))
        }
    }

    private func login(_ key: [UInt8]) async throws -> SessionBody {
        try await send(
            "POST", "/api/v1/sessions", LoginBody(email: email, authKey: Base64URL.encode(key)), as: SessionBody.self)
    }

    private func login(_ passkey: TestPasskey) async throws {
        let challenge = try await send("POST", "/api/v1/passkeys/challenge", as: PasskeyChallengeBody.self).challenge
        let assertion = try passkey.assertion(Base64URL.decode(challenge) ?? [])
        let body = PasskeyLoginBody(
            authKey: passkey.authKey.base64URL, clientDataJSON: Base64URL.encode(assertion.clientDataJSON),
            authenticatorData: Base64URL.encode(assertion.authenticatorData),
            signature: Base64URL.encode(assertion.signature))
        _ = try await send("POST", "/api/v1/sessions", LoginBody(passkey: body))
    }

    func change() async throws {
        _ = try await send(
            "PUT", "/api/v1/account/password", token: session,
            PasswordBody(
                proof: proof(old), authKey: Base64URL.encode(new), l2: l2(), recovery: nil,
                keep: [kitID.text, kept.id.text]))
    }

    /// Checks that credentials and values are those of one state. `isNew`: Which one, where it is certain.
    func check(isNew expected: Bool?) async throws {
        let byOld = try? await login(old)
        let byNew = try? await login(new)
        #expect((byOld == nil) != (byNew == nil), "one password opens the vault")
        let isNew = byNew != nil
        if let expected { #expect(isNew == expected) }
        let token = try #require(byOld ?? byNew).token
        let former = await thrown { try await send("GET", "/api/v1/account", token: session) }
        #expect((former == nil) != isNew, "the session before the change")
        #expect(await thrown { try await login(kept) } == nil, "the kept passkey")
        #expect((await thrown { try await login(ended) } == nil) != isNew, "the ended passkey")
        let recovery = RecoveryBeginBody(
            email: email, proof: ProofBody(kind: "recovery", secret: Base64URL.encode(kit)))
        #expect(await thrown { try await send("POST", "/api/v1/accounts/recover/begin", recovery) } == nil, "the kit")
        try await readEverything(token)
    }

    private func readEverything(_ token: String) async throws {
        let list = try await send("GET", "/api/v1/entries?limit=200", token: token, as: EntryListBody.self)
        #expect(list.entries.count == Self.entries)
        for entry in list.entries {
            #expect(entry.fields.count == Self.fields)
            for start in stride(from: 0, to: entry.fields.count, by: 50) {
                let some = entry.fields[start..<min(start + 50, entry.fields.count)]
                let request = ["values": some.map { ["entry": entry.id, "field": $0.id] }]
                let read = try await send("POST", "/api/v1/values", token: token, request, as: ReadValues.self)
                for value in read.values { #expect(value.value == "\(entry.title)/\(value.label)") }
                #expect(read.values.count == some.count)
            }
        }
    }

    private struct ReadValues: Decodable {
        struct Value: Decodable {
            var label: String
            var value: String?
        }
        var values: [Value]
    }
}
