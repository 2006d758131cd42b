import Glibc

/// Operations on whole files.
package enum File {
    package static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

    package static func makeDirectory(_ path: String) throws {
        guard unsafe mkdir(path, 0o700) == 0 || errno == EEXIST else { throw SystemCallError.last("mkdir", path) }
    }

    /// Creates a directory and its missing parents, each with mode 0700.
    package static func makeDirectories(_ path: String) throws {
        guard !exists(path) else { return }
        try makeDirectories(Directory.parent(of: path))
        try makeDirectory(path)
    }

    package static func read(_ path: String, most: Int) throws -> String {
        let file = try OpenFile(reading: path)
        return String(decoding: try file.read(most), as: UTF8.self)
    }

    /// Replaces a file atomically: writes a temporary file, syncs it, renames it, syncs the directory. Holds the directory
    /// lock meanwhile.
    package static func replace(_ path: String, with text: String, mode: UInt32) throws {
        let directory = try OpenFile(directory: Directory.parent(of: path))
        // On a file system without locks, callers must prevent concurrent writers themselves.
        try? directory.waitForLock()
        try write(text, to: path, mode, in: directory)
    }

    /// Reads a file, changes it and replaces it under the directory lock, so that no concurrent edit is lost.
    ///
    /// The directory is locked and not the file, because the lock of a replaced file is lost with it.
    /// `link`: The path; a symbolic link is followed. `absent`: Used as the content of a missing file; nil when a missing
    /// file is an error.
    package static func edit(
        _ link: String, most: Int, absent: String? = nil, _ change: (String) throws -> String
    ) throws {
        let path = Directory.resolved(link)
        let directory = try OpenFile(directory: Directory.parent(of: path))
        try directory.waitForLock()
        let isPresent = exists(path)
        let text = if let absent, !isPresent { absent } else { try read(path, most: most) }
        let changed = try change(text)
        guard changed != text else { return }
        try write(changed, to: path, FileStatus.mode(path) ?? (absent == nil ? 0o644 : 0o600), in: directory)
    }

    /// The temporary name is always the same, so that the next write replaces what a crash left behind.
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
            // The temporary file would keep a full disk full.
            remove(temporary)
            throw error
        }
        try directory.synchronize()
    }

    /// Tries to lock a file until the process ends. Returns whether it succeeded.
    package static func tryLock(_ path: String) throws -> Bool {
        let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SystemCallError.last("open", path) }
        return flock(descriptor, LOCK_EX | LOCK_NB) == 0
    }

    /// Gives the file mode 0600.
    package static func makePrivate(_ path: String) throws {
        guard unsafe chmod(path, 0o600) == 0 else { throw SystemCallError.last("chmod", path) }
    }

    package static func remove(_ path: String) { _ = unsafe unlink(path) }

    package static func move(_ path: String, to other: String) throws {
        guard unsafe rename(path, other) == 0 else { throw SystemCallError.last("rename", path) }
        try OpenFile(directory: Directory.parent(of: other)).synchronize()
    }

    /// Allocates `bytes` of disk space for a file. Returns whether it succeeded.
    package static func allocate(_ path: String, _ bytes: Int64) -> Bool {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return posix_fallocate(descriptor, 0, off_t(bytes)) == 0
    }
}
