/// A retention policy: keeps the newest backup of each of the last N days, weeks and months that have any.
///
/// The rules are those of restic's `forget`. Each rule sees all backups, newest first, and a backup is retained if any
/// rule retains it. A period without backups does not count. A rule that has found fewer periods than it may keep also
/// retains the oldest backup, so that a young folder does not lose its first one. Days, weeks (from Monday) and months
/// are in UTC.
package struct Retention: Equatable, Sendable {
    /// How many of the newest backups to keep, whatever their time.
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

    /// Description of the text form, for errors.
    package static let form = "four numbers, last,daily,weekly,monthly, as in 3,7,5,12"

    /// Parses four numbers separated by commas; nil for anything else, and if all are zero.
    package init?(_ text: some StringProtocol) {
        let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) ?? -1 }
        guard numbers.count == 4, numbers.allSatisfy({ $0 >= 0 }), numbers.contains(where: { $0 > 0 }) else {
            return nil
        }
        self.init(last: numbers[0], daily: numbers[1], weekly: numbers[2], monthly: numbers[3])
    }

    /// The retained backups. Always includes the newest, even when every rule is off.
    package func retained(_ backups: some Sequence<BackupName>) -> Set<BackupName> {
        let newestFirst = Set(backups).sorted(by: >)
        var retained = Set(newestFirst.prefix(max(1, last)))
        apply(daily, to: newestFirst, period: \.time.day, &retained)
        apply(weekly, to: newestFirst, period: \.time.week, &retained)
        apply(monthly, to: newestFirst, period: \.time.month, &retained)
        return retained
    }

    private func apply(
        _ count: Int,
        to newestFirst: [BackupName],
        period: (BackupName) -> Int,
        _ retained: inout Set<BackupName>
    ) {
        var remaining = count
        var current: Int?
        for backup in newestFirst where remaining > 0 && (period(backup) != current || backup == newestFirst.last) {
            retained.insert(backup)
            current = period(backup)
            remaining -= 1
        }
    }
}
