import Foundation
import Testing
import Wire

/// Equal requests at once with one `Idempotency-Key`: one is performed, and all get its response.
@Suite(.timeLimit(.minutes(2))) struct IdempotencyTests {
    private static func send(
        _ count: Int, _ live: LiveNode, _ path: String, token: String, _ body: some Encodable & Sendable
    ) async throws -> [LiveNode.Answer] {
        let bytes = Array(try JSONEncoder().encode(body))
        return try await withThrowingTaskGroup(of: LiveNode.Answer.self) { group in
            for _ in 0..<count {
                group.addTask {
                    try await live.send(
                        "POST", path, token: token, headers: ["idempotency-key": "invoice-7"], body: bytes)
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    private static func expectOneResponse(_ answers: [LiveNode.Answer]) {
        #expect(answers.allSatisfy { $0.status == 201 }, "\(answers.map { "\($0.status) \($0.problem ?? "")" })")
        let ids = answers.map { (try? $0.json(DepositBody.self))?.id }
        #expect(Set(ids).count == 1 && !ids.contains(nil))
    }

    @Test func theLastUseOfATokenIsAnsweredToAll() async throws {
        try await LiveNode.with { live in
            let owner = try await Person.register(live)
            let robot = try await owner.agent(
                live, AgentWriteBody(name: "robot", grants: [], verbs: ["deposit"], maxUses: .some(1)))
            let deposit = EntryWriteBody(
                title: "left", fields: [FieldWriteBody(label: "key", kind: "secret", value: "v")])
            Self.expectOneResponse(try await Self.send(8, live, "/api/v1/deposits", token: robot.token, deposit))
        }
    }

    @Test func theLastRoomOfAVaultIsAnsweredToAll() async throws {
        try await LiveNode.with(quotas: ["entries=1"]) { live in
            let owner = try await Person.register(live)
            let entry = EntryWriteBody(title: "the only one", fields: [])
            Self.expectOneResponse(try await Self.send(8, live, "/api/v1/entries", token: owner.token, entry))
        }
    }

    @Test func anIdThatTheClientChoseIsAnsweredToAll() async throws {
        try await LiveNode.with { live in
            let owner = try await Person.register(live)
            let entry = EntryWriteBody(id: "AAECAwQFBgcICQoLDA0ODw", title: "mine", fields: [])
            Self.expectOneResponse(try await Self.send(8, live, "/api/v1/entries", token: owner.token, entry))
            // Another request for the same id is refused.
            let other = try await live.send("POST", "/api/v1/entries", token: owner.token, json: entry)
            #expect(other.status == 409)
        }
    }
}
