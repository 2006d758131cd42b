import Files

/// A file under a hidden name, locked while it is in use, so that what a crash left behind can be told and removed.
///
/// A class because it is handed to work on another thread; it never changes. Call `remove` in a `defer`: the end of a
/// reference's life is the optimiser's choice.
final class TemporaryFile: Sendable {
    let path: String
    let file: OpenFile

    /// What SQLite may put beside a database.
    static let sidecars = ["-wal", "-shm", "-journal"]

    /// - Parameters:
    ///   - directory: Where the file will have its final name, so that it can be linked there.
    ///   - prefix: Begins with a dot, and is used for nothing else in this directory.
    /// - Throws: When the directory is missing, full or not ours.
    init(in directory: String, prefix: String) throws(SystemCallError) {
        while true {
            let path = "\(directory)/\(prefix)\(String(UInt64.random(in: .min ... .max), radix: 16))"
            let file = try OpenFile(creating: path)
            // Between creation and lock somebody may have taken it for a leftover: then it has no name any more.
            if try file.lock(), try file.isLinked() {
                self.path = path
                self.file = file
                return
            }
        }
    }

    /// Refuses a database whose last transactions are still beside it: the file alone would be older than it seems.
    static func checkSelfContained(_ path: String) throws {
        for sidecar in ["-wal", "-journal"] {
            if let size = try Directory.fileSize(path + sidecar), size > 0 { throw BackupError.unfinishedTransaction }
        }
    }

    /// Removes the names. The open file stays readable.
    ///
    /// Errors are dropped: there is nobody to tell in a `defer`, and the next run tries again.
    func remove() {
        for suffix in [""] + Self.sidecars {
            try? Directory.remove(path + suffix)
        }
    }

    /// Removes what a crashed run left behind. Files that a living run still holds are left alone.
    static func removeStale(in directory: String, prefix: String) throws(SystemCallError) {
        for name in try Directory.names(in: directory) where name.hasPrefix(prefix) {
            let sidecar = sidecars.first { name.hasSuffix($0) } ?? ""
            if try isAbandoned("\(directory)/\(name.dropLast(sidecar.count))") {
                try Directory.remove("\(directory)/\(name)")
            }
        }
    }

    private static func isAbandoned(_ path: String) throws(SystemCallError) -> Bool {
        guard try Directory.exists(path) else { return true }
        guard let file = try? OpenFile(reading: path) else { return false }
        return try file.lock()
    }
}
