import SQLite
import TestSupport
import Testing

@Suite struct StatementTests {
    let scratch: Scratch
    let database: Database

    init() throws {
        scratch = try Scratch()
        database = try Database(path: scratch.file("notes.db"), migrations: [.notes])
    }

    @Test func anErrorCarriesTheStatementAndNeverAValue() async throws {
        let secret = "hunter2-hunter2"
        let insert: @Sendable (Connection) throws -> Void = {
            try $0.run("INSERT INTO note (text) VALUES (?)", .text(secret))
        }
        try await database.write(insert)
        let error = try #require(await thrown { try await database.write(insert) } as? SQLiteError)
        #expect(error.cause == .constraint)
        #expect(error.sql == "INSERT INTO note (text) VALUES (?)")
        #expect(!"\(error) \(error.message)".contains(secret))
    }

    @Test func aWrongStatementIsQuotedInItsError() async throws {
        let error = await thrown { try database.lookUp { try $0.run("SELECT * FROM nowhere") } } as? SQLiteError
        #expect(error?.cause == .other)
        #expect(error?.description.contains("SELECT * FROM nowhere") == true)
    }

    struct Case: CustomTestStringConvertible {
        var testDescription: String
        var code: Int32
        var cause: SQLiteError.Cause
    }

    @Test(arguments: [
        Case(testDescription: "SQLITE_CORRUPT", code: 11, cause: .damaged),
        Case(testDescription: "SQLITE_CORRUPT_INDEX", code: 779, cause: .damaged),
        Case(testDescription: "SQLITE_NOTADB", code: 26, cause: .damaged),
        Case(testDescription: "SQLITE_FULL", code: 13, cause: .full),
        Case(testDescription: "SQLITE_IOERR_FSYNC", code: 1034, cause: .io),
        Case(testDescription: "SQLITE_BUSY_SNAPSHOT", code: 517, cause: .busy),
        Case(testDescription: "SQLITE_LOCKED", code: 6, cause: .busy),
        Case(testDescription: "SQLITE_READONLY", code: 8, cause: .access),
        Case(testDescription: "SQLITE_CANTOPEN", code: 14, cause: .access),
        Case(testDescription: "SQLITE_CONSTRAINT_FOREIGNKEY", code: 787, cause: .constraint),
        Case(testDescription: "SQLITE_ERROR", code: 1, cause: .other),
    ])
    func eachCodeHasItsCause(_ example: Case) {
        #expect(SQLiteError(code: example.code, message: "", sql: "").cause == example.cause)
    }

    struct Stored: CustomTestStringConvertible {
        var testDescription: String
        var value: Value
        var read: @Sendable (Row) -> Value
    }

    @Test(arguments: [
        Stored(testDescription: "null", value: .null) { $0.isNull(0) ? .null : .text("not null") },
        Stored(testDescription: "the least integer", value: .integer(Int64.min)) { .integer($0.integer(0)) },
        Stored(testDescription: "the largest integer", value: .integer(Int64.max)) { .integer($0.integer(0)) },
        Stored(testDescription: "text", value: .text("Zürich 🗝")) { .text($0.text(0)) },
        Stored(testDescription: "empty text", value: .text("")) { $0.isNull(0) ? .null : .text($0.text(0)) },
        Stored(testDescription: "bytes with zeros", value: .blob([0, 1, 0, 255])) { .blob($0.blob(0)) },
        Stored(testDescription: "no bytes, which is not null", value: .blob([])) {
            $0.isNull(0) ? .null : .blob($0.blob(0))
        },
    ])
    func aBoundValueIsReadBackUnchanged(_ example: Stored) throws {
        let found = try database.lookUp { db in try db.first("SELECT ?", example.value, row: example.read) }
        #expect(found == example.value)
    }

    @Test func aColumnIsReadByItsName() throws {
        let values = try database.lookUp { db in
            try db.first("SELECT 7 AS count, x'0102' AS bytes, 'text' AS text, NULL AS missing") { row in
                [
                    Value.integer(try row.int("count")), .integer(try row.integer("count")),
                    .blob(try row.blob("bytes")), .text(try row.text("text")),
                    .integer(try row.optionalInteger("missing")), .blob(try row.optionalBlob("missing")),
                    .integer(try row.isNull("missing") ? 1 : 0), .integer(try row.isNull("count") ? 1 : 0),
                ]
            }
        }
        #expect(
            values == [
                .integer(7), .integer(7), .blob([1, 2]), .text("text"), .null, .null, .integer(1), .integer(0),
            ])
    }

    @Test func columnsOfJoinedTablesAreReadByTheirAliases() async throws {
        try await database.write { db in
            for id in 1...2 { try db.insert(id) }
        }
        let pair = try database.lookUp { db in
            try db.first("SELECT a.id, b.id AS next FROM note a JOIN note b ON b.id = a.id + 1") { row in
                [try row.int("id"), try row.int("next")]
            }
        }
        #expect(pair == [1, 2])
    }

    @Test func anUnknownColumnNameIsAnError() async throws {
        let error = await thrown {
            try database.lookUp { try $0.first("SELECT 1 AS one") { try $0.int("two") } }
        }
        #expect(
            error as? SQLiteError
                == SQLiteError(code: 25, message: "the query returns no column \"two\"", sql: "SELECT 1 AS one"))
    }

    @Test func aReadSeesOneSnapshot() async throws {
        let path = scratch.file("notes.db")
        let (before, after) = try await database.read { db in
            let before = try db.ids
            try Connection(path: path, access: .readWrite).insert(1)
            return (before, try db.ids)
        }
        #expect(before == [] && after == [])
    }

    @Test func aReaderCannotWrite() async throws {
        let error = await thrown { try await database.read { try $0.insert(1) } }
        #expect((error as? SQLiteError)?.cause == .access)
    }

    @Test func aReadThatThrowsLeavesTheConnectionUsable() async throws {
        for _ in 0..<6 {
            _ = await thrown { try database.lookUp { _ in throw Refused() } }
            _ = await thrown { try await database.read { _ in throw Refused() } }
        }
        let ids = try await database.read { try $0.ids }
        #expect(ids == [])
    }

    @Test(.timeLimit(.minutes(15))) func manyConcurrentLookUpsAllComplete() async throws {
        try await database.write { try $0.insert(1) }
        try await withThrowingTaskGroup(of: [Int].self) { group in
            for _ in 0..<500 { group.addTask { [database] in try database.lookUp { try $0.ids } } }
            for try await ids in group { #expect(ids == [1]) }
        }
    }

    @Test func aMissingValueIsAProgrammingError() async {
        await #expect(processExitsWith: .failure) {
            let scratch = try Scratch()
            let connection = try Connection(path: scratch.file("x.db"), access: .readWrite)
            _ = try connection.first("SELECT ?, ?", .integer(1)) { $0.int(0) }
        }
    }

    @Test func aSchemaThatRunsCodeIsRejected() throws {
        let connection = try Connection(path: scratch.file("notes.db"), access: .readWrite)
        let trusts = try connection.first("PRAGMA trusted_schema") { $0.int(0) }
        #expect(trusts == 0)
    }
}
