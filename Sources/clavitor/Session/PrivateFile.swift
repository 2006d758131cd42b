import FoundationEssentials
import Glibc

/// Files that only their owner may read, replaced as a whole or not at all.
enum PrivateFile {
    /// The file's bytes; nil when there is none.
    static func read(_ path: String) throws(CommandFailure) -> [UInt8]? {
        let descriptor = try open(path, O_RDONLY | O_CLOEXEC, allowMissing: true)
        guard let descriptor else { return nil }
        defer { close(descriptor) }
        return try StandardStream.readAll(descriptor, named: path)
    }

    /// Writes under a temporary name, forces it to disk, then renames.
    static func replace(_ path: String, with bytes: [UInt8]) throws(CommandFailure) {
        let temporary = "\(path).\(getpid()).new"
        unsafe unlink(temporary)
        guard let descriptor = try open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, allowMissing: false) else {
            throw failure("written", temporary)
        }
        let isWritten = StandardStream.write(bytes, to: descriptor) && fsync(descriptor) == 0
        close(descriptor)
        guard isWritten, unsafe rename(temporary, path) == 0 else {
            let failure = failure("written", path)
            unsafe unlink(temporary)
            throw failure
        }
    }

    /// Makes the directory and what is missing above it; the last one is 0700 even where it was wider.
    static func makeDirectory(_ path: String) throws(CommandFailure) {
        var made = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/") {
            made += "/" + part
            if unsafe mkdir(made, 0o700) != 0, errno != EEXIST { throw failure("made", made) }
        }
        guard unsafe chmod(path, 0o700) == 0 else { throw failure("made private", path) }
    }

    private static func open(_ path: String, _ flags: Int32, allowMissing: Bool) throws(CommandFailure) -> Int32? {
        let descriptor = unsafe Glibc.open(path, flags, 0o600)
        if descriptor >= 0 { return descriptor }
        if allowMissing, errno == ENOENT { return nil }
        throw failure("opened", path)
    }

    private static func failure(_ verb: String, _ path: String) -> CommandFailure {
        let reason = unsafe String(cString: strerror(errno))
        return CommandFailure(.failed, "\(path) cannot be \(verb): \(reason).")
    }
}
