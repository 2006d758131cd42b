import FoundationEssentials

/// How the clocks are set year after year, as POSIX writes it, such as `CET-1CEST,M3.5.0,M10.5.0/3` (RFC 9636 section
/// 3.3.2).
struct ZoneRule: Equatable, Sendable {
    private let standard: Int64
    private let summer: Summer?

    private struct Summer: Equatable, Sendable {
        let offset: Int64
        let from, to: Day
    }

    /// A day of each year, and seconds after its midnight.
    private struct Day: Equatable, Sendable {
        let rule: Rule
        let time: Int64

        enum Rule: Equatable, Sendable {
            /// 1 to 365; 29 February is never counted.
            case julian(Int)
            /// 0 to 365.
            case ofYear(Int)
            /// The last for a week of 5; Sunday is 0.
            case weekday(month: Int, week: Int, day: Int)
        }
    }

    /// Nil for what is no such rule.
    init?(_ text: Substring) {
        var text = text
        guard Self.takeName(&text), let west = Self.takeTime(&text, mostHours: 24) else { return nil }
        standard = -west
        if text.isEmpty {
            summer = nil
            return
        }
        guard Self.takeName(&text) else { return nil }
        var offset = standard + 3_600
        if text.first != "," {
            guard let west = Self.takeTime(&text, mostHours: 24) else { return nil }
            offset = -west
        }
        guard let from = Self.takeDay(&text), let to = Self.takeDay(&text), text.isEmpty else { return nil }
        summer = Summer(offset: offset, from: from, to: to)
    }

    /// Seconds east of UTC.
    ///
    /// `time`: Unix seconds.
    func offset(at time: Int64) -> Int64 {
        guard let summer else { return standard }
        let year = Self.calendar.component(.year, from: Date(timeIntervalSince1970: Double(time + standard)))
        guard let from = Self.moment(summer.from, in: year), let to = Self.moment(summer.to, in: year) else {
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

    /// Seconds since 1970, as if the clocks showed UTC.
    private static func moment(_ day: Day, in year: Int) -> Int64? {
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

    // MARK: Reading

    /// Letters, or anything in angle brackets.
    private static func takeName(_ text: inout Substring) -> Bool {
        if text.first == "<" {
            guard let end = text.firstIndex(of: ">") else { return false }
            text = text[text.index(after: end)...]
            return true
        }
        let name = text.prefix { $0.isASCII && $0.isLetter }
        text = text[name.endIndex...]
        return name.count >= 3
    }

    private static func takeNumber(_ text: inout Substring) -> Int? {
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

    /// `[+-]hh[:mm[:ss]]` in seconds.
    private static func takeTime(_ text: inout Substring, mostHours: Int) -> Int64? {
        let isNegative = text.first == "-"
        if isNegative || text.first == "+" { text.removeFirst() }
        guard let hours = takeNumber(&text), hours <= mostHours else { return nil }
        var seconds = hours * 3_600
        for unit in [60, 1] where take(":", &text) {
            guard let number = takeNumber(&text), number < 60 else { return nil }
            seconds += number * unit
        }
        return Int64(isNegative ? -seconds : seconds)
    }

    /// `,rule[/time]`
    private static func takeDay(_ text: inout Substring) -> Day? {
        guard take(",", &text) else { return nil }
        let rule: Day.Rule
        if take("M", &text) {
            guard let month = takeNumber(&text), (1...12).contains(month), take(".", &text),
                let week = takeNumber(&text), (1...5).contains(week), take(".", &text),
                let day = takeNumber(&text), (0...6).contains(day)
            else { return nil }
            rule = .weekday(month: month, week: week, day: day)
        } else if take("J", &text) {
            guard let number = takeNumber(&text), (1...365).contains(number) else { return nil }
            rule = .julian(number)
        } else {
            guard let number = takeNumber(&text), (0...365).contains(number) else { return nil }
            rule = .ofYear(number)
        }
        guard take("/", &text) else { return Day(rule: rule, time: 7_200) }
        guard let time = takeTime(&text, mostHours: 167) else { return nil }
        return Day(rule: rule, time: time)
    }
}
