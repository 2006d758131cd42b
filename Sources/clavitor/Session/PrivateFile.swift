import Files
import FoundationEssentials
import Glibc

/// Reads and atomically replaces files with mode 0600.
enum PrivateFile {
    /// Returns the file's bytes; nil if it does not exist.
    static func read(_ path: String) throws(CommandFailure) -> [UInt8]? {
        let descriptor = try open(path, O_RDONLY | O_CLOEXEC, allowMissing: true)
        guard let descriptor else { return nil }
        defer { close(descriptor) }
        return try StandardStream.readAll(descriptor, named: path)
    }

    /// Writes a temporary file, syncs it and renames it.
    static func replace(_ path: String, with bytes: [UInt8]) throws(CommandFailure) {
        let temporary = "\(path).\(getpid()).new"
        File.remove(temporary)
        guard let descriptor = try open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, allowMissing: false) else {
            throw failure("written", temporary)
        }
        let isWritten = StandardStream.write(bytes, to: descriptor) && fsync(descriptor) == 0
        close(descriptor)
        guard isWritten, unsafe rename(temporary, path) == 0 else {
            let failure = failure("written", path)
            File.remove(temporary)
            throw failure
        }
    }

    /// Creates the directory and its parents, and sets its mode to 0700.
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
        CommandFailure(.failed, "\(path) cannot be \(verb): \(SystemCallError.reason()).")
    }
}
