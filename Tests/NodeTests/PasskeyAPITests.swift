import Encoding
import Foundation
import TestSupport
import Testing
import VaultFormat
import Wire

/// What requests must say about kit and passkeys, over HTTP.
@Suite(.timeLimit(.minutes(5))) struct PasskeyAPITests {
    private static func l2(_ person: Person) -> String {
        #""l2":{"generation":1,"wrappedKey":"\#(Base64URL.encode(person.wrapped))"}"#
    }

    private static func proof(_ person: Person) -> String {
        #""proof":{"kind":"password","secret":"\#(Base64URL.encode(person.authKey))"}"#
    }

    /// A request that says nothing about what lives on is refused in words, and changes nothing.
    @Test func keepIsRequired() async throws {
        try await LiveNode.with { live in
            let person = try await Person.register(live)
            let key = Base64URL.encode(person.authKey)
            for (method, path, body) in [
                (
                    "PUT", "/api/v1/account/password",
                    #"{\#(Self.proof(person)),"authKey":"\#(key)",\#(Self.l2(person))}"#
                ),
                ("POST", "/api/v1/account/sign-out-everywhere", #"{\#(Self.proof(person)),"keepAgents":[]}"#),
                (
                    "POST", "/api/v1/accounts/recover",
                    #"{"email":"\#(person.email)",\#(Self.proof(person)),"authKey":"\#(key)",\#(Self.l2(person)),"keepAgents":[]}"#
                ),
            ] {
                let answer = try await live.send(method, path, token: person.token, body: Array(body.utf8))
                #expect(answer.status == 400 && answer.problem == "malformed", "\(path): \(answer.text)")
                #expect(answer.text.contains("keep"), "\(path): \(answer.text)")
            }
            #expect(try await live.send("GET", "/api/v1/account", token: person.token).status == 200)
        }
    }

    @Test func recoveryKeepsNothing() async throws {
        try await LiveNode.with { live in
            let person = try await Person.register(live)
            let body = #"""
                {"email":"\#(person.email)","proof":{"kind":"recovery","secret":"\#(Base64URL.encode(random(32)))"},
                "authKey":"\#(Base64URL.encode(random(32)))",\#(Self.l2(person)),
                "keep":["\#(CredentialID.random().text)"],"keepAgents":[]}
                """#
            let answer = try await live.send("POST", "/api/v1/accounts/recover", body: Array(body.utf8))
            #expect(answer.status == 422 && answer.text.contains("keep must be empty"), "\(answer.text)")
        }
    }

    struct Bad: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let body: String
        let word: String
    }

    private static let assertion = #""clientDataJSON":"AA","authenticatorData":"AA","signature":"AA""#
    private static let key = Base64URL.encode([UInt8](repeating: 1, count: 32))

    @Test func badSignInsAreToldWhy() async throws {
        let cases = [
            Bad(testDescription: "nothing", body: "{}", word: "email"),
            Bad(testDescription: "no key", body: #"{"email":"a@example.org"}"#, word: "authKey"),
            Bad(
                testDescription: "both",
                body: #"{"email":"a@example.org","passkey":{"authKey":"\#(Self.key)",\#(Self.assertion)}}"#,
                word: "passkey"),
            Bad(testDescription: "no assertion", body: #"{"passkey":{"authKey":"\#(Self.key)"}}"#, word: "passkey"),
            Bad(
                testDescription: "a short key", body: #"{"passkey":{"authKey":"AA",\#(Self.assertion)}}"#,
                word: "passkey.authKey"),
        ]
        try await LiveNode.with { live in
            for example in cases {
                let answer = try await live.send("POST", "/api/v1/sessions", body: Array(example.body.utf8))
                #expect(
                    answer.status == 400 && answer.text.contains(example.word),
                    "\(example.testDescription): \(answer.text)")
            }
            let unknown = #"{"passkey":{"authKey":"\#(Self.key)",\#(Self.assertion)}}"#
            let answer = try await live.send("POST", "/api/v1/sessions", body: Array(unknown.utf8))
            #expect(answer.status == 401 && answer.problem == "bad-credentials")
        }
    }

    @Test func aProofByPasskeyNeedsItsAssertion() async throws {
        try await LiveNode.with { live in
            let person = try await Person.register(live)
            let body = #"{"proof":{"kind":"passkey","secret":"\#(Self.key)"}}"#
            let answer = try await live.send(
                "DELETE", "/api/v1/account/recovery", token: person.token, body: Array(body.utf8))
            #expect(answer.status == 400 && answer.text.contains("clientDataJSON"), "\(answer.text)")
        }
    }

    @Test func aChallengeNamesTheNode() async throws {
        try await LiveNode.with { live in
            let answer = try await live.send("POST", "/api/v1/passkeys/challenge")
            let body: PasskeyChallengeBody = try answer.json()
            #expect(body.rpId == "localhost")
            #expect(Base64URL.decode(body.challenge)?.count == 40)
        }
    }
}
