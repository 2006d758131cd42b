import Testing

/// The files that may access raw memory or call C with pointers, each with the reason.
///
/// C code is in `CProcess`, `CSQLite`, `CArgon2`, `CZlib` and `CMonitorAssets` only.
@Suite struct UnsafeTests {
    private static let reasons = [
        "Sources/Secrets/KeyBytes.swift": "swift-crypto lends a key's bytes as a raw buffer",
        "Sources/Secrets/SecretBytes.swift": "memory that is wiped before it is released",
        "Sources/Secrets/Wiping.swift": "explicit_bzero",
        "Sources/SQLite/Connection.swift": "SQLite's C interface",
        "Sources/SQLite/FileSystem.swift": "statfs",
        "Sources/SQLite/IntegrityCheck.swift": "SQLite's C interface: the progress handler",
        "Sources/SQLite/OnlineCopy.swift": "SQLite's C interface: online backup",
        "Sources/SQLite/RowChange.swift": "SQLite's C interface: the preupdate hook",
        "Sources/SQLite/Statement.swift": "SQLite's C interface: bind values and read columns without copies",
        "Sources/SQLite/WorkerThread.swift": "a POSIX thread and semaphore",
        "Sources/Files/Directory.swift": "readdir, stat, link, realpath",
        "Sources/Files/File.swift": "access, open, rename, unlink",
        "Sources/Files/FileStatus.swift": "stat, statvfs",
        "Sources/Files/OpenFile.swift": "open, read, write, strerror",
        "Sources/Systemd/NotifyAddress.swift": "sockaddr_un",
        "Sources/Systemd/ServiceManager.swift": "getenv",
        "Sources/ServerRuntime/HTTPS/EventLoopBoundChannel.swift": "an executor runs jobs that it does not own",
        "Sources/ServerRuntime/JSONLog.swift": "one write(2) for each line",
        "Sources/ServerRuntime/ProcessMemory.swift": "mlock",
        "Sources/Telemetry/Machine/Machine+Host.swift": "statvfs",
        "Sources/Monitor/HTTP/AssetCatalog+Monitor.swift": "pages embedded as C arrays",
        "Sources/WebAssets/Gzip.swift": "zlib's C interface",
        "Sources/Console/HiddenInput.swift": "poll, read",
        "Sources/Console/HiddenTerminal.swift": "terminal modes and signal handlers that restore them",
        "Sources/clavitor/Keys/KeyDerivation.swift": "libargon2's C interface",
        "Sources/clavitor/Running/ChildOutput.swift": "poll, waitpid",
        "Sources/clavitor/Running/ChildProcess.swift": "argument and environment lists of fork and exec",
        "Sources/clavitor/Running/Executable.swift": "stat, access",
        "Sources/clavitor/Running/ForwardedSignals.swift": "signal handlers",
        "Sources/clavitor/Session/PrivateFile.swift": "open, rename, mkdir, chmod",
        "Sources/clavitor/Terminal/StandardStream.swift": "read, write",
        "Sources/clavitor/Terminal/Terminal.swift": "open of /dev/tty",
        "Sources/clavitor/Terminal/Timestamp.swift": "localtime_r",
    ]

    @Test func theListedFilesAreThoseThatUseIt() throws {
        let used = try SourceTree.files(in: "Sources").filter { $0.text.contains(/\bunsafe\b/) }.map(\.name)
        let listed = Set(Self.reasons.keys)
        #expect(
            Set(used).subtracting(listed).isEmpty, "unsafe code needs a reason, or a safe function of a listed file")
        #expect(listed.subtracting(used).isEmpty, "an unused permission must be removed")
    }

    /// Strict memory safety does not flag these.
    @Test func rawMemoryIsNotReachedInOtherWays() throws {
        let listed = Set(Self.reasons.keys)
        for file in try SourceTree.files(in: "Sources") where !listed.contains(file.name) {
            #expect(
                !file.text.contains(/\b(?:unsafeBitCast|Unmanaged|unowned\(unsafe\)|nonisolated\(unsafe\))/),
                "\(file.name)")
        }
    }
}
