import Glibc
import Synchronization

/// Handles ctrl-C and the end of the terminal: the first requests a stop after the started nodes, the second exits; the nodes
/// then decide by their own timers.
enum Interrupts {
    static var isStopping: Bool { count.load(ordering: .relaxed) > 0 }

    static func begin() {
        for number in [SIGINT, SIGTERM, SIGHUP] {
            signal(number) { _ in
                // Only an atomic operation and _exit, which are async-signal-safe.
                if count.add(1, ordering: .relaxed).oldValue > 0 { _exit(130) }
            }
        }
    }
}

private let count = Atomic<Int>(0)
