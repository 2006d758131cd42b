import Monitor
import Testing

/// The public page's history.
@Suite struct StatusHistoryTests {
    private static let day: Int64 = 86_400_000
    private static let first: Int64 = 20_000 * day
    /// Noon of the last day.
    private static let now = first + 29 * day + day / 2

    private func minutes(_ outages: [(from: Int64, until: Int64)], since beginning: Int64 = 0) -> [Int?] {
        StatusHistory.minutes(
            outages.map { .init(region: "asia", from: $0.from, until: $0.until) } + [
                .init(region: "europe", from: Self.first, until: Self.now)
            ],
            beginnings: ["asia": beginning], first: Self.first, now: Self.now)["asia"] ?? []
    }

    @Test func aRegionWithoutOutagesHasThirtyGoodDays() { #expect(minutes([]) == Array(repeating: 0, count: 30)) }

    @Test func anOutageOverMidnightCountsInBothDays() {
        let midnight = Self.first + 3 * Self.day
        let days = minutes([(midnight - 600_000, midnight + 90_000)])
        #expect(days[2] == 10 && days[3] == 2)
        #expect(days.compactMap { $0 }.reduce(0, +) == 12)
    }

    @Test func overlappingOutagesCountOnce() {
        let start = Self.first + Self.day
        let days = minutes([
            (start, start + 600_000), (start + 300_000, start + 900_000), (start + 60_000, start + 120_000),
        ])
        #expect(days[1] == 15)
    }

    @Test func outagesAreClippedToTheRange() {
        let days = minutes([(Self.first - 5 * Self.day, Self.now + Self.day)])
        #expect(days.prefix(29).allSatisfy { $0 == 1_440 })
        #expect(days[29] == 720)
    }

    @Test func daysBeforeMonitoringAreUnknown() {
        let days = minutes([], since: Self.first + 10 * Self.day + 5)
        #expect(days.prefix(10).allSatisfy { $0 == nil })
        #expect(days[10] == 0)
    }
}
