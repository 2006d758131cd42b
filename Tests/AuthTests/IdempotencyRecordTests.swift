import Auth
import Storage
import TestSupport
import Testing
import Vault

@Suite struct IdempotencyRecordTests {
    let node: TestVault
    let owner: Principal
    let request = IdempotencyRecords.Request(key: "key", content: Array("POST /x {}".utf8))

    init() async throws {
        node = try TestVault()
        owner = try await node.owner()
    }

    private func remember(_ answer: [UInt8]) async throws {
        try await node.store.commit(
            [node.idempotency.record(of: answer, to: request, as: owner)], [])
    }

    @Test func anAnswerComesBack() async throws {
        try await remember([1, 2, 3])
        let answer = try node.idempotency.load(request, as: owner)
        #expect(answer == [1, 2, 3])
    }

    @Test func withoutOneThereIsNone() throws {
        let answer = try node.idempotency.load(request, as: owner)
        #expect(answer == nil)
    }

    @Test func theSameKeyForAnotherRequestIsRefused() async throws {
        try await remember([1])
        let other = IdempotencyRecords.Request(key: "key", content: Array("POST /x {\"a\":1}".utf8))
        #expect(throws: AuthError.self) { try node.idempotency.load(other, as: owner) }
    }

    @Test func ofTwoConcurrentRequestsOneIsRecorded() async throws {
        try await remember([1])
        await #expect(throws: VaultError.idempotencyKeyUsed) { try await remember([2]) }
        let answer = try node.idempotency.load(request, as: owner)
        #expect(answer == [1])
    }

    @Test func anotherPrincipalsKeyIsIndependent() async throws {
        try await remember([1])
        let bob = try await node.owner(Person("bob@example.org"))
        let answer = try node.idempotency.load(request, as: bob)
        #expect(answer == nil)
    }

    @Test func aStoredResponseIsEncrypted() async throws {
        let secret = Array("clv_agt_a-token-that-must-not-rest-in-clear".utf8)
        try await remember(secret)
        let bytes = try node.scratch.everything(beginning: TestVault.name)
        #expect(!bytes.holds(secret))
    }
}
