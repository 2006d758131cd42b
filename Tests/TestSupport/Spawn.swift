import CSpawn
import Foundation
import Glibc
import Synchronization

/// Starts a program as a shell does: no signal blocked, SIGPIPE not ignored, no open file but the three standard
/// ones.
///
/// Not by Foundation's `Process`: threads of the pool block signals and their children inherit that, and it mistakes the
/// closing of an inherited descriptor (sshd and gdnsd close all) for the program's end.
struct Spawn {
    enum Input {
        case file(String)
        case descriptor(Int32)
    }

    struct Failed: Error { let status: Int32 }

    let program: String
    let arguments: [String]
    var folder: String?
    var environment = ProcessInfo.processInfo.environment
    /// The kernel kills the program when this process ends.
    var endsWithTests = true
    var input = Input.file("/dev/null")
    var output = "/dev/null"
    var errors = "/dev/null"

    func start() throws -> pid_t {
        let (status, id) = StartingThread.run { spawn() }
        guard status == 0 else { throw Failed(status: status) }
        return id
    }

    private func spawn() -> (status: Int32, id: pid_t) {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        switch input {
        case .file(let path): unsafe posix_spawn_file_actions_addopen(&actions, 0, path, O_RDONLY, 0)
        case .descriptor(let descriptor): unsafe posix_spawn_file_actions_adddup2(&actions, descriptor, 0)
        }
        for (descriptor, path) in [(Int32(1), output), (2, errors)] {
            unsafe posix_spawn_file_actions_addopen(
                &actions, descriptor, path, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        }
        // A socket or pipe that another program holds open would not be closed for its peer.
        unsafe spawn_add_close_from(&actions, 3)
        if let folder { unsafe spawn_add_chdir(&actions, folder) }

        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe posix_spawnattr_setsigmask(&attributes, &signals)
        unsafe sigaddset(&signals, SIGPIPE)
        unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        let words = (endsWithTests ? ["/usr/bin/setpriv", "--pdeathsig", "KILL", "--"] : []) + [program] + arguments
        let texts = unsafe words.map { unsafe strdup($0) } + [nil]
        let pairs = environment.map { "\($0)=\($1)" }
        let variables = unsafe pairs.map { unsafe strdup($0) } + [nil]
        defer { unsafe (texts + variables).forEach { unsafe free($0) } }
        var id: pid_t = 0
        let status = unsafe posix_spawn(&id, words[0], &actions, &attributes, texts, variables)
        return (status, id)
    }
}

/// The thread that starts all programs: the kernel kills them (PR_SET_PDEATHSIG) when the thread that started them ends, and
/// a thread of the pool may end at any time.
private enum StartingThread {
    private static let jobs = Mutex<[@Sendable () -> Void]>([])
    private static let signal: DispatchSemaphore = {
        let signal = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            while true {
                signal.wait()
                jobs.withLock { $0.removeFirst() }()
            }
        }
        return signal
    }()

    static func run<Result: Sendable>(_ job: @escaping @Sendable () -> Result) -> Result {
        let (outcome, done) = (Outcome<Result>(), DispatchSemaphore(value: 0))
        jobs.withLock {
            $0.append {
                outcome.value.withLock { $0 = job() }
                done.signal()
            }
        }
        signal.signal()
        done.wait()
        return outcome.value.withLock { $0! }
    }

    private final class Outcome<Result: Sendable>: Sendable {
        let value = Mutex<Result?>(nil)
    }
}
