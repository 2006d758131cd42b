/// The name of a backup file: `clavitor-20260131T235959Z.db.age`, with `-1`, `-2` … after the Z for several backups in
/// one second.
///
/// Sorts by time. Only files with exactly such a name are listed or pruned.
package struct BackupName: Hashable, Sendable {
    package let time: UTCTime
    /// 0 for the first backup in a second.
    package let number: Int

    static let maximumNumber = 999
    private static let prefix = "clavitor-"
    private static let suffix = ".db.age"

    package init(time: UTCTime, number: Int = 0) {
        self.time = time
        self.number = number
    }

    /// Nil unless `fileName` is byte for byte a name that the property `fileName` generates.
    package init?(fileName: String) {
        guard fileName.hasPrefix(Self.prefix), fileName.hasSuffix(Self.suffix) else { return nil }
        let middle = fileName.dropFirst(Self.prefix.count).dropLast(Self.suffix.count)
        guard let time = UTCTime(basicFormat: middle.prefix(16)) else { return nil }
        let rest = middle.dropFirst(16)
        guard let number = rest.isEmpty ? 0 : Int(rest.dropFirst()), (0...Self.maximumNumber).contains(number) else {
            return nil
        }
        self.init(time: time, number: number)
        // Each name has one spelling: no "-0", no "-01", no "+1".
        guard Array(self.fileName.utf8) == Array(fileName.utf8) else { return nil }
    }

    package var fileName: String {
        Self.prefix + time.basicFormat + (number == 0 ? "" : "-\(number)") + Self.suffix
    }
}

extension BackupName: Comparable {
    package static func < (left: BackupName, right: BackupName) -> Bool {
        (left.time.seconds, left.number) < (right.time.seconds, right.number)
    }
}
