import Synchronization
import TestSupport
import Testing
import Vault
import VaultFormat

@Suite struct VaultLocksTests {
    let locks = VaultLocks(mostWaiting: 200)

    private final class Log: Sendable {
        private let state = Mutex<(inside: Int, most: Int, order: [Int])>((0, 0, []))
        var most: Int { state.withLock { $0.most } }
        var order: [Int] { state.withLock { $0.order } }

        func enter(_ number: Int) {
            state.withLock { state in
                state.inside += 1
                state.most = max(state.most, state.inside)
                state.order.append(number)
            }
        }
        func leave() { state.withLock { $0.inside -= 1 } }
    }

    @Test(.timeLimit(.minutes(15))) func oneChangeAtATimePerVault() async {
        let log = Log()
        let vault = VaultID.random()
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<200 {
                group.addTask { [locks] in
                    try? await locks.withLock(vault) {
                        log.enter(number)
                        await Task.yield()
                        log.leave()
                    }
                }
            }
        }
        #expect(log.most == 1)
        #expect(log.order.sorted() == Array(0..<200))
    }

    /// A stream of urgent changes does not starve another one.
    @Test(.timeLimit(.minutes(1))) func urgentChangesStarveNoOtherChange() async throws {
        let log = Log()
        let vault = VaultID.random()
        let clock = TestClock()
        await withTaskGroup(of: Void.self) { group in
            group.addImmediateTask { [locks] in
                try? await locks.withLock(vault) { try await clock.sleep(for: .seconds(1)) }
            }
            group.addImmediateTask { [locks] in try? await locks.withLock(vault) { log.enter(0) } }
            for number in 1...50 {
                group.addImmediateTask { [locks] in
                    try? await locks.withLock(vault, isUrgent: true) { log.enter(number) }
                }
            }
            await clock.sleepers()
            clock.advance(by: .seconds(1))
        }
        #expect(log.order.firstIndex(of: 0) == 8)
        #expect(log.order.count == 51)
    }

    @Test(.timeLimit(.minutes(15))) func changesRunInTheOrderOfArrival() async {
        let log = Log()
        let vault = VaultID.random()
        let clock = TestClock()
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<50 {
                // Immediate: runs up to the lock before the next task is added.
                group.addImmediateTask { [locks] in
                    try? await locks.withLock(vault) {
                        log.enter(number)
                        if number == 0 { try? await clock.sleep(for: .seconds(1)) }
                        log.leave()
                    }
                }
            }
            await clock.sleepers()
            clock.advance(by: .seconds(1))
        }
        #expect(log.order == Array(0..<50))
    }

    @Test(.timeLimit(.minutes(15))) func vaultsDoNotWaitForEachOther() async throws {
        let clock = TestClock()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [locks] in
                try await locks.withLock(.random()) { try? await clock.sleep(for: .seconds(1)) }
            }
            await clock.sleepers()
            try await locks.withLock(.random()) {}
            clock.advance(by: .seconds(1))
        }
    }

    @Test(.timeLimit(.minutes(15))) func aThrowingBodyReleasesTheLock() async throws {
        struct Refused: Error {}
        let vault = VaultID.random()
        await #expect(throws: Refused.self) { try await locks.withLock(vault) { throw Refused() } }
        let result = try await locks.withLock(vault) { 1 }
        #expect(result == 1)
    }

    @Test(.timeLimit(.minutes(15))) func urgentChangesGoFirstAndAreNeverRefused() async throws {
        let log = Log()
        let vault = VaultID.random()
        let clock = TestClock()
        let locks = VaultLocks(mostWaiting: 3)
        let refused = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<10 {
                group.addImmediateTask {
                    let error = await thrown {
                        try await locks.withLock(vault, isUrgent: number > 6) {
                            log.enter(number)
                            if number == 0 { try? await clock.sleep(for: .seconds(1)) }
                            log.leave()
                        }
                    }
                    return error as? VaultError == .busy
                }
            }
            await clock.sleepers()
            clock.advance(by: .seconds(1))
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(refused == 3)
        #expect(log.order == [0, 7, 8, 9, 1, 2, 3])
    }
}
