/// How many backups to keep: the newest of each of the last so many days, weeks and months that have any.
///
/// The rules are those of restic's `forget`. Each looks at all backups, newest first, and a backup stays that any of
/// them keeps. A period without backups does not count. While a rule has not found as many periods as it may keep, it
/// keeps the oldest backup too, so that a young folder does not lose its beginning. Days, weeks (from Monday) and
/// months are those of UTC.
package struct Retention: Equatable, Sendable {
    /// How many of the newest, whatever their time.
    package var last: Int
    package var daily: Int
    package var weekly: Int
    package var monthly: Int

    /// Zero turns a rule off; so does a negative number.
    package init(last: Int = 0, daily: Int = 0, weekly: Int = 0, monthly: Int = 0) {
        self.last = last
        self.daily = daily
        self.weekly = weekly
        self.monthly = monthly
    }

    /// What the text form is, for errors.
    package static let form = "four numbers, last,daily,weekly,monthly, as in 3,7,5,12"

    /// Reads four numbers with commas; nil for anything else, and where all are zero.
    package init?(_ text: some StringProtocol) {
        let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) ?? -1 }
        guard numbers.count == 4, numbers.allSatisfy({ $0 >= 0 }), numbers.contains(where: { $0 > 0 }) else {
            return nil
        }
        self.init(last: numbers[0], daily: numbers[1], weekly: numbers[2], monthly: numbers[3])
    }

    /// The backups that stay. The newest always does, even when every rule is off.
    package func keeps(_ backups: some Sequence<BackupName>) -> Set<BackupName> {
        let newestFirst = Set(backups).sorted(by: >)
        var kept = Set(newestFirst.prefix(max(1, last)))
        keep(daily, in: newestFirst, period: \.time.day, &kept)
        keep(weekly, in: newestFirst, period: \.time.week, &kept)
        keep(monthly, in: newestFirst, period: \.time.month, &kept)
        return kept
    }

    private func keep(
        _ count: Int,
        in newestFirst: [BackupName],
        period: (BackupName) -> Int,
        _ kept: inout Set<BackupName>
    ) {
        var left = count
        var current: Int?
        for backup in newestFirst where left > 0 && (period(backup) != current || backup == newestFirst.last) {
            kept.insert(backup)
            current = period(backup)
            left -= 1
        }
    }
}
