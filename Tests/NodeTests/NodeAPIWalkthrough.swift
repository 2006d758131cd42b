import Auth
import Crypto
import Encoding
import Foundation
import OneTimePasswords
import TestSupport
import Testing
import VaultFormat
import Wire

/// Calls every route of a node and records the responses.
actor NodeAPIWalkthrough {
    private(set) var records: [AnswerRecord] = []
    private let live: LiveNode
    private var person: Person
    private var kit = Base64URL.encode(random(32))
    private var recovery: String {
        #""recovery":{"id":"\#(CredentialID.random().text)","key":"\#(kit)",\#(l2)}"#
    }
    private var l2: String {
        #""l2":{"generation":\#(generation),"wrappedKey":"\#(Base64URL.encode(person.wrapped))"}"#
    }
    private var generation = 1
    private var proof: String { #""proof":{"kind":"password","secret":"\#(Base64URL.encode(person.authKey))"}"# }

    init(_ live: LiveNode) async throws {
        self.live = live
        person = try await Person.register(live)
    }

    private struct Unexpected: Error { var record: AnswerRecord }

    /// `route`: A route such as `GET /api/v1/entries/{id}`. `values`: The values of its parameters.
    @discardableResult
    private func ask(
        _ route: String, _ values: [String] = [], query: String = "", as token: String? = nil,
        version: Int? = nil, sending body: String? = nil, gives status: Int = 200
    ) async throws -> [String: Any] {
        let parts = route.split(separator: " ").map(String.init)
        var path = parts[1]
        for value in values { path = path.replacing(/\{\w+\}/, with: value, maxReplacements: 1) }
        var headers: [String: String] = version.map { ["If-Match": "\"\($0)\""] } ?? [:]
        if body != nil { headers["Content-Type"] = "application/json" }
        let answer = try await live.send(
            parts[0], path + query, token: token ?? person.token, headers: headers,
            body: body.map { Array($0.utf8) })
        let record = AnswerRecord(
            method: parts[0], path: parts[1], status: answer.status, type: answer.headers["content-type"] ?? "",
            request: answer.status < 300 ? body : nil, body: answer.text)
        if parts[1] != "/openapi.json" || answer.status != 200 { records.append(record) }
        guard answer.status == status else { throw Unexpected(record: record) }
        return (try? JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any]) ?? [:]
    }

    private func text(_ object: [String: Any], _ member: String) -> String { object[member] as? String ?? "" }

    private func fields(_ entry: [String: Any]) -> [String] {
        (entry["fields"] as? [[String: Any]] ?? []).map { text($0, "id") }
    }

    func everybody() async throws {
        for path in ["/livez", "/readyz", "/.well-known/clavitor", "/.well-known/clavitor/nodes", "/openapi.json"] {
            try await ask("GET \(path)")
        }
        let other = "\(UUID().uuidString)@example.com"
        let hello = try await ask("POST /api/v1/accounts/prelogin", sending: #"{"email":"\#(other)"}"#)
        // Another person, with a kit.
        try await ask(
            "POST /api/v1/accounts",
            sending: #"""
                {"email":"\#(other)","vault":"\#(VaultID.random().text)","salt":"\#(text(hello, "salt"))",
                "kdf":{"type":"argon2id","memoryKiB":32768,"iterations":6,"parallelism":4},
                "authKey":"\#(Base64URL.encode(random(32)))",\#(l2),\#(recovery)}
                """#, gives: 201)
        let session = try await logIn()
        try await ask("GET /api/v1/sessions")
        try await ask("DELETE /api/v1/sessions/{id}", [text(session, "id")], gives: 204)
    }

    private func logIn() async throws -> [String: Any] {
        try await ask(
            "POST /api/v1/sessions",
            sending: #"{"email":"\#(person.email)","authKey":"\#(Base64URL.encode(person.authKey))"}"#, gives: 201)
    }

    /// An entry with an L2 value; the node cannot tell a box under this key from one under another.
    private struct Hidden {
        let entry = EntryID.random()
        let field = FieldID.random()
        let vault = VaultID.random()

        func envelope(_ key: UInt32) -> String {
            Base64URL.encode(self.key(key).seal([1], field: field, version: 1))
        }

        func l2(_ generation: Int, _ key: UInt32) -> String {
            let box = L2Key.generate(for: vault, generation: generation).sealed(self.key(key))
            return #""l2":{"generation":\#(generation),"key":\#(key),"box":"\#(Base64URL.encode(box))"}"#
        }

        private func key(_ number: UInt32) -> L2EntryKey {
            .generate(for: entry, in: vault, number: number, fields: [field: 1])
        }
    }

    func entries() async throws {
        let hidden = Hidden()
        let body = #"""
            {"id":"\#(hidden.entry.text)",\#(hidden.l2(1, 1)),"title":"Bank","type":"login","urls":["https://bank.example/"],"tags":["work"],"notes":"n",
            "fields":[{"label":"user","kind":"username","tier":1,"value":"ada"},
            {"label":"pin","kind":"secret","tier":2,"id":"\#(hidden.field.text)","envelope":"\#(hidden.envelope(1))"},
            {"label":"code","kind":"totp","tier":1,"value":"JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"}]}
            """#
        let entry = try await ask("POST /api/v1/entries", sending: body, gives: 201)
        let (id, fields) = (text(entry, "id"), fields(entry))
        try await ask("POST /api/v1/entries", sending: #"{"title":"Mail"}"#, gives: 201)
        let page = try await ask("GET /api/v1/entries", query: "?limit=1")
        try await ask("GET /api/v1/entries", query: "?cursor=\(text(page, "next"))")
        for search in [
            #"{"text":"bank"}"#, #"{"tag":"work","limit":1}"#, #"{"host":"bank.example"}"#, #"{"titles":["Mail"]}"#,
        ] {
            try await ask("POST /api/v1/entries/search", sending: search)
        }
        try await ask("GET /api/v1/entries/{id}", [id])
        for field in fields { try await ask("GET /api/v1/entries/{id}/fields/{field}", [id, field]) }
        try await ask("GET /api/v1/entries/{id}/fields/{field}/totp", [id, fields[2]])
        try await ask(
            "POST /api/v1/values",
            sending:
                #"{"values":[{"entry":"\#(id)","field":"\#(fields[0])"},{"entry":"\#(id)","field":"\#(fields[1])"}]}"#)
        try await ask(
            "PATCH /api/v1/entries/{id}", [id], version: 1,
            sending: #"{"fields":[{"id":"\#(fields[0])","value":"bob"}]}"#)
        try await ask("GET /api/v1/entries/{id}/fields/{field}", [id, fields[0]], query: "?version=1")
        try await ask(
            "PUT /api/v1/entries/{id}", [id], version: 2,
            sending:
                #"{"title":"Bank","type":"login","fields":[{"id":"\#(fields[0])"},{"id":"\#(fields[1])"},{"id":"\#(fields[2])"}]}"#
        )
        try await ask("GET /api/v1/entries/{id}/versions", [id])
        try await ask("POST /api/v1/entries/{id}/restore", [id], version: 3, sending: #"{"version":1}"#)
        try await ask("DELETE /api/v1/entries/{id}", [id], version: 4, gives: 204)
        try await ask("GET /api/v1/trash")
        try await ask("POST /api/v1/entries/{id}/restore", [id], sending: "{}")
        try await ask("DELETE /api/v1/entries/{id}", [id], version: 4, gives: 204)
        try await ask("DELETE /api/v1/trash/{id}", [id], gives: 204)
    }

    func agents() async throws {
        let entry = try await ask(
            "POST /api/v1/entries",
            sending:
                #"{"title":"Deploy","tags":["ci"],"fields":[{"label":"key","kind":"secret","tier":1,"value":"k"}]}"#,
            gives: 201)
        let (id, field) = (text(entry, "id"), fields(entry)[0])
        let made = try await ask(
            "POST /api/v1/agents",
            sending: #"""
                {"name":"robot","grants":[{"entry":"\#(id)","fields":["\#(field)"]},{"tag":"ci","labels":"*"}],
                "verbs":["read","write","deposit","totp"],"notBefore":1000,"expiresAt":9000000000,"cidr":["127.0.0.0/8"],
                "maxUses":100,"ratePerMinute":100}
                """#, gives: 201)
        let (agent, token) = (text(made, "id"), text(made, "token"))
        try await ask("GET /api/v1/agents")
        try await ask("GET /api/v1/agents/{id}", [agent])
        try await ask("GET /api/v1/entries", as: token)
        try await ask("GET /api/v1/entries/{id}", [id], as: token)
        try await ask("POST /api/v1/entries/search", as: token, sending: #"{"text":"deploy"}"#)
        try await ask("GET /api/v1/entries/{id}/fields/{field}", [id, field], as: token)
        try await ask(
            "POST /api/v1/values", as: token, sending: #"{"values":[{"entry":"\#(id)","field":"\#(field)"}]}"#)
        try await ask(
            "PATCH /api/v1/entries/{id}", [id], as: token, version: 1,
            sending: #"{"fields":[{"id":"\#(field)","value":"new"}]}"#)
        try await ask("GET /api/v1/entries/{id}/versions", [id])
        for _ in 0..<2 {
            try await ask(
                "POST /api/v1/deposits", as: token, sending: #"{"title":"left","fields":[{"label":"l","value":"v"}]}"#,
                gives: 201)
        }
        let deposits = try await ask("GET /api/v1/deposits")["entries"] as? [[String: Any]] ?? []
        try await ask("POST /api/v1/deposits/{id}/accept", [text(deposits[0], "id")])
        try await ask("DELETE /api/v1/deposits/{id}", [text(deposits[1], "id")], gives: 204)
        try await ask("PATCH /api/v1/agents/{id}", [agent], sending: #"{"paused":true}"#)
        try await ask(
            "PATCH /api/v1/agents/{id}", [agent],
            sending: #"{"paused":false,"maxUses":50,"grants":[{"tag":"ci","labels":["key"]}]}"#)
        try await ask("GET /api/v1/agents/{id}/disclosures", [agent])
        let rotated = try await ask("POST /api/v1/agents/{id}/rotate", [agent])
        try await ask("DELETE /api/v1/agents/{id}", [text(rotated, "id")])
        try await ask("GET /api/v1/audit", query: "?limit=200")
    }

    /// One error of each kind.
    func refusals() async throws {
        try await ask("GET /api/v1/account", as: "clv_ses_wrong", gives: 401)
        try await ask("GET /api/v1/entries/{id}", [EntryID.random().text], gives: 404)
        try await ask("POST /api/v1/entries", sending: "{", gives: 400)
        try await ask("POST /api/v1/entries", sending: #"{"title":""}"#, gives: 422)
        try await ask("PATCH /api/v1/entries/{id}", [EntryID.random().text], sending: "{}", gives: 428)
        let entry = try await ask("POST /api/v1/entries", sending: #"{"title":"x"}"#, gives: 201)
        try await ask(
            "PATCH /api/v1/entries/{id}", [text(entry, "id")], version: 7, sending: #"{"title":"y"}"#, gives: 412)
        try await ask("POST /api/v1/deposits", sending: #"{"title":"x"}"#, gives: 422)
        try await ask(
            "PUT /api/v1/account/recovery", sending: #"{"proof":{"kind":"password","secret":"AAAA"},\#(recovery)}"#,
            gives: 400)
    }

    func account() async throws {
        try await ask("GET /api/v1/account")
        try await ask("PUT /api/v1/account/recovery", sending: "{\(proof),\(recovery)}", gives: 204)
        try await passkeys()
        try await recover()
        try await ask("DELETE /api/v1/account/recovery", sending: "{\(proof)}", gives: 204)
        try await rekey()
        try await signOut("PUT /api/v1/account/password", #""authKey":"\#(Base64URL.encode(person.authKey))",\#(l2)"#)
        try await signOut("POST /api/v1/account/sign-out-everywhere", #""keepAgents":[]"#)
        let begun = try await ask("POST /api/v1/account/totp", sending: "{}")
        let generator = try #require(TOTP(text(begun, "uri")))
        let now = Int64(Date().timeIntervalSince1970)
        let confirmed = try await ask(
            "POST /api/v1/account/totp", sending: #"{\#(proof),"code":"\#(generator.code(at: now))"}"#)
        let codes = confirmed["recoveryCodes"] as? [String] ?? []
        let proven = proof.replacing("}", with: #","code":"\#(codes[0])"}"#)
        try await ask("DELETE /api/v1/account/totp", sending: "{\(proven)}", gives: 204)
        try await ask("DELETE /api/v1/account", gives: 204)
    }

    private func rekey() async throws {
        let hidden = Hidden()
        let created = try await ask(
            "POST /api/v1/entries",
            sending: #"""
                {"id":"\#(hidden.entry.text)","title":"L2",\#(hidden.l2(1, 1)),"fields":[
                {"label":"pin","tier":2,"id":"\#(hidden.field.text)","envelope":"\#(hidden.envelope(1))"}]}
                """#, gives: 201)
        try await ask("GET /api/v1/account/l2")
        generation = 2
        let begin = #"{\#(proof),\#(l2),"previous":"\#(Base64URL.encode(person.wrapped))"}"#
        try await ask("PUT /api/v1/account/l2", sending: begin, gives: 204)
        try await ask("PUT /api/v1/account/l2", sending: begin, gives: 409)
        try await ask(
            "PATCH /api/v1/entries/{id}", [text(created, "id")], version: 1,
            sending: "{\(hidden.l2(2, 1))}", gives: 409)
        for entry in try await ask("GET /api/v1/account/l2")["entries"] as? [String] ?? [] {
            let values = try await ask("GET /api/v1/entries/{id}/l2", [entry])
            #expect((values["envelopes"] as? [[String: Any]])?.count == 1)
            try await ask(
                "PUT /api/v1/entries/{id}/l2", [entry], version: 1,
                sending: #"""
                    {\#(hidden.l2(2, 2)),"envelopes":[
                    {"field":"\#(hidden.field.text)","version":1,"envelope":"\#(hidden.envelope(2))"}]}
                    """#, gives: 204)
        }
        let after = try await ask("GET /api/v1/account/l2")
        #expect(after["previous"] == nil && (after["entries"] as? [String])?.isEmpty == true)
    }

    private func passkeys() async throws {
        let passkey = TestPasskey()
        let enrolment = #"""
            {\#(proof),"id":"\#(passkey.id.text)","authKey":"\#(passkey.authKey.base64URL)",\#(l2),
            "publicKey":"\#(Base64URL.encode(passkey.assertionKey.spki))","algorithm":"ES256",
            "details":{"name":"MacBook","credentialId":"\#(Base64URL.encode(passkey.credentialID))","transports":["internal"]}}
            """#
        try await ask("POST /api/v1/account/passkeys", sending: enrolment, gives: 201)
        try await ask("POST /api/v1/account/passkeys", sending: enrolment, gives: 409)
        try await ask(
            "PATCH /api/v1/account/passkeys/{id}", [passkey.id.text], sending: #"{"name":"Office"}"#, gives: 204)
        try await ask("GET /api/v1/account/credentials")
        try await ask(
            "POST /api/v1/sessions",
            sending: #"""
                {"passkey":{"authKey":"\#(passkey.authKey.base64URL)",
                "credentialId":"\#(Base64URL.encode(passkey.credentialID))",\#(try await assertion(passkey))}}
                """#, gives: 201)
        let proof =
            #""proof":{"kind":"passkey","secret":"\#(passkey.authKey.base64URL)",\#(try await assertion(passkey))}"#
        try await ask(
            "DELETE /api/v1/account/passkeys/{id}", [CredentialID.random().text], sending: "{\(self.proof)}", gives: 404
        )
        try await ask("DELETE /api/v1/account/passkeys/{id}", [passkey.id.text], sending: "{\(proof)}", gives: 204)
    }

    /// The members of an assertion of a new challenge.
    private func assertion(_ passkey: TestPasskey) async throws -> String {
        let challenge = text(try await ask("POST /api/v1/passkeys/challenge"), "challenge")
        let made = try passkey.assertion(Base64URL.decode(challenge) ?? [])
        return #"""
            "clientDataJSON":"\#(Base64URL.encode(made.clientDataJSON))",
            "authenticatorData":"\#(Base64URL.encode(made.authenticatorData))","signature":"\#(Base64URL.encode(made.signature))"
            """#
    }

    private func recover() async throws {
        let shown = #""email":"\#(person.email)","proof":{"kind":"recovery","secret":"\#(kit)"}"#
        try await ask("POST /api/v1/accounts/recover/begin", sending: "{\(shown)}")
        kit = Base64URL.encode(random(32))
        let change = try await ask(
            "POST /api/v1/accounts/recover",
            sending:
                #"{\#(shown),"authKey":"\#(Base64URL.encode(person.authKey))",\#(l2),\#(recovery),"keep":[],"keepAgents":[]}"#,
            gives: 201)
        person.token = text(change["session"] as? [String: Any] ?? [:], "token")
    }

    private func signOut(_ route: String, _ members: String) async throws {
        kit = Base64URL.encode(random(32))
        let change = try await ask(route, sending: #"{\#(proof),\#(recovery),\#(members),"keep":[]}"#)
        person.token = text(change["session"] as? [String: Any] ?? [:], "token")
    }
}
