import Dispatch
import Synchronization
import TestSupport
import Testing
import Vault
import VaultFormat

/// Work that yields or waits for a lock.
extension WorkQueueTests {
    /// Uses more processor time than one slice.
    static func spend() {
        let start = ContinuousClock.now
        while start.duration(to: .now) < .milliseconds(25) {}
    }

    /// Work that yields lets another vault's run in between, but no other work of its own vault.
    @Test func longWorkYields() async throws {
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
                        try await WorkQueue.yieldIfNeeded()
                    }
                }
            }
            await until(queue.running > 0)
            group.addTask { try await queue.run(as: Self.principal(long)) { log.add("own") } }
            group.addTask { try await queue.run(as: Self.principal(short)) { log.add("short") } }
            await until(queue.waiting >= 2)
            gate.open()
        }
        #expect(log.entries == ["long 0", "short", "long 1", "long 2", "own"])
    }

    /// A vault with little usage goes before one with much, however long the other has waited.
    @Test func theVaultWithTheLeastUsageGoesFirst() async throws {
        let queue = WorkQueue(width: 1, now: { 0 })
        let (gate, log) = (AsyncGate(), Log())
        let (greedy, other, modest) = (VaultID.random(), VaultID.random(), VaultID.random())
        // More than `Usage.little`.
        try await queue.run(as: Self.principal(greedy)) { for _ in 0..<14 { Self.spend() } }
        await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await queue.run(as: Self.principal(other)) { await gate.wait() } }
            await until(queue.running > 0)
            for (vault, name) in [(greedy, "greedy"), (modest, "modest")] {
                let before = queue.waiting
                group.addTask { try await queue.run(as: Self.principal(vault)) { log.add(name) } }
                await until(queue.waiting != before)
            }
            gate.open()
        }
        #expect(log.entries == ["modest", "greedy"])
    }

    /// Suspended work of a stolen session does not delay the owner's urgent work.
    @Test func urgentWorkStartsBesideSuspendedWork() async throws {
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
                        try await WorkQueue.yieldIfNeeded()
                    }
                }
            }
            await until(queue.running > 0)
            group.addTask { try await queue.run(as: Self.principal(mine)) { log.add("own") } }
            group.addTask {
                try await queue.run(for: .random(), of: .owner, isUrgent: true, in: mine) { log.add("urgent") }
            }
            await until(queue.waiting >= 2)
            gate.open()
        }
        #expect(log.entries == ["long 0", "urgent", "long 1", "long 2", "long 3", "own"])
    }

    /// Work that holds a lock for which urgent work waits goes first, regardless of its vault's usage.
    @Test func workThatBlocksUrgentWorkGoesFirst() async throws {
        let locks = VaultLocks()
        let queue = WorkQueue(width: 1, locks: locks, now: { 0 })
        let (gate, log, held) = (AsyncGate(), Log(), Log())
        let mine = VaultID.random()
        try await queue.run(as: Self.principal(mine)) { for _ in 0..<14 { Self.spend() } }
        await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await queue.run(as: Self.principal(mine)) {
                    try await locks.withLock(mine) {
                        held.add("lock")
                        await gate.wait()
                        for _ in 0..<3 {
                            Self.spend()
                            try await WorkQueue.yieldIfNeeded()
                        }
                    }
                }
            }
            // Or the urgent work would take it first.
            await until(!held.entries.isEmpty)
            group.addTask { try await locks.withLock(mine, isUrgent: true) { log.add("urgent") } }
            await until(locks.hasUrgent(mine))
            for _ in 0..<20 {
                group.addTask {
                    try await queue.run(as: Self.principal(.random())) {
                        Self.spend()
                        log.add("other")
                    }
                }
            }
            await until(queue.waiting >= 20)
            gate.open()
        }
        // In turns with those that ask for little, and not behind them all.
        #expect((log.entries.firstIndex(of: "urgent") ?? .max) < 20)
        #expect(log.entries.count == 21)
    }

    /// A change that waits for its vault's lock holds no slot, and continues when it has the lock.
    @Test func workThatWaitsForALockHoldsNoSlot() async throws {
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
            await until(queue.running == 0)
            try await queue.run(as: Self.principal(other)) { log.add("other") }
            held.open()
        }
        #expect(log.entries == ["held", "begins", "other", "mine"])
        #expect(queue.running == 0 && queue.waiting == 0)
    }

    /// All work completes, however many items yield.
    @Test func allWorkCompletes() async throws {
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
                                try await WorkQueue.yieldIfNeeded()
                            }
                        } else {
                            if index % 7 == 0 { Self.spend() }
                            try await WorkQueue.yieldIfNeeded()
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

    /// The amount of begun work is bounded; beyond it work is refused, and small requests are still admitted.
    @Test func begunWorkIsBoundedAndSmallRequestsAreAdmitted() async throws {
        let queue = WorkQueue(width: 1, now: { 0 })
        let (gate, log) = (AsyncGate(), Log())
        let begun = Begun()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await queue.run(as: Self.principal(.random())) { await gate.wait() } }
            await until(queue.running > 0)
            for _ in 0..<56 {
                group.addTask {
                    do {
                        try await queue.run(as: Self.principal(.random())) {
                            begun.change(by: 1)
                            defer { begun.change(by: -1) }
                            for _ in 0..<3 {
                                Self.spend()
                                try await WorkQueue.yieldIfNeeded()
                            }
                        }
                        log.add("long")
                    } catch VaultError.busy {
                        log.add("given up")
                    }
                }
            }
            await until(queue.waiting >= 56)
            gate.open()
            try await eventually("48 works have begun", every: .milliseconds(1)) { begun.most >= 48 }
            try await queue.run(as: Self.principal(.random())) { log.add("short") }
            try await group.waitForAll()
        }
        #expect(log.entries.count == 57)
        #expect(log.entries.contains("given up") && log.entries.contains("long"))
        #expect((log.entries.firstIndex(of: "short") ?? .max) < 60)
        #expect(begun.most <= 50)
        #expect(queue.running == 0 && queue.waiting == 0)
    }
}
