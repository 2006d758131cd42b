import FoundationEssentials
import SQLite
import Synchronization

/// Outage history of the regions over thirty days, for the public page. Computed at most once a minute.
package final class StatusHistory: Sendable {
    static let days = 30
    private static let day: Int64 = 86_400_000
    /// Maximum number of outages, newest first.
    private static let limit = 5_000

    private let store: MonitorStore
    private let cache = Mutex<(at: Int64, days: [String: [Int?]])>((.min / 2, [:]))

    init(store: MonitorStore) { self.store = store }

    /// A time range in which some node of a region was silent, in Unix milliseconds.
    package struct Outage: Equatable, Sendable {
        package var region: String
        package var from: Int64
        package var until: Int64

        package init(region: String, from: Int64, until: Int64) {
            self.region = region
            self.from = from
            self.until = until
        }
    }

    /// Minutes with an outage for each region and day (UTC), oldest first and today last; nil for days before the
    /// region was monitored. Empty when the history cannot be read.
    func minutes(at now: Int64) async -> [String: [Int?]] {
        let last = cache.withLock { $0 }
        guard now < last.at || now - last.at >= 60_000 else { return last.days }
        do {
            let first = (now / Self.day - Int64(Self.days) + 1) * Self.day
            let (outages, beginnings) = try await read(since: first, now: now)
            let days = Self.minutes(outages, beginnings: beginnings, first: first, now: now)
            cache.withLock { $0 = (now, days) }
            return days
        } catch {
            // The present state matters more than the history.
            return last.days
        }
    }

    private func read(since first: Int64, now: Int64) async throws -> ([Outage], [String: Int64]) {
        try await store.alerts.read { db in
            let incidents: [Incident] = try db.all(
                """
                SELECT body FROM incident WHERE (resolved IS NULL OR resolved > ?) AND node IS NOT NULL
                ORDER BY id DESC LIMIT ?
                """, .integer(first), .integer(Self.limit)
            ) { try MonitorStore.decode($0.text(0)) }
            let outages = incidents.filter { $0.rule == "silent" && $0.inhibitedBy == nil }.map {
                Outage(region: $0.region ?? "Everywhere", from: $0.opened, until: $0.resolved ?? now)
            }
            let nodes = try db.all(
                """
                SELECT coalesce(region, 'Everywhere') AS region, min(added) AS added FROM node WHERE coalesce(every, 0) <= ? GROUP BY 1
                """, .integer(MonitoredNode.longestInterval)
            ) {
                (try $0.text("region"), try $0.integer("added"))
            }
            return (outages, Dictionary(nodes) { min($0, $1) })
        }
    }

    /// Overlapping outages count once.
    package static func minutes(
        _ outages: [Outage], beginnings: [String: Int64], first: Int64, now: Int64
    ) -> [String: [Int?]] {
        var days: [String: [Int?]] = [:]
        for (region, beginning) in beginnings {
            var lost = [Int64](repeating: 0, count: Self.days)
            var end = first
            for outage in outages.filter({ $0.region == region }).sorted(by: { $0.from < $1.from }) {
                var from = max(outage.from, end)
                let until = min(outage.until, now)
                while from < until {
                    let index = Int((from - first) / day)
                    guard lost.indices.contains(index) else { break }
                    let next = min(until, first + Int64(index + 1) * day)
                    lost[index] += next - from
                    from = next
                }
                end = max(end, until)
            }
            days[region] = lost.enumerated().map { index, milliseconds in
                first + Int64(index + 1) * day <= beginning ? nil : Int((milliseconds + 59_999) / 60_000)
            }
        }
        return days
    }
}
