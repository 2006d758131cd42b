import Glibc
import Synchronization

/// The first ctrl-C, or the end of the terminal, asks for an end after what is in hand, the second ends the program: nodes look after themselves.
enum Interrupts {
    static var isStopping: Bool { count.load(ordering: .relaxed) > 0 }

    static func begin() {
        for number in [SIGINT, SIGTERM, SIGHUP] {
            signal(number) { _ in
                // Only an atomic and _exit: what POSIX allows in a handler.
                if count.add(1, ordering: .relaxed).oldValue > 0 { _exit(130) }
            }
        }
    }
}

private let count = Atomic<Int>(0)
