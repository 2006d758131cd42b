import Foundation
import SQLite
import TestSupport
import Testing

@Suite struct OnlineCopyTests {
    let scratch: Scratch
    let database: Database

    init() throws {
        scratch = try Scratch()
        database = try Database(
            path: scratch.file("notes.db"),
            migrations: [
                .notes, Migration(2, "CREATE TABLE pair (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT"),
            ])
    }

    @Test(.timeLimit(.minutes(15))) func aCopyDuringWritesIsConsistent() async throws {
        try await database.write { db in
            for _ in 0..<200 {
                try db.run("INSERT INTO pair (bytes) VALUES (?)", .blob([UInt8](repeating: 1, count: 9_000)))
            }
        }
        let isOver = Flag()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [database] in
                // Two rows in each transaction, so that a copy of half of one has an odd count.
                while !isOver.isRaised {
                    try await database.write { db in
                        for _ in 0..<2 {
                            try db.run(
                                "INSERT INTO pair (bytes) VALUES (?)", .blob([UInt8](repeating: 2, count: 3_000)))
                        }
                    }
                }
            }
            for number in 0..<5 { try await database.copy(to: scratch.file("copy\(number).db")) }
            isOver.raise()
            try await group.waitForAll()
        }
        for number in 0..<5 {
            let copy = try Connection(path: scratch.file("copy\(number).db"), access: .readOnly)
            let count = try copy.first("SELECT count(*) FROM pair") { $0.int(0) } ?? 0
            #expect(copy.checkIntegrity(.full) == [])
            #expect(count >= 200 && count.isMultiple(of: 2))
        }
    }

    @Test func aCopyIsASnapshotAtTheTimeOfTheCall() async throws {
        try await database.write { try $0.insert(1) }
        try await database.copy(to: scratch.file("copy.db"))
        try await database.write { try $0.insert(2) }
        let copied = try Connection(path: scratch.file("copy.db"), access: .readOnly).ids
        #expect(copied == [1])
    }

    @Test func aCopyNeedsNoWAL() async throws {
        try await database.write { try $0.insert(1) }
        try await database.copy(to: scratch.file("copy.db"))
        let names = try FileManager.default.contentsOfDirectory(atPath: scratch.path).filter { $0.hasPrefix("copy") }
        #expect(names == ["copy.db"])
    }

    @Test func aCopyToAMissingDirectoryFails() async throws {
        await #expect(throws: SQLiteError.self) { try await database.copy(to: scratch.file("nowhere/copy.db")) }
    }

    @Test func deletedSecretsAreGoneFromFileAndWAL() async throws {
        let secret = Array("the-secret-that-must-not-stay-\(UUID().uuidString)".utf8)
        _ = try await database.write { try $0.run("INSERT INTO pair (id, bytes) VALUES (1, ?)", .blob(secret)) }
        let before = try scratch.everything(beginning: "notes.db")
        #expect(before.holds(secret), "or the test shows nothing")
        _ = try await database.write { try $0.run("DELETE FROM pair WHERE id = 1") }
        let isCut = try await database.truncateWAL()
        let after = try scratch.everything(beginning: "notes.db")
        #expect(isCut)
        #expect(!after.holds(secret))
    }

    @Test func overwrittenSecretsAreGoneFromFileAndWAL() async throws {
        let secret = [UInt8](repeating: 0x61, count: 6_000) + Array("tail-\(UUID().uuidString)".utf8)
        _ = try await database.write { try $0.run("INSERT INTO pair (id, bytes) VALUES (1, ?)", .blob(secret)) }
        try await database.truncateWAL()
        _ = try await database.write { try $0.run("UPDATE pair SET bytes = ? WHERE id = 1", .blob([1])) }
        try await database.truncateWAL()
        let after = try scratch.everything(beginning: "notes.db")
        #expect(!after.holds(secret.suffix(30)))
    }

    @Test(.timeLimit(.minutes(15))) func theWALIsNotTruncatedDuringARead() async throws {
        try await database.write { try $0.insert(1) }
        let reader = try Connection(path: scratch.file("notes.db"), access: .readOnly)
        try reader.run("BEGIN")
        _ = try reader.ids
        try await database.write { try $0.insert(2) }
        let isCutUnderReader = try await database.truncateWAL()
        try reader.run("COMMIT")
        // The back-off prevents another attempt for some seconds.
        let isCutAtOnce = try await database.truncateWAL()
        #expect(!isCutUnderReader)
        #expect(!isCutAtOnce)
        try await eventually("the WAL is truncated", every: .milliseconds(100)) { try await database.truncateWAL() }
    }

    @Test(.timeLimit(.minutes(15))) func aLongReadDoesNotDelayTheWriter() async throws {
        // A backup reads for minutes; a purge meanwhile must not block every commit until SQLite's busy timeout.
        try await database.write { try $0.insert(1) }
        let reader = try Connection(path: scratch.file("notes.db"), access: .readOnly)
        try reader.run("BEGIN")
        _ = try reader.ids
        try await database.write { try $0.insert(2) }
        let isCut = try await database.truncateWAL()
        try await database.write { try $0.insert(3) }
        let seen = try database.lookUp { try $0.ids }
        try reader.run("COMMIT")
        #expect(!isCut)
        #expect(seen == [1, 2, 3])
    }
}
