import FoundationEssentials

/// Maintenance that starts automatically, once or weekly.
package struct MaintenancePlan: NodeReferencing, Equatable, Identifiable, Sendable {
    package var id: Int64
    /// Empty for all nodes.
    package var nodes: [String]
    package var by: String
    package var reason: String
    /// Local time in the zone, such as `2026-12-06T02:00`. A weekly plan keeps this local time in summer and winter.
    package var start: String
    package var zone: String
    package var isWeekly: Bool
    /// Milliseconds.
    package var duration: Int64
    /// Last start, in Unix milliseconds; nil before the first one.
    package var begun: Int64?

    package init(
        id: Int64, nodes: [String], by: String, reason: String, start: String, zone: String, isWeekly: Bool,
        duration: Int64
    ) {
        self.id = id
        self.nodes = nodes
        self.by = by
        self.reason = reason
        self.start = start
        self.zone = zone
        self.isWeekly = isWeekly
        self.duration = duration
    }

    mutating func rename(_ names: [String: String]) { nodes = nodes.map { names[$0] ?? $0 } }

    static let week: Int64 = 7 * 86_400

    /// Returns the next time range that is not over, started or not; nil when there is none.
    ///
    /// `now`: Unix milliseconds, as the result.
    ///
    /// - Throws: `Malformed` for a start that is not a time.
    func next(at now: Int64, in zone: TimeZoneRules) throws(Malformed) -> Range<Int64>? {
        let local = try localStart
        func work(_ week: Int64) -> Range<Int64> {
            let begin = zone.time(ofLocal: local + week * Self.week) * 1_000
            return begin..<(begin + duration)
        }
        // Starts one week earlier than the distance suggests: clocks may change, and an earlier start may still be in
        // progress.
        let passed = isWeekly ? max(0, (now / 1_000 - local) / Self.week - 1 - duration / 1_000 / Self.week) : 0
        for week in passed...(isWeekly ? passed + 4 : 0) {
            let work = work(week)
            if work.upperBound > now, work.lowerBound > begun ?? .min { return work }
        }
        return nil
    }

    package struct Malformed: Error, Equatable, Sendable {}

    /// The start as seconds, interpreted as UTC.
    private var localStart: Int64 {
        get throws(Malformed) {
            let form = Array("0000-00-00T00:00".utf8)
            let isOfForm = zip(start.utf8, form).allSatisfy { $0 == $1 || $1 == 0x30 && (0x30...0x39).contains($0) }
            guard start.utf8.count == form.count, isOfForm else { throw Malformed() }
            let numbers = start.split { "-T:".contains($0) }.compactMap { Int($0) }
            guard numbers.count == 5 else { throw Malformed() }
            let (year, month, day, hour, minute) = (numbers[0], numbers[1], numbers[2], numbers[3], numbers[4])
            guard (2000...2199).contains(year), (0..<24).contains(hour), (0..<60).contains(minute) else {
                throw Malformed()
            }
            var calendar = Calendar(identifier: .gregorian)
            calendar.timeZone = .gmt
            let parts = DateComponents(year: year, month: month, day: day, hour: hour, minute: minute)
            guard (1...12).contains(month), (1...31).contains(day), let date = calendar.date(from: parts),
                calendar.component(.month, from: date) == month
            else { throw Malformed() }
            return Int64(date.timeIntervalSince1970)
        }
    }
}
