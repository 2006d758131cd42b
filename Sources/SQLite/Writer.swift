import Glibc
import Synchronization

/// Follows the writer's transactions, to keep state consistent with them, such as the head of a hash chain.
///
/// Every call is made on the writer's thread.
package protocol BatchObserver: Sendable {
    /// Called once with the writer's connection, before any transaction.
    func start(on database: Connection) throws
    /// A transaction has begun, so no other process can write: read here what another process may have changed.
    func batchDidBegin(_ database: Connection) throws
    /// A job is about to run; `jobDidFail` undoes everything since this call.
    func jobWillRun()
    /// May refuse the job by throwing, which makes it fail.
    func jobDidRun(_ database: Connection) throws
    func jobDidFail()
    /// Called right before COMMIT, once per batch. May write to the database.
    func batchWillCommit(_ database: Connection) throws
    /// Calls `commit` once, which runs COMMIT, and takes over the batch's state when it returns.
    func commit(_ commit: () throws -> Void) throws
    /// The whole batch was rolled back.
    func batchDidFail(_ error: any Error)
}

extension BatchObserver {
    package func start(on database: Connection) throws {}
    package func jobDidRun(_ database: Connection) throws {}
}

/// The size class of a job, which decides how it shares the writer with others.
package enum JobSize: Sendable {
    case small
    /// It changes hundreds of rows or more.
    case large
    /// As large, but it only purges rows of a deletion that is already recorded and effective.
    case deferredDeletion
}

/// The only connection that writes. Jobs that arrive during a commit share the next one.
///
/// Group commit: durability costs one fsync per batch, not per job. Each job runs in a savepoint, so a job that
/// throws rolls back its own changes and no others.
///
/// A large job is a batch by itself, because the journal of a savepoint is held in memory. Small jobs get a batch between
/// two large ones, and deferred deletions run before large jobs at most every second time.
final class Writer: Sendable {
    private let thread = WorkerThread()
    private let connection: Confined
    private let observer: (any BatchObserver)?
    /// How long a batch waits for more jobs at a low arrival rate.
    private let commitDelay: Duration
    private let pending = Mutex<Pending>(Pending())
    /// Bounds how long the first job of a batch waits for the last, and the size of the WAL frame burst.
    private static let maximumBatch = 512
    /// With at least this many jobs per `commitDelay`, batches fill without waiting.
    private static let lowRate = 16

    private struct Pending {
        var jobs: [any WriteJob] = []
        var large: [any WriteJob] = []
        var deferredDeletions: [any WriteJob] = []
        var lastWasDeferred = false
        /// Jobs that run between batches.
        var betweenBatches: [@Sendable (Connection) -> Void] = []
        var isDraining = false
        var periodStart = ContinuousClock.now
        /// Jobs committed since `periodStart`.
        var count = 0
        var isQuiet = true

        var isEmpty: Bool {
            jobs.isEmpty && large.isEmpty && deferredDeletions.isEmpty && betweenBatches.isEmpty
        }

        /// The next job that is a batch by itself.
        mutating func nextLarge() -> (any WriteJob)? {
            lastWasDeferred = !deferredDeletions.isEmpty && (large.isEmpty || !lastWasDeferred)
            if lastWasDeferred { return deferredDeletions.removeFirst() }
            return large.isEmpty ? nil : large.removeFirst()
        }

        /// Whether few jobs arrived in the last period, so that waiting for more is worthwhile.
        mutating func isWorthWaiting(_ period: Duration) -> Bool {
            let now = ContinuousClock.now
            if now - periodStart >= period {
                isQuiet = count < lowRate
                (periodStart, count) = (now, 0)
            }
            return isQuiet && (1..<lowRate).contains(jobs.count)
        }
    }

    /// Unchecked is sound: the connection is touched by jobs on `thread` alone.
    private struct Confined: @unchecked Sendable {
        let connection: Connection
    }

    /// `commitDelay`: Milliseconds.
    init(_ connection: consuming sending Connection, commitDelay: Int = 0, observer: (any BatchObserver)?) {
        self.connection = Confined(connection: connection)
        self.commitDelay = .milliseconds(commitDelay)
        self.observer = observer
    }

    func stop() { thread.stop() }

