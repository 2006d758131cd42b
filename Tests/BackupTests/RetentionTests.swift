import Backup
import Testing

@Suite struct RetentionTests {
    struct Case: CustomTestStringConvertible {
        var testDescription: String
        var retention: Retention
        /// `yyyyMMddTHH`, optionally with a number after it.
        var backups: [String]
        var kept: [String]
    }

    /// 2026-01-01 is a Thursday.
    private static let hourly = ["20260101T01", "20260101T02", "20260101T03", "20260102T01", "20260102T02"]

    @Test(arguments: [
        Case(testDescription: "no backups", retention: Retention(last: 3, daily: 3), backups: [], kept: []),
        Case(
            testDescription: "without rules the newest is kept",
            retention: Retention(),
            backups: hourly,
            kept: ["20260102T02"]
        ),
        Case(
            testDescription: "negative rules are off",
            retention: Retention(last: -1, daily: -5, weekly: -1, monthly: -1),
            backups: hourly,
            kept: ["20260102T02"]
        ),
        Case(
            testDescription: "the last two",
            retention: Retention(last: 2),
            backups: hourly,
            kept: ["20260102T02", "20260102T01"]
        ),
        Case(testDescription: "more than exist", retention: Retention(last: 99), backups: hourly, kept: hourly),
        Case(
            testDescription: "the newest of each day",
            retention: Retention(daily: 2),
            backups: hourly,
            kept: ["20260102T02", "20260101T03"]
        ),
        Case(
            testDescription: "the oldest while a rule has not found enough",
            retention: Retention(daily: 3),
            backups: hourly,
            kept: ["20260102T02", "20260101T03", "20260101T01"]
        ),
        Case(
            testDescription: "days without backups do not count",
            retention: Retention(daily: 2),
            backups: ["20250601T01", "20251201T01", "20260101T01"],
            kept: ["20260101T01", "20251201T01"]
        ),
        Case(
            testDescription: "a week begins on Monday",
            retention: Retention(weekly: 2),
            // Sunday the 4th, Monday the 5th, Sunday the 11th, Monday the 12th.
            backups: ["20260104T23", "20260105T00", "20260111T23", "20260112T00"],
            kept: ["20260112T00", "20260111T23"]
        ),
        Case(
            testDescription: "a week over New Year is one",
            retention: Retention(weekly: 1),
            backups: ["20251222T00", "20251229T00", "20251231T00", "20260101T00", "20260104T00"],
            kept: ["20260104T00"]
        ),
        Case(
            testDescription: "the same month of two years is two",
            retention: Retention(monthly: 3),
            backups: ["20241201T00", "20250101T00", "20250131T23", "20260101T00", "20260131T00"],
            kept: ["20260131T00", "20250131T23", "20241201T00"]
        ),
        Case(
            testDescription: "rules add up",
            retention: Retention(last: 1, daily: 2, weekly: 2, monthly: 2),
            backups: [
                "20251130T12", "20251215T12", "20251226T12", "20260101T12", "20260106T12", "20260107T12", "20260107T18",
            ],
            // daily 7th and 6th, weekly 7th and 1st, monthly 7th and 26th December
            kept: ["20260107T18", "20260106T12", "20260101T12", "20251226T12"]
        ),
        Case(
            testDescription: "backups in the same second count separately",
            retention: Retention(last: 2),
            backups: ["20260101T01", "20260101T01-1", "20260101T01-10", "20260101T01-2"],
            kept: ["20260101T01-10", "20260101T01-2"]
        ),
    ])
    func theRulesRetain(_ example: Case) throws {
        let backups = try example.backups.map(Self.name)
        let expected = Set(try example.kept.map(Self.name))
        #expect(example.retention.retained(backups) == expected)
        #expect(example.retention.retained(backups.reversed()) == expected)
        #expect(example.retention.retained(backups.shuffled() + backups) == expected)
        // Applying the policy again removes nothing more.
        #expect(example.retention.retained(expected) == expected)
    }

    private static func name(_ short: String) throws -> BackupName {
        let text = "clavitor-\(short.prefix(11))0000Z\(short.dropFirst(11)).db.age"
        return try #require(BackupName(fileName: text))
    }
}
