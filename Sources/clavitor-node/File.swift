import Backup
import Glibc

/// The few things that the program does to files itself.
enum File {
    static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

    static func makeDirectory(_ path: String) throws {
        guard unsafe mkdir(path, 0o700) == 0 || errno == EEXIST else { throw failure("mkdir", path) }
    }

    static func read(_ path: String, most: Int) throws -> String {
        let file = try OpenFile(reading: path)
        return String(decoding: try file.read(most), as: UTF8.self)
    }

    /// Writes to a temporary name, syncs, renames, syncs the directory.
    static func replace(_ path: String, with text: String, mode: mode_t) throws {
        let temporary = "\(path).new"
        remove(temporary)
        let file = try OpenFile(creating: temporary)
        try file.write(Array(text.utf8))
        guard unsafe chmod(temporary, mode) == 0 else { throw failure("chmod", temporary) }
        try file.synchronize()
        guard unsafe rename(temporary, path) == 0 else { throw failure("rename", path) }
        try OpenFile(directory: folder(of: path)).synchronize()
    }

    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Whether this process now holds the lock, until it ends.
    static func takeLock(_ path: String) throws -> Bool {
        let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("open", path) }
        return flock(descriptor, LOCK_EX | LOCK_NB) == 0
    }

    private static func failure(_ call: String, _ path: String) -> Failure {
        Failure("\(SystemCallError(call: call, path: path, code: errno))")
    }

    static func remove(_ path: String) { _ = unsafe unlink(path) }

    static func move(_ path: String, to other: String) throws {
        guard unsafe rename(path, other) == 0 else { throw failure("rename", path) }
        try OpenFile(directory: folder(of: other)).synchronize()
    }

    /// Takes up `bytes` on the disk for real.
    static func allocate(_ path: String, _ bytes: Int64) -> Bool {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return posix_fallocate(descriptor, 0, off_t(bytes)) == 0
    }
}

/// The one place where the program reads its environment.
enum Environment {
    static var credentialsDirectory: String? { value("CREDENTIALS_DIRECTORY") }

    private static func value(_ name: String) -> String? {
        guard let text = unsafe getenv(name) else { return nil }
        return unsafe String(cString: text)
    }
}

/// Unix seconds by the machine's clock.
@Sendable func unixTime() -> Int64 { Int64(time(nil)) }

/// Standard output is buffered when it is not a terminal.
func flushOutput() { fflush(nil) }
