import Synchronization

/// A SQLite file in WAL mode with one writer that uses group commit, and readers that do not wait for it.
///
/// - `write`: durable when it returns (`synchronous=FULL`).
/// - `lookUp`: a few rows by key, on the caller's own thread; takes microseconds, less than a thread hop.
/// - `read`: anything longer, on a separate thread that may block; reads of seconds have a thread of their own.
package final class Database: Sendable {
    package let path: String
    let writer: Writer
    let truncation = WALTruncation()
    private let lookUps: [LookUp]
    private let scans: [Scan]
    /// Separate, so that a copy or an integrity check does not delay other reads.
    private let longScan: Scan
    private let turn = Atomic<Int>(0)

    /// Unchecked is sound: reached through the mutex, or on the one thread that owns it.
    private struct Confined: @unchecked Sendable {
        let connection: Connection
    }

    private final class LookUp: Sendable {
        let connection: Mutex<Confined>
        init(_ connection: Connection) { self.connection = Mutex(Confined(connection: connection)) }
    }

    private struct Scan: Sendable {
        let thread: WorkerThread
        let connection: Confined
    }

    /// Opens or creates the file and brings its schema up to date.
    ///
    /// `migrations`: In order; those already applied are skipped.
    /// `readers`: Connections for `lookUp`, and the same number for `read`.
    /// `commitDelay`: How many milliseconds a write waits for others to share its commit at a low write rate. At a high
    /// rate writes share commits without waiting.
    package init(
        path: String,
        migrations: [Migration] = [],
        readers: Int = 2,
        commitDelay: Int = 0,
        observer: (any BatchObserver)? = nil
    ) throws {
        self.path = path
        let connection = try Connection(path: path, access: .readWrite)
        try connection.script(
            """
            PRAGMA journal_mode = WAL;
            PRAGMA synchronous = FULL;
            PRAGMA foreign_keys = ON;
            PRAGMA secure_delete = ON;
            PRAGMA trusted_schema = OFF;
            PRAGMA journal_size_limit = 16777216;
            PRAGMA temp_store = MEMORY;
            PRAGMA cache_size = -4096;
            """)
        try Migration.apply(migrations, to: connection)
        try observer?.start(on: connection)
        writer = Writer(connection, commitDelay: commitDelay, observer: observer)
        lookUps = try (0..<readers).map { _ in LookUp(try Self.reader(path)) }
        scans = try (0..<readers).map { _ in try Self.scan(path) }
        longScan = try Self.scan(path)
    }

    deinit {
        writer.stop()
        for scan in scans + [longScan] { scan.thread.stop() }
    }

    /// Runs `body` in a transaction that is on disk when this returns, and is rolled back when it throws.
    package func write<R: Sendable>(
        size: JobSize = .small, _ body: @escaping @Sendable (Connection) throws -> R
    ) async throws -> R {
        try await writer.perform(size: size, body)
    }

    /// Runs `body` on the writer's connection outside any transaction: checkpoints, pragmas.
    package func maintain<R: Sendable>(_ body: @escaping @Sendable (Connection) throws -> R) async throws -> R {
        try await writer.performBetweenBatches(body)
    }

    /// Returns free pages to the file system (incremental vacuum), some at a time, so that other writes commit in between.
    /// Has no effect on a file without `auto_vacuum = INCREMENTAL`.
    ///
    /// - Returns: The number of pages.
    package func reclaimFreePages() async throws -> Int {
        var all = 0
        // Each part needs space in the WAL, which may be scarce: truncate the WAL before each part.
        while try await truncateWAL(ignoringBackOff: true) {
            let some = try await write(size: .deferredDeletion) { db in
                func free() throws -> Int { try db.first("PRAGMA freelist_count") { $0.int(0) } ?? 0 }
                let before = try free()
                if before > 0 { try db.script("PRAGMA incremental_vacuum(128)") }
                return before - (try free())
            }
            if some == 0 { break }
            all += some
        }
        return all
    }

    /// Runs a short `body` of one statement on the current thread. For rows found by key.
    package func lookUp<R>(_ body: (Connection) throws -> R) throws -> R {
        for lookUp in lookUps {
            // Boxed, because the lock requires a `sending` result.
            if let result = try lookUp.connection.withLockIfAvailable({ try Unsent(body($0.connection)) }) {
                return result.value
            }
        }
        let next = turn.wrappingAdd(1, ordering: .relaxed).newValue
        return try lookUps[abs(next % lookUps.count)].connection.withLock { try Unsent(body($0.connection)) }
            .value
    }

    /// The expected duration of a read.
    package enum Length: Sendable {
        case short
        /// Seconds or more. These run one at a time.
        case long
    }

    /// Runs `body` on a reader's thread, over one snapshot.
    package func read<R: Sendable>(
        lasting length: Length = .short, _ body: @escaping @Sendable (Connection) throws -> R
    ) async throws -> R {
        let next = turn.wrappingAdd(1, ordering: .relaxed).newValue
        let scan =
            switch length {
            case .short: scans[abs(next % scans.count)]
            case .long: longScan
            }
        return try await withCheckedThrowingContinuation { continuation in
            scan.thread.enqueue {
                continuation.resume(with: Result { try scan.connection.connection.snapshot(body) })
            }
        }
    }

    private static func scan(_ path: String) throws -> Scan {
        Scan(thread: WorkerThread(), connection: Confined(connection: try reader(path)))
    }

    private static func reader(_ path: String) throws -> Connection {
        let connection = try Connection(path: path, access: .readOnly)
        try connection.script("PRAGMA query_only = ON; PRAGMA cache_size = -2048;")
        return connection
    }
}
