import API
import NIOCore
import TestSupport
import Testing
import Vault
import VaultFormat
import Wire

/// The memory bound of all request bodies in flight.
@Suite(.timeLimit(.minutes(15))) struct BodyBudgetTests {
    @Test func bodiesShareABudgetThatNoClientExhausts() async throws {
        let budget = BodyBudget(total: 1_500, reserve: 0, large: 100, reserveBodyLimit: 50)
        func hold(
            _ bytes: Int, _ sender: UInt8, upTo limit: Int = 500, _ work: () async throws -> Void = {}
        ) async throws {
            try await budget.read(Self.body(bytes), upTo: limit, for: [sender]) { body in
                #expect(body.count == bytes)
                try await work()
            }
        }
        func refused(_ bytes: Int, _ sender: UInt8) async throws {
            let error = await #expect(throws: Problem.self) { try await hold(bytes, sender) }
            #expect(error?.status == 503 && error?.retryAfter != nil)
        }
        func fill(from sender: UInt8, _ work: () async throws -> Void) async throws {
            if sender > 8 { return try await work() }
            try await hold(150, sender) { try await fill(from: sender + 1, work) }
        }
        try await refused(151, 1)
        try await hold(150, 1) {
            // A client's large body must not block its small ones, which may be revocations.
            try await refused(101, 1)
            try await hold(100, 1) {
                try await hold(50, 1) { try await refused(1, 1) }
            }
        }
        try await fill(from: 1) {
            #expect(budget.held == 1_200)
            // A sixth of the total is left to small bodies.
            try await refused(101, 9)
            try await hold(100, 9) {
                try await hold(100, 10) {
                    try await hold(100, 11) { try await refused(1, 12) }
                }
            }
        }
        #expect(budget.held == 0)
        await #expect(throws: CancellationError.self) { try await hold(100, 1) { throw CancellationError() } }
        await #expect(throws: NIOTooManyBytesError.self) { try await hold(100, 1, upTo: 99) }
        #expect(budget.held == 0)
    }

    private static func body(_ bytes: Int) -> AsyncStream<ByteBuffer> {
        AsyncStream { stream in
            stream.yield(ByteBuffer(repeating: 0x20, count: bytes))
            stream.finish()
        }
    }

    /// Five clients hold incomplete bodies; a complete body is accepted, and the oldest incomplete one is evicted.
    @Test func slowBodiesAreEvicted() async throws {
        let budget = BodyBudget(total: 1_500, reserve: 0)
        var streams: [AsyncStream<ByteBuffer>.Continuation] = []
        var slow: [Task<Int, any Error>] = []
        for sender in UInt8(1)...5 {
            let (body, stream) = AsyncStream<ByteBuffer>.makeStream()
            streams.append(stream)
            slow.append(Task { try await budget.read(body, upTo: 500, for: [sender]) { $0.count } })
            stream.yield(ByteBuffer(repeating: 0x20, count: 300))
            try await eventually("sender \(sender) holds a body") { budget.held >= Int(sender) * 300 }
        }
        #expect(try await budget.read(Self.body(200), upTo: 500, for: [6]) { $0.count } == 200)
        let evicted = await #expect(throws: Problem.self) { _ = try await slow[0].value }
        #expect(evicted?.status == 503)
        for stream in streams { stream.finish() }
        for index in 1...4 { #expect(try await slow[index].value == 300) }
        #expect(budget.held == 0)
    }

    /// A client's incomplete body is evicted for its own next one.
    @Test func aClientsSlowBodyIsEvictedForItsNext() async throws {
        let budget = BodyBudget(total: 1_500, reserve: 0)
        let (body, stream) = AsyncStream<ByteBuffer>.makeStream()
        let slow = Task { try await budget.read(body, upTo: 500, for: [1]) { $0.count } }
        stream.yield(ByteBuffer(repeating: 0x20, count: 300))
        try await eventually("the slow body is held") { budget.held >= 300 }
        #expect(try await budget.read(Self.body(20), upTo: 500, for: [1]) { $0.count } == 20)
        let evicted = await #expect(throws: Problem.self) { _ = try await slow.value }
        #expect(evicted?.status == 503)
        #expect(budget.held == 0)
    }

    /// A few accounts fill the budget; the only body of every other client fits into the reserve if it is small.
    @Test func aClientsOnlyBodyFitsIntoTheReserve() async throws {
        let budget = BodyBudget(total: 500, reserve: 300, large: 1_000, reserveBodyLimit: 100)
        func hold(_ sender: UInt8, _ bytes: Int = 100, _ work: () async throws -> Void = {}) async throws {
            try await budget.read(Self.body(bytes), upTo: 500, for: [sender]) { _ in try await work() }
        }
        func fill(from sender: UInt8, to last: UInt8, _ work: () async throws -> Void) async throws {
            if sender > last { return try await work() }
            try await hold(sender) { try await fill(from: sender + 1, to: last, work) }
        }
        try await fill(from: 1, to: 5) {
            #expect(budget.held == 500)
            _ = await #expect(throws: Problem.self) { try await hold(1, 1) }
            try await fill(from: 6, to: 8) {
                #expect(budget.held == 800)
                _ = await #expect(throws: Problem.self) { try await hold(9, 1) }
            }
        }
        #expect(budget.held == 0)
    }

    /// An agent's body of the maximum size is being handled.
    @Test func bodiesOfAgentsDoNotBlockTheOwner() async throws {
        let budget = BodyBudget()
        let vault = VaultID.random()
        func principal(isOwner: Bool) -> Principal {
            Principal(
                vault: vault, holder: .generate(),
                role: isOwner ? .owner(session: .random(), since: 0) : .agent(.random(), AgentPolicy()), from: nil)
        }
        let owner = principal(isOwner: true)
        let agents = [principal(isOwner: false)]
        let gates = agents.map { _ in AsyncStream<Void>.makeStream() }
        let (begun, begin) = AsyncStream<Void>.makeStream()
        let working = zip(agents, gates).map { agent, gate in
            Task {
                try await budget.read(Self.body(4 << 20), upTo: 4 << 20, for: agent.bodyClient) { _ in
                    begin.yield()
                    for await _ in gate.stream {}
                }
            }
        }
        var waiting = begun.makeAsyncIterator()
        for _ in agents { _ = await waiting.next() }
        #expect(budget.held == 4 << 20)
        let agent = await #expect(throws: Problem.self) {
            try await budget.read(Self.body(65 << 10), upTo: 4 << 20, for: agents[0].bodyClient) { _ in }
        }
        #expect(agent?.status == 503, "agents of a vault share")
        let patch = try await budget.read(Self.body(64 << 10), upTo: 256 << 10, for: owner.bodyClient) { $0.count }
        #expect(patch == 64 << 10)
        for gate in gates { gate.continuation.finish() }
        for task in working { try await task.value }
    }
}
