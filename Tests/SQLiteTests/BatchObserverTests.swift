import SQLite
import TestSupport
import Testing

/// The order of an observer's calls, on which a hash chain depends.
@Suite struct BatchObserverTests {
    let scratch: Scratch
    let recorder = Recorder()
    let database: Database

    init() throws {
        scratch = try Scratch()
        database = try Database(
            path: scratch.file("notes.db"),
            migrations: [
                .notes,
                Migration(
                    2,
                    """
                    CREATE TABLE child (
                        parent INTEGER NOT NULL REFERENCES note (id) DEFERRABLE INITIALLY DEFERRED
                    ) STRICT
                    """),
            ], observer: recorder)
    }

    @Test func aJobThatSucceeds() async throws {
        try await database.write { try $0.insert(1) }
        #expect(recorder.calls == ["begin", "job", "will commit", "did commit"])
    }

    @Test func aJobThatFailsAlone() async throws {
        _ = await thrown { try await database.write { _ in throw Refused() } }
        #expect(recorder.calls == ["begin", "job", "job failed", "batch failed"])
    }

    @Test func aJobThatFailsAmongOthers() async throws {
        _ = await database.batch([{ try $0.insert(1) }, { _ in throw Refused() }, { try $0.insert(2) }])
        #expect(recorder.calls == ["begin", "job", "job", "job failed", "job", "will commit", "did commit"])
    }

    @Test func aCommitThatFails() async throws {
        let error = await thrown { try await database.write { try $0.run("INSERT INTO child (parent) VALUES (9)") } }
        #expect((error as? SQLiteError)?.cause == .constraint)
        #expect(recorder.calls == ["begin", "job", "will commit", "batch failed"])
    }

    @Test func aFailedCommitFailsEveryJobAndSavesNone() async throws {
        let outcomes = await database.batch([
            { try $0.insert(1) }, { try $0.run("INSERT INTO child (parent) VALUES (9)") }, { _ in throw Refused() },
        ])
        let ids = try database.lookUp { try $0.ids }
        #expect(ids == [])
        #expect((outcomes[0] as? SQLiteError)?.cause == .constraint)
        #expect((outcomes[1] as? SQLiteError)?.cause == .constraint)
        #expect(outcomes[2] as? Refused == Refused(), "its own error, not the batch's")
    }

    @Test func anObserverThatThrowsRollsTheBatchBack() async throws {
        recorder.refuseNextCommit()
        let outcomes = await database.batch([{ try $0.insert(1) }, { try $0.insert(2) }])
        let ids = try database.lookUp { try $0.ids }
        #expect(ids == [])
        #expect(outcomes.allSatisfy { $0 is Recorder.CommitRefused })
        #expect(recorder.calls == ["begin", "job", "job", "will commit", "batch failed"])
    }

    @Test func theWriterContinuesAfterAFailedCommit() async throws {
        recorder.refuseNextCommit()
        _ = await thrown { try await database.write { try $0.insert(1) } }
        try await database.write { try $0.insert(2) }
        let ids = try database.lookUp { try $0.ids }
        #expect(ids == [2])
    }

    @Test func maintenanceIsNotObserved() async throws {
        try await database.maintain { try $0.script("PRAGMA optimize") }
        #expect(recorder.calls == [])
    }
}
