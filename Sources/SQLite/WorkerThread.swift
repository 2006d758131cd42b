import Glibc
import Synchronization

/// A thread that runs jobs in order of arrival and sleeps in between.
///
/// SQLite blocks, so it must not run on the cooperative thread pool. A dedicated thread wakes about twice as fast as a
/// Dispatch queue, and with one connection a read waits mainly for that.
@safe
final class WorkerThread: Sendable {
    private let jobs = Mutex<Queue>(Queue())
    // Semaphores are safe to share between threads.
    private nonisolated(unsafe) let wake: UnsafeMutablePointer<sem_t>

    private struct Queue {
        var waiting: [@Sendable () -> Void] = []
        var isStopped = false
    }

    init() {
        let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
        unsafe sem_init(semaphore, 0, 0)
        unsafe wake = unsafe semaphore
        var thread = pthread_t()
        // The thread retains this object until `stop` was called and the last job has run.
        let context = unsafe Unmanaged.passRetained(self).toOpaque()
        let code = unsafe pthread_create(
            &thread, nil,
            { context in
                if let context = unsafe context {
                    unsafe Unmanaged<WorkerThread>.fromOpaque(context).takeRetainedValue().loop()
                }
                return nil
            }, context)
        precondition(code == 0, "pthread_create must succeed")
        pthread_detach(thread)
    }

    deinit {
        unsafe sem_destroy(wake)
        unsafe wake.deallocate()
    }

    /// Adds a job. After `stop` the job is dropped.
    func enqueue(_ job: @escaping @Sendable () -> Void) {
        jobs.withLock { $0.waiting.append(job) }
        unsafe sem_post(wake)
    }

    /// Ends the thread after the waiting jobs have run.
    func stop() {
        jobs.withLock { $0.isStopped = true }
        unsafe sem_post(wake)
    }

    private func loop() {
        while true {
            let (due, isStopped) = jobs.withLock { queue in
                defer { queue.waiting.removeAll(keepingCapacity: true) }
                return (queue.waiting, queue.isStopped)
            }
            for job in due { job() }
            if !due.isEmpty { continue }
            if isStopped { return }
            while unsafe sem_wait(wake) != 0 {}
        }
    }
}
