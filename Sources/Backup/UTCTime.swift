package import FoundationEssentials

/// A time in UTC with a resolution of one second, from 1970 to 9999.
///
/// Has its own calendar arithmetic, because calendars and formatters would link full Foundation and ICU.
package struct UTCTime: Hashable, Sendable {
    /// Seconds since 1970-01-01T00:00:00Z.
    package let seconds: Int64

    private static let daySeconds: Int64 = 86_400
    /// 10000-01-01.
    private static let end: Int64 = 253_402_300_800

    /// Rounds down to the second. Nil before 1970 and after 9999.
    package init?(_ date: Date) {
        let seconds = date.timeIntervalSince1970
        guard seconds >= 0, seconds < Double(Self.end) else { return nil }
        self.seconds = Int64(seconds)
    }

    /// Nil for a time that does not exist, such as February 30 or a leap second.
    package init?(year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0) {
        guard (1970...9999).contains(year), (1...12).contains(month),
            (1...Self.daysIn(month: month, of: year)).contains(day),
            (0...23).contains(hour), (0...59).contains(minute), (0...59).contains(second)
        else { return nil }
        let days = Self.daysBefore(year: year) + Self.daysBefore(month: month, of: year) + day - 1
        seconds = Int64(days) * Self.daySeconds + Int64(hour * 3600 + minute * 60 + second)
    }

    package var date: Date { Date(timeIntervalSince1970: Double(seconds)) }

    /// Days since 1970-01-01.
    var day: Int { Int(seconds / Self.daySeconds) }

    /// Weeks since the week of 1970-01-01, a Thursday. Weeks begin on Monday, as in ISO 8601.
    var week: Int { (day + 3) / 7 }

    /// Months since January 1970.
    var month: Int {
        let civil = civil
        return (civil.year - 1970) * 12 + civil.month - 1
    }

    /// `yyyyMMdd'T'HHmmss'Z'`.
    var basicFormat: String {
        let (year, month, day) = civil
        let rest = Int(seconds % Self.daySeconds)
        let date = Self.digits(year, 4) + Self.digits(month, 2) + Self.digits(day, 2)
        return date + "T" + Self.digits(rest / 3600, 2) + Self.digits(rest / 60 % 60, 2) + Self.digits(rest % 60, 2)
            + "Z"
    }

    /// Parses exactly the format of `basicFormat`.
    init?(basicFormat text: some StringProtocol) {
        let characters = Array(text.utf8)
        guard characters.count == 16, characters[8] == UInt8(ascii: "T"), characters[15] == UInt8(ascii: "Z") else {
            return nil
        }
        func number(_ range: Range<Int>) -> Int? {
            guard characters[range].allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
                return nil
            }
            return characters[range].reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
        }
        guard let year = number(0..<4), let month = number(4..<6), let day = number(6..<8),
            let hour = number(9..<11), let minute = number(11..<13), let second = number(13..<15)
        else { return nil }
        self.init(year: year, month: month, day: day, hour: hour, minute: minute, second: second)
    }

    private var civil: (year: Int, month: Int, day: Int) {
        // The average year of the 400-year cycle gives the right year or one that is off by one.
        var year = 1970 + day * 400 / 146_097
        while Self.daysBefore(year: year) > day { year -= 1 }
        while Self.daysBefore(year: year + 1) <= day { year += 1 }
        var rest = day - Self.daysBefore(year: year)
        var month = 1
        while rest >= Self.daysIn(month: month, of: year) {
            rest -= Self.daysIn(month: month, of: year)
            month += 1
        }
        return (year, month, rest + 1)
    }

    /// Days from 1970-01-01 to January 1 of the year.
    private static func daysBefore(year: Int) -> Int {
        func leapYears(through year: Int) -> Int { year / 4 - year / 100 + year / 400 }
        return (year - 1970) * 365 + leapYears(through: year - 1) - leapYears(through: 1969)
    }

    private static func daysBefore(month: Int, of year: Int) -> Int {
        (1..<month).reduce(0) { $0 + daysIn(month: $1, of: year) }
    }

    private static func daysIn(month: Int, of year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    private static func digits(_ number: Int, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
    }
}
