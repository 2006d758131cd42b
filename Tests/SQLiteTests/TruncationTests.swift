import Synchronization
import TestSupport
import Testing

@testable import SQLite

/// Who deletes much cuts the log no more often than who deletes little.
@Suite struct TruncationTests {
    private final class Begun: Sendable {
        let count = Atomic(0)
    }

    @Test(.timeLimit(.minutes(5))) func allWhoWaitHaveOneForAll() async throws {
        let scratch = try Scratch()
        let connection = try Connection(path: scratch.file("one.db"), access: .readWrite)
        try connection.script("PRAGMA journal_mode = WAL; CREATE TABLE a (b); INSERT INTO a VALUES (1);")
        let truncation = Truncation()
        let begun = Begun()
        let answers = try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<50 {
                group.addTask { try await truncation.join { begun.count.add(1, ordering: .relaxed) } }
            }
            while truncation.waiting < 50 { await Task.yield() }
            truncation.run(on: connection)
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers == Array(repeating: true, count: 50))
        #expect(begun.count.load(ordering: .relaxed) == 1)
    }
}
