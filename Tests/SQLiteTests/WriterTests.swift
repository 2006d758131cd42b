import Foundation
import SQLite
import Synchronization
import TestSupport
import Testing

/// The guarantees of `write`: durable when it returns, rolled back when it throws, one commit for many writes.
@Suite struct WriterTests {
    let scratch: Scratch
    let recorder = Recorder()
    let database: Database

    init() throws {
        scratch = try Scratch()
        database = try Database(path: scratch.file("notes.db"), migrations: [.notes], observer: recorder)
    }

    @Test func aCompletedWriteIsVisibleToAnotherConnection() async throws {
        try await database.write { try $0.insert(1) }
        let ids = try Connection(path: scratch.file("notes.db"), access: .readOnly).ids
        #expect(ids == [1])
    }

    @Test func theResultOfTheClosureIsReturned() async throws {
        let count = try await database.write { db in
            try db.insert(1)
            return try db.ids.count
        }
        #expect(count == 1)
    }

    /// Records the order in which jobs run.
    private final class Arrivals: Sendable {
        private let sizes = Mutex<[JobSize]>([])
        var all: [JobSize] { sizes.withLock { $0 } }
        func note(_ size: JobSize) { sizes.withLock { $0.append(size) } }
    }

    private final class Flag: Sendable {
        private let state = Mutex(false)
        var isSet: Bool { state.withLock { $0 } }
        func set() { state.withLock { $0 = true } }
    }

    /// Jobs between batches run although small jobs arrive without a pause.
    @Test(.timeLimit(.minutes(5))) func jobsBetweenBatchesAreNotStarved() async throws {
        let stop = Flag()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<4 {
                group.addTask { [database] in
                    var id = worker
                    while !stop.isSet {
                        let next = id
                        // Simulates a slow disk: the next job arrives before this one ends.
                        try await database.write { db in
                            usleep(3_000)
                            try db.insert(next)
                        }
                        id += 4
                    }
                }
            }
            for _ in 0..<5 { _ = try await database.truncateWAL() }
            stop.set()
            try await group.waitForAll()
        }
    }

    /// However many deferred deletions wait, at most one runs before each large job.
    @Test func deferredDeletionsDoNotDelayLargeJobs() async throws {
        let (coming, order) = (Arrivals(), Arrivals())
        let jobs = Array(repeating: JobSize.deferredDeletion, count: 10) + Array(repeating: .large, count: 3)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [database] in
                try await database.write { _ in
                    try eventually("all jobs begin") { coming.all.count == jobs.count }
                    // Nothing shows that the last job is queued; if it is not by then, the test shows less.
                    usleep(300_000)
                }
            }
            for size in jobs {
                group.addTask { [database] in
                    coming.note(size)
                    try await database.write(size: size) { _ in
                        order.note(size)
                        // Simulates a slow disk.
                        usleep(20_000)
                    }
                }
            }
            try await group.waitForAll()
        }
        // Each large job runs after at most one deferred deletion, plus the one that arrived first.
        #expect(try #require(order.all.lastIndex(of: .large)) <= 6)
        #expect(order.all.count == jobs.count)
    }

    @Test func aThrowingWriteIsRolledBack() async throws {
        await #expect(throws: Refused()) {
            try await database.write { db in
                try db.insert(1)
                throw Refused()
            }
        }
        let ids = try database.lookUp { try $0.ids }
        #expect(ids == [])
    }

    @Test func aThrowingJobDoesNotAffectItsBatch() async throws {
        let outcomes = await database.batch(
            (0..<40).map { id in
                { db in
                    try db.insert(id)
                    if id == 17 { throw Refused() }
                }
            })
        let ids = try database.lookUp { try $0.ids }
        #expect(ids == (0..<40).filter { $0 != 17 })
        #expect(outcomes.indices.filter { outcomes[$0] != nil } == [17])
        #expect(outcomes[17] as? Refused == Refused())
    }

    @Test func successiveWritesShareACommitWithACommitDelay() async throws {
        let recorder = Recorder()
        let patient = try Database(
            path: scratch.file("delayed.db"), migrations: [.notes], commitDelay: 900, observer: recorder)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for id in 0..<6 {
                tasks.addTask {
                    try await Task.sleep(for: .milliseconds(20 * id))
                    try await patient.write { try $0.insert(id) }
                }
            }
            try await tasks.waitForAll()
        }
        // On a machine that stalls in between, the last write may be too late for the first commit.
        #expect(recorder.commits <= 2)
        let ids = try patient.lookUp { try $0.ids }
        #expect(ids == Array(0..<6))
    }

    @Test func aConstraintViolationDoesNotAffectItsBatch() async throws {
        let outcomes = await database.batch([{ try $0.insert(1) }, { try $0.insert(1) }, { try $0.insert(2) }])
        let ids = try database.lookUp { try $0.ids }
        #expect(ids == [1, 2])
        #expect((outcomes[1] as? SQLiteError)?.cause == .constraint)
    }

    @Test func concurrentWritesShareOneCommit() async throws {
        recorder.reset()
        let outcomes = await database.batch((0..<300).map { id in { try $0.insert(id) } })
        #expect(outcomes.allSatisfy { $0 == nil })
        #expect(recorder.commits == 1)
    }

    @Test func aBatchIsBounded() async throws {
        recorder.reset()
        _ = await database.batch((0..<1_100).map { id in { try $0.insert(id) } })
        let count = try database.lookUp { try $0.ids.count }
        #expect(count == 1_100)
        #expect(recorder.commits == 3)
    }

    @Test func mixedConcurrentWritersKeepExactlyTheAcknowledgedWrites() async throws {
        let acknowledged = await withTaskGroup(of: Int?.self) { group in
            for id in 0..<400 {
                group.addTask { [database] in
                    do {
                        try await database.write { db in
                            try db.insert(id)
                            if id % 7 == 0 { throw Refused() }
                        }
                        return id
                    } catch {
                        return nil
                    }
                }
            }
            return await group.reduce(into: [Int]()) { kept, id in if let id { kept.append(id) } }
        }
        let ids = try database.lookUp { try $0.ids }
        #expect(ids == acknowledged.sorted())
        #expect(ids == (0..<400).filter { $0 % 7 != 0 })
    }

    @Test func maintenanceRunsOutsideAnyTransaction() async throws {
        let isInTransaction = try await database.maintain { $0.isInTransaction }
        #expect(!isInTransaction)
    }

    @Test(.timeLimit(.minutes(15))) func aKilledProcessKeepsAcknowledgedWrites() async throws {
        let path = scratch.file("killed.db")
        let log = scratch.file("acknowledged")
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String, log = log as String] in
            let database = try Database(path: path, migrations: [.notes])
            _ = FileManager.default.createFile(atPath: log, contents: nil)
            let handle = try #require(FileHandle(forWritingAtPath: log))
            try await withThrowingTaskGroup(of: Int.self) { group in
                for id in 0..<2_000 {
                    group.addTask {
                        try await database.write { try $0.insert(id) }
                        return id
                    }
                }
                var count = 0
                for try await id in group {
                    try handle.write(contentsOf: Data("\(id)\n".utf8))
                    count += 1
                    if count == 700 { kill(getpid(), SIGKILL) }
                }
            }
        }
        let acknowledged = String(decoding: try scratch.read("acknowledged"), as: UTF8.self)
            .split(separator: "\n").compactMap { Int($0) }
        let kept = Set(try Database(path: path, migrations: [.notes]).lookUp { try $0.ids })
        #expect(acknowledged.count == 700)
        #expect(kept.isSuperset(of: acknowledged))
    }
}
