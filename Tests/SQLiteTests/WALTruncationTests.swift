import SQLite
import Synchronization
import TestSupport
import Testing

/// Many concurrent callers share one truncation.
@Suite struct WALTruncationTests {
    private final class Counter: Sendable {
        let count = Atomic(0)
    }

    @Test(.timeLimit(.minutes(5))) func allWaitersShareOneTruncation() async throws {
        let scratch = try Scratch()
        let connection = try Connection(path: scratch.file("one.db"), access: .readWrite)
        try connection.script("PRAGMA journal_mode = WAL; CREATE TABLE a (b); INSERT INTO a VALUES (1);")
        let truncation = WALTruncation()
        let schedules = Counter()
        let outcomes = try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<50 {
                group.addTask { try await truncation.wait { schedules.count.add(1, ordering: .relaxed) } }
            }
            await until(truncation.waiters >= 50)
            truncation.run(on: connection)
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes == Array(repeating: true, count: 50))
        #expect(schedules.count.load(ordering: .relaxed) == 1)
    }
}
