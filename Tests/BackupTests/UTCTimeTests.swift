import Backup
import Foundation
import Testing

@Suite struct UTCTimeTests {
    /// Comparing every day with Foundation's calendar would take minutes; every 37th still covers each day of a month and
    /// each month in leap years of both kinds.
    @Test func theCalendarAgreesWithFoundation() throws {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = try #require(TimeZone(identifier: "UTC"))
        let days = Array(stride(from: 0, to: 2_932_897, by: 37)) + [11_016, 11_017, 47_540, 47_541, 2_932_896]
        for day in days {
            let seconds = day * 86_400 + day * 7_919 % 86_400
            let date = Date(timeIntervalSince1970: Double(seconds))
            let parts = calendar.dateComponents([.year, .month, .day, .hour, .minute, .second], from: date)
            let time = try #require(UTCTime(date))
            let again = UTCTime(
                year: parts.year ?? 0,
                month: parts.month ?? 0,
                day: parts.day ?? 0,
                hour: parts.hour ?? 0,
                minute: parts.minute ?? 0,
                second: parts.second ?? 0
            )
            #expect(again == time)
            #expect(BackupName(fileName: BackupName(time: time).fileName)?.time == time)
            #expect(time.date == date)
        }
    }

    @Test(arguments: [
        (0, "19700101T000000Z"), (951_782_399, "20000228T235959Z"), (951_782_400, "20000229T000000Z"),
        (951_868_800, "20000301T000000Z"), (1_709_312_400, "20240301T170000Z"), (4_107_542_400, "21000301T000000Z"),
        (253_402_300_799, "99991231T235959Z"),
    ])
    func theTextFormRoundTrips(seconds: Int, text: String) throws {
        let time = try #require(UTCTime(Date(timeIntervalSince1970: Double(seconds))))
        #expect(BackupName(time: time).fileName == "clavitor-\(text).db.age")
    }

    @Test func fractionsAreTruncated() throws {
        let time = try #require(UTCTime(Date(timeIntervalSince1970: 1_709_312_400.999)))
        #expect(time.seconds == 1_709_312_400)
    }

    @Test(arguments: [-1, -0.5, 253_402_300_800, 1e300, .infinity, .nan]) func otherYearsAreRejected(seconds: Double) {
        #expect(UTCTime(Date(timeIntervalSince1970: seconds)) == nil)
    }

    @Test(arguments: [
        "clavitor-20260131T235959Z.db.age", "clavitor-20260131T235959Z-1.db.age",
        "clavitor-20260131T235959Z-999.db.age",
    ])
    func validNamesAreAccepted(name: String) {
        #expect(BackupName(fileName: name)?.fileName == name)
    }

    @Test(arguments: [
        "", "clavitor-.db.age", ".clavitor-20260131T235959Z.db.age", "clavitor-20260131T235959Z.db",
        "clavitor-20260131T235959Z.db.age ",
        "clavitor-20260229T235959Z.db.age", "clavitor-20261331T235959Z.db.age", "clavitor-20260131T245959Z.db.age",
        "clavitor-20260131T236059Z.db.age", "clavitor-20260131T235960Z.db.age", "clavitor-20260131t235959z.db.age",
        "clavitor-20260131T235959Z-0.db.age", "clavitor-20260131T235959Z-01.db.age",
        "clavitor-20260131T235959Z-+1.db.age",
        "clavitor-20260131T235959Z--1.db.age", "clavitor-20260131T235959Z-1000.db.age",
        "clavitor-20260131T235959Z-.db.age",
        "clavitor-20260131T235959Zx1.db.age", "Clavitor-20260131T235959Z.db.age", "clavitor-+0260131T235959Z.db.age",
        "clavitor-2026013١T235959Z.db.age", "clavitor-db.age", "clavitor-20260131T235959Z.db.age-wal",
        "clavitor-19690131T235959Z.db.age", "x/clavitor-20260131T235959Z.db.age",
    ])
    func otherNamesAreRejected(name: String) {
        #expect(BackupName(fileName: name) == nil)
    }
}
