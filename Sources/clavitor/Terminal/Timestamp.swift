import FoundationEssentials
import Glibc

/// Formats and parses points in time.
enum Timestamp {
    /// `2026-11-21 01:58` in the machine's time zone.
    static func text(_ unixSeconds: Int64) -> String {
        var time = time_t(unixSeconds)
        var parts = unsafe tm()
        guard unsafe localtime_r(&time, &parts) != nil else { return "\(unixSeconds)" }
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let day = unsafe "\(parts.tm_year + 1_900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
        return unsafe "\(day) \(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
    }

    static var now: Int64 { Int64(Date().timeIntervalSince1970) }

    /// `30d`, `12h`, `45m`, `2w` from `now`, or `2026-12-31` and `2026-12-31T12:00:00Z` (UTC). Nil for anything else.
    static func parse(_ text: String, now: Int64) -> Int64? {
        if let unit = text.last, let seconds = units[unit], let count = Int64(text.dropLast()), count > 0 {
            let (span, tooLong) = count.multipliedReportingOverflow(by: seconds)
            let (moment, tooLate) = now.addingReportingOverflow(span)
            return tooLong || tooLate ? nil : moment
        }
        let complete = text.contains("T") ? text : text + "T00:00:00Z"
        guard let date = try? Date.ISO8601FormatStyle().parse(complete) else { return nil }
        return Int64(date.timeIntervalSince1970)
    }

    /// The same before `now`: `24h` means a day ago.
    static func parsePast(_ text: String, now: Int64) -> Int64? {
        guard let moment = parse(text, now: now) else { return nil }
        return text.last.map { units[$0] != nil } == true ? now - (moment - now) : moment
    }

    private static let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800]
}
