import CProcess
import Glibc
import Synchronization

/// Forwards signals to the child while it runs.
///
/// Signals of the terminal (Ctrl-C, Ctrl-\, a changed size) reach the child directly, because it is in the same process group:
/// only signals of other processes are forwarded. A signal that was ignored at the start stays ignored. Job control signals
/// are left to the terminal and the shell.
enum ForwardedSignals {
    private static let signals = [
        SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGWINCH, SIGIO, SIGPWR,
        SIGXCPU,
        SIGXFSZ, SIGSTKFLT, SIGURG,
    ]

    /// Installs the handlers. A signal that arrives before the child exists is forwarded when it does.
    static func begin() {
        // Initialized before a handler can use them.
        child.store(0, ordering: .relaxed)
        waiting.store(0, ordering: .relaxed)
        for signal in signals {
            if signal_is_ignored(signal) == 1 { continue }
            var action = sigaction()
            unsafe action.__sigaction_handler.sa_sigaction = { number, information, _ in
                // Async-signal-safe: atomics and kill only.
                let isFromTerminal = unsafe information?.pointee.si_code == fromKernel
                if isFromTerminal { return }
                let process = child.load(ordering: .relaxed)
                if process > 0 { kill(process, number) } else { waiting.store(number, ordering: .relaxed) }
            }
            action.sa_flags = SA_SIGINFO | SA_RESTART
            unsafe sigaction(signal, &action, nil)
        }
    }

    static func send(to process: Int32) {
        child.store(process, ordering: .relaxed)
        let signal = waiting.exchange(0, ordering: .relaxed)
        if signal > 0 { kill(process, signal) }
    }

    static func end() {
        child.store(0, ordering: .relaxed)
    }
}

/// The `si_code` of signals that the kernel sends, such as for a key on the terminal.
private let fromKernel: Int32 = 0x80

private let child = Atomic<Int32>(0)
private let waiting = Atomic<Int32>(0)
