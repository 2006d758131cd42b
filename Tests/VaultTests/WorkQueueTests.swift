import Dispatch
import Synchronization
import TestSupport
import Testing
import Vault
import VaultFormat

/// Scheduling of long work.
@Suite(.timeLimit(.minutes(5))) struct WorkQueueTests {
    static func principal(_ vault: VaultID, isOwner: Bool = true) -> Principal {
        Principal(
            vault: vault, holder: .generate(),
            role: isOwner ? .owner(session: .random(), since: 0) : .agent(.random(), AgentPolicy()), from: nil)
    }

    final class Log: Sendable {
        private let state = Mutex<[String]>([])
        var entries: [String] { state.withLock { $0 } }
        func add(_ text: String) { state.withLock { $0.append(text) } }

        func reaches(_ count: Int) async {
            await until(entries.count >= count)
        }
    }

    /// Current and maximum number of running items.
    final class Begun: Sendable {
        private let state = Mutex((now: 0, most: 0))
        var most: Int { state.withLock { $0.most } }
        func change(by step: Int) {
            state.withLock { state in
                state.now += step
                state.most = max(state.most, state.now)
            }
        }
    }

    @Test func atMostTwoRunAndOnePerVault() async throws {
        let queue = WorkQueue(width: 2, now: { 0 })
        let (gate, log) = (AsyncGate(), Log())
        let vaults = [VaultID.random(), .random(), .random()]
        await withThrowingTaskGroup(of: Void.self) { group in
            for (index, vault) in vaults.enumerated() {
                for _ in 0..<3 {
                    group.addTask {
                        try await queue.run(as: Self.principal(vault)) {
                            log.add("\(index)")
                            await gate.wait()
                        }
                    }
                }
            }
            await log.reaches(2)
            for _ in 0..<1_000 { await Task.yield() }
            #expect(log.entries.count == 2 && Set(log.entries).count == 2)
            gate.open()
        }
        #expect(log.entries.count == 9)
    }

    /// A tenant with thirty queued items does not delay another tenant's first one.
    @Test func vaultsRunRoundRobin() async throws {
        let queue = WorkQueue(width: 1, now: { 0 })
        let (gate, log) = (AsyncGate(), Log())
        let (greedy, honest) = (VaultID.random(), VaultID.random())
        await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await queue.run(as: Self.principal(greedy)) { await gate.wait() } }
            await until(queue.running > 0)
            for _ in 0..<30 { group.addTask { try await queue.run(as: Self.principal(greedy)) { log.add("greedy") } } }
            await until(queue.waiting >= 30)
            group.addTask { try await queue.run(as: Self.principal(honest)) { log.add("honest") } }
            await until(queue.waiting >= 31)
            gate.open()
        }
        #expect(log.entries.firstIndex(of: "honest").map { $0 <= 1 } == true)
    }

    /// Reading and encoding the response share a slot: no other work of the vault runs in between.
    @Test func nestedWorkSharesTheSlot() async throws {
        let queue = WorkQueue(width: 1, mostWaiting: 1, now: { 0 })
        let (gate, log) = (AsyncGate(), Log())
        let owner = Self.principal(.random())
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await queue.run(as: owner) {
                    await gate.wait()
                    try await queue.run(as: owner) { log.add("read") }
                    try await queue.run(as: owner) { log.add("made") }
                }
            }
            await until(queue.running > 0)
            group.addTask { try await queue.run(as: owner) { log.add("next") } }
            await until(queue.waiting >= 1)
            gate.open()
            try await group.waitForAll()
        }
        #expect(log.entries == ["read", "made", "next"])
        #expect(queue.running == 0 && queue.waiting == 0)
    }

    /// The rest of a committed request is never refused, however much of the same principal waits.
    @Test func committedWorkIsFinished() async throws {
        let queue = WorkQueue(width: 1, mostWaiting: 3, now: { 0 })
        let gate = AsyncGate()
        let owner = Self.principal(.random())
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await queue.run(as: owner) { await gate.wait() } }
            await until(queue.running > 0)
            for _ in 0..<3 { group.addTask { try await queue.run(as: owner) {} } }
            await until(queue.waiting >= 3)
            await #expect(throws: VaultError.busy) { try await queue.run(as: owner) {} }
            group.addTask { try await queue.finish(for: owner) {} }
            await until(queue.waiting >= 4)
            gate.open()
            try await group.waitForAll()
        }
    }

    /// A separate thread, like an event loop.
    private final class Loop: TaskExecutor {
        private let queue = DispatchQueue(label: "loop")
        private let key = DispatchSpecificKey<Bool>()
        init() { queue.setSpecific(key: key, value: true) }
        var isHere: Bool { DispatchQueue.getSpecific(key: key) == true }

        func enqueue(_ job: consuming ExecutorJob) {
            let job = UnownedJob(job)
            queue.async { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
        }
    }

    /// Work without suspension points does not run on the event loop that started it.
    @Test func workLeavesTheEventLoop() async throws {
        let queue = WorkQueue(width: 1, now: { 0 })
        let loop = Loop()
        let places = try await withTaskExecutorPreference(loop) {
            let before = await Self.isHere(loop)
            let within = try await queue.run(as: Self.principal(.random())) { loop.isHere }
            let after = await Self.isHere(loop)
            return [before, within, after]
        }
        #expect(places == [true, false, true])
    }

    @concurrent private static func isHere(_ loop: Loop) async -> Bool { loop.isHere }

    @Test func theOwnerGoesBeforeAgents() async throws {
        let queue = WorkQueue(width: 1, now: { 0 })
        let (gate, log) = (AsyncGate(), Log())
        let vault = VaultID.random()
        await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await queue.run(as: Self.principal(vault, isOwner: false)) { await gate.wait() } }
            await until(queue.running > 0)
            for _ in 0..<5 {
                group.addTask { try await queue.run(as: Self.principal(vault, isOwner: false)) { log.add("agent") } }
            }
            await until(queue.waiting >= 5)
            group.addTask { try await queue.run(as: Self.principal(vault)) { log.add("owner") } }
            await until(queue.waiting >= 6)
            gate.open()
        }
        #expect(log.entries.first == "owner")
    }

    /// Work queued by a stolen session, which counts as the owner's, does not prevent ending it.
    @Test func urgentWorkGoesFirstAndIsNotRefused() async throws {
        let queue = WorkQueue(width: 1, mostWaiting: 3, now: { 0 })
        let (gate, log) = (AsyncGate(), Log())
        let owner = Self.principal(.random())
        await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await queue.run(as: owner) { await gate.wait() } }
            await until(queue.running > 0)
            for _ in 0..<3 { group.addTask { try await queue.run(as: owner) { log.add("list") } } }
            await until(queue.waiting >= 3)
            await #expect(throws: VaultError.busy) { try await queue.run(as: owner) {} }
            group.addTask {
                try await queue.run(for: owner.id, of: .owner, isUrgent: true, in: owner.vault) {
                    log.add("sign out")
                }
            }
            await until(queue.waiting >= 4)
            gate.open()
        }
        #expect(log.entries == ["sign out", "list", "list", "list"])
    }

    @Test func onePrincipalCannotFillTheQueue() async throws {
        let queue = WorkQueue(width: 1, mostWaiting: 3, now: { 0 })
        let gate = AsyncGate()
        let principal = Self.principal(.random(), isOwner: false)
        let other = Principal(
            vault: principal.vault, holder: .generate(), role: .agent(.random(), AgentPolicy()), from: nil)
        let refused = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<10 {
                group.addTask {
                    do {
                        try await queue.run(as: principal) { await gate.wait() }
                        return false
                    } catch {
                        return error as? VaultError == .busy
                    }
                }
            }
            await until(queue.waiting >= 3)
            group.addTask {
                do {
                    try await queue.run(as: other) {}
                    return false
                } catch {
                    return true
                }
            }
            await until(queue.waiting >= 4)
            for _ in 0..<1_000 { await Task.yield() }
            gate.open()
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(refused == 6)
    }

    @Test func anErrorReleasesTheSlot() async throws {
        let queue = WorkQueue(width: 1, now: { 0 })
        let principal = Self.principal(.random())
        for _ in 0..<3 {
            await #expect(throws: VaultError.noSuchEntry) {
                try await queue.run(as: principal) { throw VaultError.noSuchEntry }
            }
        }
        #expect(try await queue.run(as: principal) { 7 } == 7)
    }
}
