import Dispatch
import SQLite
import Synchronization

/// Records the calls of the writer to its observer.
final class Recorder: BatchObserver {
    private let state = Mutex<(calls: [String], refusesNext: Bool)>(([], false))
    /// Jobs after which the file has this row are refused.
    private let refused: Int?

    init(refusing row: Int? = nil) { refused = row }

    var calls: [String] { state.withLock { $0.calls } }
    var commits: Int { calls.count { $0 == "did commit" } }

    struct CommitRefused: Error, Equatable {}

    func refuseNextCommit() { state.withLock { $0.refusesNext = true } }
    func reset() { state.withLock { $0.calls = [] } }

    func batchDidBegin(_ database: Connection) { note("begin") }
    func jobWillRun() { note("job") }
    func jobDidFail() { note("job failed") }

    func jobDidRun(_ database: Connection) throws {
        if let refused, try database.ids.contains(refused) { throw Refused() }
    }

    func batchWillCommit(_ database: Connection) throws {
        note("will commit")
        let refuses = state.withLock { state in
            defer { state.refusesNext = false }
            return state.refusesNext
        }
        if refuses { throw CommitRefused() }
    }

    func commit(_ commit: () throws -> Void) throws {
        try commit()
        note("did commit")
    }

    func batchDidFail(_ error: any Error) { note("batch failed") }

    private func note(_ call: String) { state.withLock { $0.calls.append(call) } }
}

/// Blocks the writer's thread until it is opened, so that the jobs after it become one batch.
final class Gate: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)
    func wait() { semaphore.wait() }
    func open() { semaphore.signal() }
}

/// A flag that one task sets and others read.
final class Flag: Sendable {
    private let value = Atomic(false)
    var isRaised: Bool { value.load(ordering: .sequentiallyConsistent) }
    func raise() { value.store(true, ordering: .sequentiallyConsistent) }
}

struct Refused: Error, Equatable {}

extension Migration {
    static let notes = Migration(1, "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT")
}

extension Connection {
    func insert(_ id: Int) throws {
        try run("INSERT INTO note (id, text) VALUES (?, ?)", .integer(id), .text("note \(id)"))
    }

    var ids: [Int] {
        get throws { try all("SELECT id FROM note ORDER BY id") { $0.int(0) } }
    }
}

extension Database {
    /// Submits every job while the writer is blocked, so that they share a batch. Returns each job's error, in order.
    func batch(_ jobs: [@Sendable (Connection) throws -> Void]) async -> [(any Error)?] {
        let gate = Gate()
        return await withTaskGroup(of: (Int, (any Error)?).self) { group in
            // Immediate tasks: each has submitted its job before the next one is added.
            group.addImmediateTask {
                try? await self.maintain { _ in gate.wait() }
                return (-1, nil)
            }
            for (index, job) in jobs.enumerated() {
                group.addImmediateTask {
                    do {
                        try await self.write(job)
                        return (index, nil)
                    } catch {
                        return (index, error)
                    }
                }
            }
            gate.open()
            var outcomes = [(any Error)?](repeating: nil, count: jobs.count)
            for await (index, error) in group where index >= 0 { outcomes[index] = error }
            return outcomes
        }
    }
}
