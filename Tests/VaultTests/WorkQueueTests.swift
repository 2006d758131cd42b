import Dispatch
import Synchronization
import TestSupport
import Testing
import Vault
import VaultFormat

/// Who has a turn on the processor, and when.
@Suite(.timeLimit(.minutes(5))) struct WorkQueueTests {
    private static func principal(_ vault: VaultID, isOwner: Bool = true) -> Principal {
        Principal(
            vault: vault, holder: .generate(),
            role: isOwner ? .owner(session: .random(), since: 0) : .agent(AgentPolicy()), from: nil)
    }

    private final class Log: Sendable {
        private let state = Mutex<[String]>([])
        var entries: [String] { state.withLock { $0 } }
        func add(_ text: String) { state.withLock { $0.append(text) } }

        func reaches(_ count: Int) async {
            while entries.count < count { await Task.yield() }
        }
    }

    /// How many are under way, and were at most.
    private final class Begun: Sendable {
        private let state = Mutex((now: 0, most: 0))
        var most: Int { state.withLock { $0.most } }
        func change(by step: Int) {
            state.withLock { state in
                state.now += step
                state.most = max(state.most, state.now)
            }
        }
    }

    @Test func twoAtATimeAndOneOfAVault() async throws {
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

    /// A tenant who queues thirty pieces lets another tenant's first one by.
    @Test func vaultsTakeTurns() async throws {
        let queue = WorkQueue(width: 1, now: { 0 })
        let (gate, log) = (AsyncGate(), Log())
        let (greedy, honest) = (VaultID.random(), VaultID.random())
        await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await queue.run(as: Self.principal(greedy)) { await gate.wait() } }
            while queue.running == 0 { await Task.yield() }
            for _ in 0..<30 { group.addTask { try await queue.run(as: Self.principal(greedy)) { log.add("greedy") } } }
            while queue.waiting < 30 { await Task.yield() }
            group.addTask { try await queue.run(as: Self.principal(honest)) { log.add("honest") } }
            while queue.waiting < 31 { await Task.yield() }
            gate.open()
        }
        #expect(log.entries.firstIndex(of: "honest").map { $0 <= 1 } == true)
    }

    /// Longer than a turn lasts before others go first.
    private static func spend() {
        let start = ContinuousClock.now
        while start.duration(to: .now) < .milliseconds(25) {}
    }

    /// Work in parts lets another vault's in between, and nothing of its own vault.
    @Test func longWorkGivesUpItsTurn() async throws {
        let queue = WorkQueue(width: 1, now: { 0 })
        let (gate, log) = (AsyncGate(), Log())
        let (long, short) = (VaultID.random(), VaultID.random())
        await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await queue.run(as: Self.principal(long)) {
                    await gate.wait()
                    for part in 0..<3 {
                        log.add("long \(part)")
                        Self.spend()
                        try await WorkQueue.breathe()
                    }
                }
            }
            while queue.running == 0 { await Task.yield() }
            group.addTask { try await queue.run(as: Self.principal(long)) { log.add("own") } }
            group.addTask { try await queue.run(as: Self.principal(short)) { log.add("short") } }
            while queue.waiting < 2 { await Task.yield() }
            gate.open()
        }
        #expect(log.entries == ["long 0", "short", "long 1", "long 2", "own"])
    }

    /// Who had little goes before who had much, however long the other has waited.
    @Test func whoAsksForLittleGoesFirst() async throws {
        let queue = WorkQueue(width: 1, now: { 0 })
        let (gate, log) = (AsyncGate(), Log())
        let (greedy, other, modest) = (VaultID.random(), VaultID.random(), VaultID.random())
        // More than counts as little.
        try await queue.run(as: Self.principal(greedy)) { for _ in 0..<14 { Self.spend() } }
        await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await queue.run(as: Self.principal(other)) { await gate.wait() } }
            while queue.running == 0 { await Task.yield() }
            for (vault, name) in [(greedy, "greedy"), (modest, "modest")] {
                let before = queue.waiting
                group.addTask { try await queue.run(as: Self.principal(vault)) { log.add(name) } }
                while queue.waiting == before { await Task.yield() }
            }
            gate.open()
        }
        #expect(log.entries == ["modest", "greedy"])
    }

    /// What a thief began keeps nothing from the owner that is urgent.
    @Test func whatIsUrgentBeginsBesideWhatRests() async throws {
        let queue = WorkQueue(width: 1, now: { 0 })
        let (gate, log) = (AsyncGate(), Log())
        let mine = VaultID.random()
        await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await queue.run(as: Self.principal(mine)) {
                    await gate.wait()
                    for part in 0..<4 {
                        log.add("long \(part)")
                        Self.spend()
                        try await WorkQueue.breathe()
                    }
                }
            }
            while queue.running == 0 { await Task.yield() }
            group.addTask { try await queue.run(as: Self.principal(mine)) { log.add("own") } }
            group.addTask {
                try await queue.run(for: .random(), of: .owner, isUrgent: true, in: mine) { log.add("urgent") }
            }
            while queue.waiting < 2 { await Task.yield() }
            gate.open()
        }
        #expect(log.entries == ["long 0", "urgent", "long 1", "long 2", "long 3", "own"])
    }

    /// Work that holds what something urgent waits for goes on before others, whatever its vault had of late.
    @Test func whatKeepsSomethingUrgentWaitingGoesFirst() async throws {
        let locks = VaultLocks()
        let queue = WorkQueue(width: 1, locks: locks, now: { 0 })
        let (gate, log) = (AsyncGate(), Log())
        let mine = VaultID.random()
        try await queue.run(as: Self.principal(mine)) { for _ in 0..<14 { Self.spend() } }
        await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await queue.run(as: Self.principal(mine)) {
                    try await locks.withLock(mine) {
                        await gate.wait()
                        for _ in 0..<3 {
                            Self.spend()
                            try await WorkQueue.breathe()
                        }
                    }
                }
            }
            while queue.running == 0 { await Task.yield() }
            group.addTask { try await locks.withLock(mine, isUrgent: true) { log.add("urgent") } }
            while !locks.hasUrgent(mine) { await Task.yield() }
            for _ in 0..<20 {
                group.addTask {
                    try await queue.run(as: Self.principal(.random())) {
                        Self.spend()
                        log.add("other")
                    }
                }
            }
            while queue.waiting < 20 { await Task.yield() }
            gate.open()
        }
        // In turns with those that ask for little, and not behind them all.
        #expect((log.entries.firstIndex(of: "urgent") ?? .max) < 20)
        #expect(log.entries.count == 21)
    }

    /// A change that waits for its vault's lock is in nobody else's way, and goes on when it has it.
    @Test func whatWaitsForALockKeepsNoTurn() async throws {
        let (queue, locks) = (WorkQueue(width: 1, now: { 0 }), VaultLocks())
        let (held, log) = (AsyncGate(), Log())
        let (mine, other) = (VaultID.random(), VaultID.random())
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await locks.withLock(mine, isUrgent: true) {
                    log.add("held")
                    await held.wait()
                }
            }
            await log.reaches(1)
            group.addTask {
                try await queue.run(as: Self.principal(mine)) {
                    log.add("begins")
                    try await locks.withLock(mine) { log.add("mine") }
                }
            }
            await log.reaches(2)
            while queue.running > 0 { await Task.yield() }
            try await queue.run(as: Self.principal(other)) { log.add("other") }
            held.open()
        }
        #expect(log.entries == ["held", "begins", "other", "mine"])
        #expect(queue.running == 0 && queue.waiting == 0)
    }

    /// However many pieces give up their turn, all come to their end.
    @Test func allComeToTheirEnd() async throws {
        let (queue, locks) = (WorkQueue(width: 2, mostWaiting: 1_000, now: { 0 }), VaultLocks(mostWaiting: 1_000))
        let vaults = (0..<40).map { _ in VaultID.random() }
        let log = Log()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<200 {
                let vault = vaults[index % vaults.count]
                group.addTask {
                    try await queue.run(as: Self.principal(vault)) {
                        if index % 2 == 0 {
                            try await locks.withLock(vault, isUrgent: index % 4 == 0) {
                                if index % 10 == 0 { Self.spend() }
                                try await WorkQueue.breathe()
                            }
                        } else {
                            if index % 7 == 0 { Self.spend() }
                            try await WorkQueue.breathe()
                        }
                        log.add("")
                    }
                }
                if index % 5 == 0 {
                    group.addTask { try await locks.withLock(vault, isUrgent: true) { await Task.yield() } }
                }
            }
            try await group.waitForAll()
        }
        #expect(log.entries.count == 200)
        #expect(queue.running == 0 && queue.waiting == 0)
    }

    /// However many vaults bring long work, so much of it has begun at a time; the rest is given up, and whoever asks for
    /// little is let in.
    @Test func soMuchIsBegunAndWhoAsksForLittleIsLetIn() async throws {
        let queue = WorkQueue(width: 1, now: { 0 })
        let (gate, log) = (AsyncGate(), Log())
        let begun = Begun()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await queue.run(as: Self.principal(.random())) { await gate.wait() } }
            while queue.running == 0 { await Task.yield() }
            for _ in 0..<56 {
                group.addTask {
                    do {
                        try await queue.run(as: Self.principal(.random())) {
                            begun.change(by: 1)
                            defer { begun.change(by: -1) }
                            for _ in 0..<3 {
                                Self.spend()
                                try await WorkQueue.breathe()
                            }
                        }
                        log.add("long")
                    } catch VaultError.busy {
                        log.add("given up")
                    }
                }
            }
            while queue.waiting < 56 { await Task.yield() }
            gate.open()
            while begun.most < 48 { try await Task.sleep(for: .milliseconds(1)) }
            try await queue.run(as: Self.principal(.random())) { log.add("short") }
            try await group.waitForAll()
        }
        #expect(log.entries.count == 57)
        #expect(log.entries.contains("given up") && log.entries.contains("long"))
        #expect((log.entries.firstIndex(of: "short") ?? .max) < 60)
        #expect(begun.most <= 50)
        #expect(queue.running == 0 && queue.waiting == 0)
    }

    /// What is read and the answer that is made of it are one piece: nothing of the vault comes between.
    @Test func aPartHasTheTurnOfItsWhole() async throws {
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
            while queue.running == 0 { await Task.yield() }
            group.addTask { try await queue.run(as: owner) { log.add("next") } }
            while queue.waiting < 1 { await Task.yield() }
            gate.open()
            try await group.waitForAll()
        }
        #expect(log.entries == ["read", "made", "next"])
        #expect(queue.running == 0 && queue.waiting == 0)
    }

    /// What has been done is answered, however much of the same principal waits.
    @Test func whatIsDoneIsFinished() async throws {
        let queue = WorkQueue(width: 1, mostWaiting: 3, now: { 0 })
        let gate = AsyncGate()
        let owner = Self.principal(.random())
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await queue.run(as: owner) { await gate.wait() } }
            while queue.running == 0 { await Task.yield() }
            for _ in 0..<3 { group.addTask { try await queue.run(as: owner) {} } }
            while queue.waiting < 3 { await Task.yield() }
            await #expect(throws: VaultError.busy) { try await queue.run(as: owner) {} }
            group.addTask { try await queue.finish(for: owner) {} }
            while queue.waiting < 4 { await Task.yield() }
            gate.open()
            try await group.waitForAll()
        }
    }

    /// A thread of its own, as an event loop is.
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

    /// Work that never waits for anything is not done on the event loop that brought it.
    @Test func workLeavesTheLoop() async throws {
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

    @Test func theOwnerGoesBeforeHisAgents() async throws {
        let queue = WorkQueue(width: 1, now: { 0 })
        let (gate, log) = (AsyncGate(), Log())
        let vault = VaultID.random()
        await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await queue.run(as: Self.principal(vault, isOwner: false)) { await gate.wait() } }
            while queue.running == 0 { await Task.yield() }
            for _ in 0..<5 {
                group.addTask { try await queue.run(as: Self.principal(vault, isOwner: false)) { log.add("agent") } }
            }
            while queue.waiting < 5 { await Task.yield() }
            group.addTask { try await queue.run(as: Self.principal(vault)) { log.add("owner") } }
            while queue.waiting < 6 { await Task.yield() }
            gate.open()
        }
        #expect(log.entries.first == "owner")
    }

    /// A thief's session is the owner's, too: what it queues keeps nobody from ending it.
    @Test func whatIsUrgentGoesFirstAndIsNotRefused() async throws {
        let queue = WorkQueue(width: 1, mostWaiting: 3, now: { 0 })
        let (gate, log) = (AsyncGate(), Log())
        let owner = Self.principal(.random())
        await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await queue.run(as: owner) { await gate.wait() } }
            while queue.running == 0 { await Task.yield() }
            for _ in 0..<3 { group.addTask { try await queue.run(as: owner) { log.add("list") } } }
            while queue.waiting < 3 { await Task.yield() }
            await #expect(throws: VaultError.busy) { try await queue.run(as: owner) {} }
            group.addTask {
                try await queue.run(for: owner.holder.id, of: .owner, isUrgent: true, in: owner.vault) {
                    log.add("sign out")
                }
            }
            while queue.waiting < 4 { await Task.yield() }
            gate.open()
        }
        #expect(log.entries == ["sign out", "list", "list", "list"])
    }

    @Test func operationsCostWhatTheyWriteAndTheUrgentHaveATenthMore() throws {
        let budget = OperationBudget(perDay: 100) { 1_000 }
        let vault = VaultID.random()
        try budget.spend(vault, count: 99)
        #expect(throws: VaultError.self) { try budget.spend(vault, count: 2) }
        try budget.spend(vault)
        #expect(throws: VaultError.self) { try budget.spend(vault) }
        for _ in 0..<10 { try budget.spend(vault, share: .urgent) }
        #expect(throws: VaultError.self) { try budget.spend(vault, share: .urgent) }
        try budget.spend(.random())
    }

    /// Nobody who brings a node down gets a day's worth again.
    @Test func aCrashGivesHalfADay() throws {
        let budget = OperationBudget(perDay: 100, isUnclean: true) { 1_000 }
        let vault = VaultID.random()
        try budget.spend(vault, count: 50)
        #expect(throws: VaultError.self) { try budget.spend(vault) }
    }

    @Test func onePrincipalCannotFillTheQueue() async throws {
        let queue = WorkQueue(width: 1, mostWaiting: 3, now: { 0 })
        let gate = AsyncGate()
        let principal = Self.principal(.random(), isOwner: false)
        let other = Principal(vault: principal.vault, holder: .generate(), role: .agent(AgentPolicy()), from: nil)
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
            while queue.waiting < 3 { await Task.yield() }
            group.addTask {
                do {
                    try await queue.run(as: other) {}
                    return false
                } catch {
                    return true
                }
            }
            while queue.waiting < 4 { await Task.yield() }
            for _ in 0..<1_000 { await Task.yield() }
            gate.open()
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(refused == 6)
    }

    @Test func anErrorGivesTheTurnBack() async throws {
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
