import Files

/// A file with a hidden name, locked while it is in use, so that leftovers of a crash can be recognised and removed.
///
/// A class because it is passed to another thread; it is immutable. Call `remove` in a `defer`: the optimiser decides when
/// a reference is released.
final class TemporaryFile: Sendable {
    let path: String
    let file: OpenFile

    /// Suffixes of files that SQLite may create beside a database.
    static let sidecars = ["-wal", "-shm", "-journal"]

    /// - Parameters:
    ///   - directory: The directory of the final name, so that the file can be linked there.
    ///   - prefix: Begins with a dot, and is used for nothing else in this directory.
    /// - Throws: If the directory is missing, full or not writable.
    init(in directory: String, prefix: String) throws(SystemCallError) {
        while true {
            let path = "\(directory)/\(prefix)\(String(UInt64.random(in: .min ... .max), radix: 16))"
            let file = try OpenFile(creating: path)
            // Between creation and lock another process may have removed it as a leftover: then it has no name any more.
            if try file.lock(), try file.isLinked() {
                self.path = path
                self.file = file
                return
            }
        }
    }

    /// Rejects a database with a WAL or journal: the file alone would lack its last transactions.
    static func checkSelfContained(_ path: String) throws {
        for sidecar in ["-wal", "-journal"] {
            if let size = try Directory.fileSize(path + sidecar), size > 0 { throw BackupError.unfinishedTransaction }
        }
    }

    /// Removes the names. The open file stays readable.
    ///
    /// Errors are ignored: a `defer` cannot report them, and the next run tries again.
    func remove() {
        for suffix in [""] + Self.sidecars {
            try? Directory.remove(path + suffix)
        }
    }

    /// Removes leftovers of crashed runs. Files that a running process has locked stay.
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
