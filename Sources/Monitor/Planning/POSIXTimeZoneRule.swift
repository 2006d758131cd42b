import FoundationEssentials

/// A recurring daylight saving rule in POSIX TZ format, such as `CET-1CEST,M3.5.0,M10.5.0/3` (RFC 9636 section 3.3.2).
struct POSIXTimeZoneRule: Equatable, Sendable {
    private let standard: Int64
    private let summer: Summer?

    private struct Summer: Equatable, Sendable {
        let offset: Int64
        let from, to: Day
    }

    /// A day of the year, and seconds after its midnight.
    private struct Day: Equatable, Sendable {
        let rule: Rule
        let time: Int64

        enum Rule: Equatable, Sendable {
            /// Day 1 to 365; 29 February is never counted.
            case julian(Int)
            /// Day 0 to 365.
            case ofYear(Int)
            /// Week 5 is the last of the month; Sunday is 0.
            case weekday(month: Int, week: Int, day: Int)
        }
    }

    /// Parses a rule; nil when malformed.
    init?(_ text: Substring) {
        var text = text
        guard Self.parseName(&text), let west = Self.parseTime(&text, maxHours: 24) else { return nil }
        standard = -west
        if text.isEmpty {
            summer = nil
            return
        }
        guard Self.parseName(&text) else { return nil }
        var offset = standard + 3_600
        if text.first != "," {
            guard let west = Self.parseTime(&text, maxHours: 24) else { return nil }
            offset = -west
        }
        guard let from = Self.parseDay(&text), let to = Self.parseDay(&text), text.isEmpty else { return nil }
        summer = Summer(offset: offset, from: from, to: to)
    }

    /// Returns seconds east of UTC.
    ///
    /// `time`: Unix seconds.
    func offset(at time: Int64) -> Int64 {
        guard let summer else { return standard }
        let year = Self.calendar.component(.year, from: Date(timeIntervalSince1970: Double(time + standard)))
        guard let from = Self.seconds(summer.from, in: year), let to = Self.seconds(summer.to, in: year) else {
            return standard
        }
        let (start, end) = (from - standard, to - summer.offset)
        let isSummer = start < end ? (start..<end).contains(time) : !(end..<start).contains(time)
        return isSummer ? summer.offset : standard
    }

    private static let calendar = {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        return calendar
    }()

    /// Seconds since 1970, interpreted as UTC.
    private static func seconds(_ day: Day, in year: Int) -> Int64? {
        func start(month: Int) -> Date? { calendar.date(from: DateComponents(year: year, month: month, day: 1)) }
        guard let january = start(month: 1) else { return nil }
        let days: Int
        switch day.rule {
        case .julian(let number):
            let isLeap = calendar.range(of: .day, in: .year, for: january)?.count == 366
            days = number - 1 + (isLeap && number >= 60 ? 1 : 0)
        case .ofYear(let number):
            days = number
        case .weekday(let month, let week, let weekday):
            guard let first = start(month: month), let length = calendar.range(of: .day, in: .month, for: first)?.count
            else { return nil }
            let firstWeekday = calendar.component(.weekday, from: first) - 1
            var date = (weekday - firstWeekday + 7) % 7 + 7 * (week - 1)
            if date >= length { date -= 7 }
            days = Int(first.timeIntervalSince(january) / 86_400) + date
        }
        return Int64(january.timeIntervalSince1970) + Int64(days) * 86_400 + day.time
    }

    // MARK: Parsing

    /// Consumes letters, or anything in angle brackets.
    private static func parseName(_ text: inout Substring) -> Bool {
        if text.first == "<" {
            guard let end = text.firstIndex(of: ">") else { return false }
            text = text[text.index(after: end)...]
            return true
        }
        let name = text.prefix { $0.isASCII && $0.isLetter }
        text = text[name.endIndex...]
        return name.count >= 3
    }

    private static func parseNumber(_ text: inout Substring) -> Int? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard !digits.isEmpty, digits.count <= 3 else { return nil }
        text = text[digits.endIndex...]
        return Int(digits)
    }

    private static func take(_ character: Character, _ text: inout Substring) -> Bool {
        guard text.first == character else { return false }
        text.removeFirst()
        return true
    }

    /// Parses `[+-]hh[:mm[:ss]]` as seconds.
    private static func parseTime(_ text: inout Substring, maxHours: Int) -> Int64? {
        let isNegative = text.first == "-"
        if isNegative || text.first == "+" { text.removeFirst() }
        guard let hours = parseNumber(&text), hours <= maxHours else { return nil }
        var seconds = hours * 3_600
        for unit in [60, 1] where take(":", &text) {
            guard let number = parseNumber(&text), number < 60 else { return nil }
            seconds += number * unit
        }
        return Int64(isNegative ? -seconds : seconds)
    }

    /// Parses `,rule[/time]`.
    private static func parseDay(_ text: inout Substring) -> Day? {
        guard take(",", &text) else { return nil }
        let rule: Day.Rule
        if take("M", &text) {
            guard let month = parseNumber(&text), (1...12).contains(month), take(".", &text),
                let week = parseNumber(&text), (1...5).contains(week), take(".", &text),
                let day = parseNumber(&text), (0...6).contains(day)
            else { return nil }
            rule = .weekday(month: month, week: week, day: day)
        } else if take("J", &text) {
            guard let number = parseNumber(&text), (1...365).contains(number) else { return nil }
            rule = .julian(number)
        } else {
            guard let number = parseNumber(&text), (0...365).contains(number) else { return nil }
            rule = .ofYear(number)
        }
        guard take("/", &text) else { return Day(rule: rule, time: 7_200) }
        guard let time = parseTime(&text, maxHours: 167) else { return nil }
        return Day(rule: rule, time: time)
    }
}
