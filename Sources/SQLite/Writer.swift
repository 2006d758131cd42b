import Glibc
import Synchronization

/// What an owner of the database keeps in step with its transactions, such as the head of a hash chain.
///
/// Every call comes on the writer's thread.
package protocol BatchObserver: Sendable {
    /// A transaction has begun, so nobody else writes: the time to read what another process may have changed.
    func batchDidBegin(_ database: Connection) throws
    /// A job is about to run; `jobDidFail` undoes everything since this call.
    func jobWillRun()
    func jobDidFail()
    /// The last words before COMMIT, once for the whole batch.
    func batchWillCommit(_ database: Connection) throws
    func batchDidCommit()
    /// Nothing of the batch was kept.
    func batchDidFail(_ error: any Error)
}

/// How a job shares the writer with others.
package enum JobSize: Sendable {
    case small
    /// It changes hundreds of rows or more.
    case large
    /// The same, of a deletion that is on record and takes effect already.
    case leftOver
}

/// The one connection that writes. Jobs that arrive while a commit is under way share the next one.
///
/// Group commit: durability costs one fsync per batch, not per job. Each job runs in a savepoint, so one that
/// throws takes back its own changes and nobody else's.
///
/// A job that changes many rows is a batch by itself: what a savepoint could take back lies in memory. Others have a batch
/// between two of them, and what was decided long ago goes before what is decided now every second time at the most.
final class Writer: Sendable {
    private let thread = WorkerThread()
    private let connection: Confined
    private let observer: (any BatchObserver)?
    /// How long a batch waits for more jobs, where few come.
    private let gathering: Duration
    private let pending = Mutex<Pending>(Pending())
    /// Bounds how long the first job of a batch waits for the last, and the size of the WAL frame burst.
    private static let largestBatch = 512
    /// From here on, within the time of gathering, batches fill by themselves.
    private static let fewJobs = 16

    private struct Pending {
        var jobs: [any WriteJob] = []
        var large: [any WriteJob] = []
        var leftOver: [any WriteJob] = []
        var wasLeftOver = false
        /// What runs between batches.
        var alone: [@Sendable (Connection) -> Void] = []
        var isDraining = false
        var begun = ContinuousClock.now
        /// Since then.
        var count = 0
        var isQuiet = true

        var isEmpty: Bool { jobs.isEmpty && large.isEmpty && leftOver.isEmpty && alone.isEmpty }

        /// The next job that is a batch by itself.
        mutating func nextLarge() -> (any WriteJob)? {
            wasLeftOver = !leftOver.isEmpty && (large.isEmpty || !wasLeftOver)
            if wasLeftOver { return leftOver.removeFirst() }
            return large.isEmpty ? nil : large.removeFirst()
        }

        /// Whether few jobs came in the last while, so that more of them are worth waiting for.
        mutating func isWorthWaiting(_ while: Duration) -> Bool {
            let now = ContinuousClock.now
            if now - begun >= `while` {
                isQuiet = count < fewJobs
                (begun, count) = (now, 0)
            }
            return isQuiet && (1..<fewJobs).contains(jobs.count)
        }
    }

    /// Unchecked is sound: the connection is touched by jobs on `thread` alone.
    private struct Confined: @unchecked Sendable {
        let connection: Connection
    }

    /// `gathering`: Milliseconds.
    init(_ connection: consuming sending Connection, gathering: Int = 0, observer: (any BatchObserver)?) {
        self.connection = Confined(connection: connection)
        self.gathering = .milliseconds(gathering)
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
                case .leftOver: pending.leftOver.append(job)
                }
            }
        }
    }

    /// Runs `body` between batches, outside any transaction: for checkpoints and pragmas.
    func performAlone<R: Sendable>(_ body: @escaping @Sendable (Connection) throws -> R) async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            enqueueAlone { connection in continuation.resume(with: Result { try body(connection) }) }
        }
    }

    /// The same for a job that answers whoever waits itself.
    func enqueueAlone(_ job: @escaping @Sendable (Connection) -> Void) { submit { $0.alone.append(job) } }

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
            // Where jobs come without a pause, these would never have their turn behind them. One at a time: what waits to be
            // committed waits for no more.
            let alone = pending.withLock { $0.alone.isEmpty ? nil : $0.alone.removeFirst() }
            alone?(connection.connection)
            if gathering > .zero, pending.withLock({ $0.isWorthWaiting(gathering) }) {
                usleep(UInt32(gathering / .microseconds(1)))
            }
            let (batch, large, isDone) = pending.withLock { pending -> ([any WriteJob], (any WriteJob)?, Bool) in
                let batch = Array(pending.jobs.prefix(Self.largestBatch))
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
            try database.run("COMMIT")
            observer?.batchDidCommit()
            for job in batch { job.succeed() }
        } catch {
            database.rollBack()
            observer?.batchDidFail(error)
            for job in batch { job.fail(error) }
        }
    }

    /// Throws only when the whole transaction is lost.
    private func run(_ job: any WriteJob, alone: Bool, on database: Connection) throws {
        // A batch of one needs no savepoint: rolling back the transaction is the same.
        if !alone { try database.run("SAVEPOINT job") }
        observer?.jobWillRun()
        do {
            try job.run(on: database)
        } catch {
            observer?.jobDidFail()
            if alone || !database.isInTransaction { throw error }
            try database.run("ROLLBACK TO job")
        }
        if !alone { try database.run("RELEASE job") }
    }
}

/// A closure waiting for its commit, its result type erased.
private protocol WriteJob: AnyObject, Sendable {
    func run(on database: Connection) throws
    /// The batch is on disk. A job whose own closure threw gets its own error.
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

    func run(on database: Connection) throws {
        do {
            outcome = .success(try body(database))
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
