import FoundationEssentials
import SQLite
import Synchronization

/// How the regions fared in the last thirty days, for anybody. Reckoned once a minute, however many ask.
final class StatusHistory: Sendable {
    static let days = 30
    private static let day: Int64 = 86_400_000
    /// Outages that are looked at: the newest.
    private static let most = 5_000

    private let store: MonitorStore
    private let kept = Mutex<(at: Int64, days: [String: [Int?]])>((.min / 2, [:]))

    init(store: MonitorStore) { self.store = store }

    /// A stretch of time in which some node of a region could not be heard, in Unix milliseconds.
    struct Outage: Equatable, Sendable {
        var region: String
        var from: Int64
        var until: Int64
    }

    /// For each region and day (UTC), oldest first and today last, the minutes in which not all of it could be heard; nil
    /// for days before anything was watched there. Empty when it cannot be read.
    func minutes(at now: Int64) async -> [String: [Int?]] {
        let last = kept.withLock { $0 }
        guard now < last.at || now - last.at >= 60_000 else { return last.days }
        do {
            let first = (now / Self.day - Int64(Self.days) + 1) * Self.day
            let (outages, beginnings) = try await read(since: first, now: now)
            let days = Self.minutes(outages, beginnings: beginnings, first: first, now: now)
            kept.withLock { $0 = (now, days) }
            return days
        } catch {
            // The present state is worth more than the past.
            return last.days
        }
    }

    private func read(since first: Int64, now: Int64) async throws -> ([Outage], [String: Int64]) {
        try await store.ledger.read { db in
            let incidents: [Incident] = try db.all(
                """
                SELECT body FROM incident WHERE (resolved IS NULL OR resolved > ?) AND node IS NOT NULL
                ORDER BY id DESC LIMIT ?
                """, .integer(first), .integer(Self.most)
            ) { try MonitorStore.decode($0.text(0)) }
            let outages = incidents.filter { $0.rule == "silent" && $0.hiddenBy == nil }.map {
                Outage(region: $0.region ?? "Everywhere", from: $0.opened, until: $0.resolved ?? now)
            }
            let nodes = try db.all(
                """
                SELECT coalesce(region, 'Everywhere'), min(added) FROM node WHERE coalesce(every, 0) <= ? GROUP BY 1
                """, .integer(NodeName.longestInterval)
            ) {
                ($0.text(0), $0.integer(1))
            }
            return (outages, Dictionary(nodes) { min($0, $1) })
        }
    }

    /// What several of them have in common counts once.
    static func minutes(
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