    func perform<R: Sendable>(
        size: JobSize = .small, _ body: @escaping @Sendable (Connection) throws -> R
    ) async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            let job = Job(body: body, continuation: continuation)
            submit { pending in
                switch size {
                case .small: pending.jobs.append(job)
                case .large: pending.large.append(job)
                case .deferredDeletion: pending.deferredDeletions.append(job)
                }
            }
        }
    }

    /// Runs `body` between batches, outside any transaction: for checkpoints and pragmas.
    func performBetweenBatches<R: Sendable>(_ body: @escaping @Sendable (Connection) throws -> R) async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            enqueueBetweenBatches { connection in continuation.resume(with: Result { try body(connection) }) }
        }
    }

    /// The same for a job that reports its own result.
    func enqueueBetweenBatches(_ job: @escaping @Sendable (Connection) -> Void) {
        submit { $0.betweenBatches.append(job) }
    }

    private func submit(_ add: (inout Pending) -> Void) {
        let mustWake = pending.withLock { pending in
            add(&pending)
            defer { pending.isDraining = true }
            return !pending.isDraining
        }
        if mustWake { thread.enqueue { self.drain() } }
    }

    private func drain() {
        while true {
            // Runs before the batch, so that continuous writes cannot starve it, and one at a time, so that a commit waits
            // for at most one.
            let job = pending.withLock { $0.betweenBatches.isEmpty ? nil : $0.betweenBatches.removeFirst() }
            job?(connection.connection)
            if commitDelay > .zero, pending.withLock({ $0.isWorthWaiting(commitDelay) }) {
                usleep(UInt32(commitDelay / .microseconds(1)))
            }
            let (batch, large, isDone) = pending.withLock { pending -> ([any WriteJob], (any WriteJob)?, Bool) in
                let batch = Array(pending.jobs.prefix(Self.maximumBatch))
                pending.jobs.removeFirst(batch.count)
                pending.count += batch.count
                let large = pending.nextLarge()
                pending.isDraining = !batch.isEmpty || large != nil || !pending.isEmpty
                return (batch, large, !pending.isDraining)
            }
            if isDone { return }
            if !batch.isEmpty { commit(batch) }
            if let large { commit([large]) }
        }
    }

    private func commit(_ batch: [any WriteJob]) {
        let database = connection.connection
        do {
            try database.run("BEGIN IMMEDIATE")
            try observer?.batchDidBegin(database)
            for job in batch {
                try run(job, alone: batch.count == 1, on: database)
            }
            try observer?.batchWillCommit(database)
            if let observer {
                try observer.commit { try database.run("COMMIT") }
            } else {
                try database.run("COMMIT")
            }
            for job in batch { job.succeed() }
        } catch {
            database.rollBack()
            observer?.batchDidFail(error)
            for job in batch { job.fail(error) }
        }
    }

    /// Runs one job. Throws only when the whole transaction is lost.
    private func run(_ job: any WriteJob, alone: Bool, on database: Connection) throws {
        // A batch of one needs no savepoint: rolling back the transaction is the same.
        if !alone { try database.run("SAVEPOINT job") }
        observer?.jobWillRun()
        do {
            try job.run(on: database) { try observer?.jobDidRun(database) }
        } catch {
            observer?.jobDidFail()
            if alone || !database.isInTransaction { throw error }
            try database.run("ROLLBACK TO job")
        }
        if !alone { try database.run("RELEASE job") }
    }
}

/// A type-erased job that waits for its commit.
private protocol WriteJob: AnyObject, Sendable {
    /// `check`: Runs after the job; the job fails when it throws.
    func run(on database: Connection, check: () throws -> Void) throws
    /// The batch is on disk. A job whose closure threw resumes with its own error.
    func succeed()
    func fail(_ error: any Error)
}

/// Unchecked is sound: `outcome` is written and read on the writer's thread alone.
private final class Job<R: Sendable>: WriteJob, @unchecked Sendable {
    private let body: @Sendable (Connection) throws -> R
    private let continuation: CheckedContinuation<R, any Error>
    private var outcome: Result<R, any Error>?

    init(
        body: @escaping @Sendable (Connection) throws -> R,
        continuation: CheckedContinuation<R, any Error>
    ) {
        self.body = body
        self.continuation = continuation
    }

    func run(on database: Connection, check: () throws -> Void) throws {
        do {
            outcome = .success(try body(database))
            try check()
        } catch {
            outcome = .failure(error)
            throw error
        }
    }

    func succeed() {
        continuation.resume(with: outcome ?? .failure(CancellationError()))
    }

    func fail(_ error: any Error) {
        if case .failure(let own) = outcome {
            continuation.resume(throwing: own)
        } else {
            continuation.resume(throwing: error)
        }
    }
}
