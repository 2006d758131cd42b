import Foundation
import SQLite
import Synchronization
import TestSupport
import Testing

/// A full disk and a damaged file.
@Suite struct DamageTests {
    let scratch: Scratch

    init() throws {
        scratch = try Scratch()
    }

    private func database() throws -> Database {
        try Database(
            path: scratch.file("notes.db"),
            migrations: [
                .notes, Migration(2, "CREATE TABLE bulk (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT"),
            ])
    }

    private static let bulk = Value.blob([UInt8](repeating: 7, count: 50_000))

    @Test func aFullDiskHasTheCauseFull() async throws {
        let database = try database()
        try await database.maintain { try $0.script("PRAGMA max_page_count = 20") }
        let error = await thrown {
            try await database.write { db in
                for _ in 0..<10 { try db.run("INSERT INTO bulk (bytes) VALUES (?)", Self.bulk) }
            }
        }
        #expect((error as? SQLiteError)?.cause == .full)
    }

    @Test func afterAFullDiskNothingIsHalfWrittenAndWritingContinues() async throws {
        let database = try database()
        try await database.maintain { try $0.script("PRAGMA max_page_count = 40") }
        let error = await thrown {
            try await database.write { db in
                try db.insert(1)
                for _ in 0..<20 { try db.run("INSERT INTO bulk (bytes) VALUES (?)", Self.bulk) }
            }
        }
        #expect(error != nil)
        let left = try database.lookUp { db in
            (notes: try db.ids, bulk: try db.first("SELECT count(*) FROM bulk") { $0.int(0) })
        }
        #expect(left.notes == [])
        #expect(left.bulk == 0)
        try await database.maintain { try $0.script("PRAGMA max_page_count = 100000") }
        try await database.write { try $0.insert(2) }
        let findings = try await database.checkIntegrity(.full)
        let ids = try database.lookUp { try $0.ids }
        #expect(ids == [2])
        #expect(findings == [])
    }

    @Test func aFullDiskInABatchKeepsOnlyAcknowledgedJobs() async throws {
        let database = try database()
        try await database.maintain { try $0.script("PRAGMA max_page_count = 40") }
        let outcomes = await database.batch(
            (0..<10).map { id in
                { db in
                    try db.insert(id)
                    if id == 5 { for _ in 0..<20 { try db.run("INSERT INTO bulk (bytes) VALUES (?)", Self.bulk) } }
                }
            })
        let ids = try database.lookUp { try $0.ids }
        #expect(ids == outcomes.indices.filter { outcomes[$0] == nil })
        #expect((outcomes[5] as? SQLiteError)?.cause == .full)
    }

    /// Creates a closed file of some hundred pages without a WAL.
    private func fill() async throws -> [UInt8] {
        do {
            let database = try database()
            try await database.write { db in for id in 0..<3_000 { try db.insert(id) } }
            let isCut = try await database.truncateWAL()
            #expect(isCut)
        }
        return try scratch.read("notes.db")
    }

    private func findings(in bytes: [UInt8], _ depth: IntegrityDepth) async throws -> [String] {
        try scratch.write(bytes, to: "damaged.db")
        let database = try Database(path: scratch.file("damaged.db"))
        return try await database.checkIntegrity(depth)
    }

    @Test(arguments: [IntegrityDepth.quick, .full]) func anIntactFileHasNoFindings(_ depth: IntegrityDepth) async throws
    {
        let found = try await findings(in: try await fill(), depth)
        #expect(found == [])
    }

    @Test func theQuickCheckFindsAFlippedByteInTheStructure() async throws {
        var bytes = try await fill()
        for page in [10, 20, 30] { bytes[page * 4_096] ^= 0xff }
        let found = try await findings(in: bytes, .quick)
        #expect(!found.isEmpty)
    }

    @Test func theFullCheckFindsAnIndexThatDisagreesWithItsTable() async throws {
        let sound = try await fill()
        let needle = Data("note 1234".utf8)
        let first = try #require(Data(sound).range(of: needle))
        var bytes = sound
        bytes[first.lowerBound] = UInt8(ascii: "N")
        let quick = try await findings(in: bytes, .quick)
        let full = try await findings(in: bytes, .full)
        #expect(quick == [])
        #expect(!full.isEmpty)
    }

    @Test func readingADamagedPageHasTheCauseDamaged() async throws {
        var bytes = try await fill()
        for page in 5..<(bytes.count / 4_096) { bytes[page * 4_096] ^= 0xff }
        try scratch.write(bytes, to: "damaged.db")
        let database = try Database(path: scratch.file("damaged.db"))
        let error = await thrown { try await database.read { try $0.ids } }
        #expect((error as? SQLiteError)?.cause == .damaged)
    }

    @Test func aFileThatIsNoDatabaseHasTheCauseDamaged() async throws {
        try scratch.write([UInt8](repeating: 0x5a, count: 8_192), to: "notes.db")
        let error = await thrown { try database() }
        #expect((error as? SQLiteError)?.cause == .damaged)
    }

    @Test func aForeignKeyViolationIsFound() async throws {
        let path = scratch.file("notes.db")
        let database = try Database(
            path: path,
            migrations: [.notes, Migration(2, "CREATE TABLE child (parent INTEGER REFERENCES note (id)) STRICT")])
        try Connection(path: path, access: .readWrite).run("INSERT INTO child (parent) VALUES (9)")
        let found = try await database.checkIntegrity(.full)
        #expect(found == ["foreign key violation in child"])
    }

    @Test func longReadsDoNotDelayShortReads() async throws {
        let database = try database()
        try await database.write { try $0.insert(1) }
        let gate = Gate()
        // If they do, the test must fail instead of hanging.
        let gaveUp = Mutex(false)
        DispatchQueue.global().asyncAfter(deadline: .now() + 240) {
            gaveUp.withLock { $0 = true }
            gate.open()
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addImmediateTask { try await database.read(lasting: .long) { _ in gate.wait() } }
            for _ in 0..<8 { _ = try await database.read { try $0.ids } }
            #expect(!gaveUp.withLock { $0 }, "the reads came back before the long look ended")
            gate.open()
            try await group.waitForAll()
        }
    }
}
