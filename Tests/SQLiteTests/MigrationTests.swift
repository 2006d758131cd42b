import SQLite
import TestSupport
import Testing

@Suite struct MigrationTests {
    let scratch: Scratch
    let path: String

    init() throws {
        scratch = try Scratch()
        path = scratch.file("notes.db")
    }

    private static let second = Migration(2, "CREATE TABLE more (id INTEGER PRIMARY KEY) STRICT")

    private var version: Int {
        get throws { try Connection(path: path, access: .readOnly).schemaVersion }
    }

    @Test func aNewFileGetsEveryMigration() throws {
        _ = try Database(path: path, migrations: [.notes, Self.second])
        let found = try version
        #expect(found == 2)
    }

    @Test func anOlderFileGetsTheMissingMigrationsAndKeepsItsRows() async throws {
        let old = try Database(path: path, migrations: [.notes])
        try await old.write { try $0.insert(1) }
        let new = try Database(path: path, migrations: [.notes, Self.second])
        let ids = try new.lookUp { try $0.ids }
        let found = try version
        #expect(ids == [1])
        #expect(found == 2)
    }

    @Test func aFailingMigrationIsRolledBack() throws {
        let broken = Migration(2, "CREATE TABLE more (id INTEGER) STRICT; INSERT INTO nowhere VALUES (1)")
        #expect(throws: SQLiteError.self) { try Database(path: path, migrations: [.notes, broken]) }
        let found = try version
        let tables = try Connection(path: path, access: .readOnly).all(
            "SELECT name FROM sqlite_schema WHERE type = 'table'"
        ) { $0.text(0) }
        #expect(found == 1)
        #expect(tables == ["note"])
    }

    @Test func aNewerFileStaysUnchanged() async throws {
        _ = try Database(path: path, migrations: [.notes, Self.second])
        let rolledBack = try Database(path: path, migrations: [.notes])
        try await rolledBack.write { try $0.insert(1) }
        let found = try version
        #expect(found == 2)
    }

    @Test func aGapInTheNumbersIsAProgrammingError() async {
        await #expect(processExitsWith: .failure) {
            let scratch = try Scratch()
            _ = try Database(path: scratch.file("x.db"), migrations: [.notes, Migration(3, "SELECT 1")])
        }
    }

    @Test func numbersOutOfOrderAreAProgrammingError() async {
        await #expect(processExitsWith: .failure) {
            let scratch = try Scratch()
            _ = try Database(path: scratch.file("x.db"), migrations: [Migration(2, "SELECT 1"), .notes])
        }
    }
}
