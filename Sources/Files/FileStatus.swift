import Glibc

/// File attributes from stat(2) and statvfs(2), with symbolic links followed. Nil for a missing path.
package enum FileStatus {
    /// Permission bits.
    package static func mode(_ path: String) -> UInt32? { status(path).map { $0.st_mode & 0o7777 } }

    package static func size(_ path: String) -> Int64? { status(path).map { Int64($0.st_size) } }

    /// Free bytes on the file system that this process may use.
    package static func freeSpace(_ path: String) -> Int64? {
        var status = statvfs()
        guard unsafe statvfs(path, &status) == 0 else { return nil }
        return Int64(status.f_bavail) * Int64(status.f_frsize)
    }

    private static func status(_ path: String) -> stat? {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        return status
    }
}
