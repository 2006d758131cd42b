import Glibc

/// A failed system call.
package struct SystemCallError: Error, Equatable, Sendable, CustomStringConvertible {
    package var call: String
    /// Nil when the call took a descriptor.
    package var path: String?
    /// `errno`.
    package var code: Int32

    package init(call: String, path: String? = nil, code: Int32) {
        self.call = call
        self.path = path
        self.code = code
    }

    package var description: String {
        "\(call)\(path.map { " \($0)" } ?? ""): \(Self.reason(of: code))"
    }

    /// The system's message for an error code.
    package static func reason(of code: Int32 = errno) -> String { unsafe String(cString: strerror(code)) }

    /// Makes an error from `errno`, right after the failed call.
    package static func last(_ call: String, _ path: String? = nil) -> SystemCallError {
        SystemCallError(call: call, path: path, code: errno)
    }
}

/// An open file or directory, closed exactly once when it goes out of scope.
///
/// Its calls block. Child processes do not inherit the descriptor.
package struct OpenFile: ~Copyable, Sendable {
    private let descriptor: CInt

    package init(reading path: String) throws(SystemCallError) {
        try self.init(path, O_RDONLY)
    }

    /// Creates a file with mode 0600. Fails if the name exists.
    package init(creating path: String) throws(SystemCallError) {
        try self.init(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW)
    }

    package init(directory path: String) throws(SystemCallError) {
        try self.init(path, O_RDONLY | O_DIRECTORY)
    }

    /// Duplicates a descriptor that this process does not own, such as standard output.
    package init(duplicating descriptor: CInt) throws(SystemCallError) {
        self.descriptor = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        guard self.descriptor >= 0 else { throw .last("dup") }
    }

    private init(_ path: String, _ flags: CInt) throws(SystemCallError) {
        descriptor = unsafe Glibc.open(path, flags | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .last("open", path) }
    }

    deinit {
        // Errors of close are ignored: durable data went through `synchronize`.
        if descriptor >= 0 { _ = close(descriptor) }
    }

    /// Reads the next `count` bytes; fewer only at the end of the file.
    package func read(_ count: Int) throws(SystemCallError) -> [UInt8] {
        var failure: SystemCallError?
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let got = unsafe Glibc.read(descriptor, buffer.baseAddress.map { unsafe $0 + filled }, count - filled)
                if got < 0, errno == EINTR { continue }
                if got < 0 { failure = .last("read") }
                if got <= 0 { return }
                filled += got
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// Writes all of the bytes.
    package func write(_ bytes: [UInt8]) throws(SystemCallError) {
        var failure: SystemCallError?
        unsafe bytes.withUnsafeBytes { buffer in
            var written = 0
            while written < buffer.count {
                let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[written...])
                let put = unsafe Glibc.write(descriptor, rest.baseAddress, rest.count)
                if put < 0, errno == EINTR { continue }
                guard put >= 0 else { return failure = .last("write") }
                written += put
            }
        }
        if let failure { throw failure }
    }

    /// Flushes the file to the disk; for a directory, its names.
    package func synchronize() throws(SystemCallError) {
        guard fsync(descriptor) == 0 else { throw .last("fsync") }
    }

    /// Tries to lock the file exclusively, until it is closed or the process ends.
    ///
    /// - Returns: False when the lock is held elsewhere.
    package func lock() throws(SystemCallError) -> Bool {
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            if errno == EWOULDBLOCK { return false }
            guard errno == EINTR else { throw .last("flock") }
        }
        return true
    }

    /// Locks the file exclusively and waits until the lock is free.
    package func waitForLock() throws(SystemCallError) {
        while flock(descriptor, LOCK_EX) != 0 {
            guard errno == EINTR else { throw .last("flock") }
        }
    }

    /// Whether the file still has a name in a directory.
    package func isLinked() throws(SystemCallError) -> Bool {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw .last("fstat") }
        return status.st_nlink > 0
    }
}
