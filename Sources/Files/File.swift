import Glibc

/// The few things that programs do to whole files.
package enum File {
    package static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

    package static func makeDirectory(_ path: String) throws {
        guard unsafe mkdir(path, 0o700) == 0 || errno == EEXIST else { throw SystemCallError.last("mkdir", path) }
    }

    package static func read(_ path: String, most: Int) throws -> String {
        let file = try OpenFile(reading: path)
        return String(decoding: try file.read(most), as: UTF8.self)
    }

    /// Writes to a temporary name, syncs, renames, syncs the directory.
    package static func replace(_ path: String, with text: String, mode: UInt32) throws {
        let temporary = "\(path).new"
        remove(temporary)
        let file = try OpenFile(creating: temporary)
        try file.write(Array(text.utf8))
        guard unsafe chmod(temporary, mode) == 0 else { throw SystemCallError.last("chmod", temporary) }
        try file.synchronize()
        guard unsafe rename(temporary, path) == 0 else { throw SystemCallError.last("rename", path) }
        try OpenFile(directory: folder(of: path)).synchronize()
    }

    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Whether this process now holds the lock, until it ends.
    package static func takeLock(_ path: String) throws -> Bool {
        let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SystemCallError.last("open", path) }
        return flock(descriptor, LOCK_EX | LOCK_NB) == 0
    }

    package static func remove(_ path: String) { _ = unsafe unlink(path) }

    package static func move(_ path: String, to other: String) throws {
        guard unsafe rename(path, other) == 0 else { throw SystemCallError.last("rename", path) }
        try OpenFile(directory: folder(of: other)).synchronize()
    }

    /// Takes up `bytes` on the disk for real.
    package static func allocate(_ path: String, _ bytes: Int64) -> Bool {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return posix_fallocate(descriptor, 0, off_t(bytes)) == 0
    }
}
