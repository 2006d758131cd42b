import Glibc

/// The few things that programs do to whole files.
package enum File {
    package static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

    package static func makeDirectory(_ path: String) throws {
        guard unsafe mkdir(path, 0o700) == 0 || errno == EEXIST else { throw SystemCallError.last("mkdir", path) }
    }

    /// With those above it, each for its owner alone where it is not there yet.
    package static func makeDirectories(_ path: String) throws {
        guard !exists(path) else { return }
        try makeDirectories(Directory.parent(of: path))
        try makeDirectory(path)
    }

    package static func read(_ path: String, most: Int) throws -> String {
        let file = try OpenFile(reading: path)
        return String(decoding: try file.read(most), as: UTF8.self)
    }

    /// Writes to a temporary name, syncs, renames, syncs the directory. Waits for others that do so there.
    package static func replace(_ path: String, with text: String, mode: UInt32) throws {
        let directory = try OpenFile(directory: Directory.parent(of: path))
        // A file system without locks has no two writers, or they must look out for themselves.
        try? directory.waitForLock()
        try write(text, to: path, mode, in: directory)
    }

    /// Reads a file, changes it and replaces it, alone: waits for other processes that edit in the same directory.
    ///
    /// The directory is locked and not the file, because a file that is replaced takes its lock with it.
    /// `absent`: what a file holds that is not there; nil when that is an error. A link leads to what is edited.
    package static func edit(
        _ link: String, most: Int, absent: String? = nil, _ change: (String) throws -> String
    ) throws {
        let path = Directory.resolved(link)
        let directory = try OpenFile(directory: Directory.parent(of: path))
        try directory.waitForLock()
        let isThere = exists(path)
        let text = if let absent, !isThere { absent } else { try read(path, most: most) }
        let changed = try change(text)
        guard changed != text else { return }
        try write(changed, to: path, FileFacts.mode(path) ?? (absent == nil ? 0o644 : 0o600), in: directory)
    }

    /// Always by the same name, so that what a crash has left is written over by the next.
    private static func write(_ text: String, to path: String, _ mode: UInt32, in directory: borrowing OpenFile) throws
    {
        let temporary = "\(path).new"
        remove(temporary)
        let file = try OpenFile(creating: temporary)
        do {
            try file.write(Array(text.utf8))
            guard unsafe chmod(temporary, mode) == 0 else { throw SystemCallError.last("chmod", temporary) }
            try file.synchronize()
            guard unsafe rename(temporary, path) == 0 else { throw SystemCallError.last("rename", path) }
        } catch {
            // On a full disk it takes up room.
            remove(temporary)
            throw error
        }
        try directory.synchronize()
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
        try OpenFile(directory: Directory.parent(of: other)).synchronize()
    }

    /// Takes up `bytes` on the disk for real.
    package static func allocate(_ path: String, _ bytes: Int64) -> Bool {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return posix_fallocate(descriptor, 0, off_t(bytes)) == 0
    }
}
