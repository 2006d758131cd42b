import CProcess
import Glibc
import Synchronization

/// Passes on to the child whatever signal can be passed on, while it runs.
///
/// What the terminal sends (Ctrl-C, Ctrl-\, a changed size) reaches the child by itself, as it is in the same process group:
/// only what another process sent is passed on. A signal that was ignored when this program began stays so. Those that
/// stop and continue are the terminal's and the shell's affair.
enum ForwardedSignals {
    private static let signals = [
        SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGWINCH, SIGIO, SIGPWR,
        SIGXCPU,
        SIGXFSZ, SIGSTKFLT, SIGURG,
    ]

    /// From here on the signals no longer end this program; one that comes before there is a child waits for it.
    static func begin() {
        // Before a handler could be the first to use them.
        child.store(0, ordering: .relaxed)
        waiting.store(0, ordering: .relaxed)
        for signal in signals {
            if signal_is_ignored(signal) == 1 { continue }
            var action = sigaction()
            unsafe action.__sigaction_handler.sa_sigaction = { number, information, _ in
                // Only atomics and kill: what POSIX allows in a handler.
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

/// The `si_code` of what the kernel sends by itself, as for a key on the terminal.
private let fromKernel: Int32 = 0x80

private let child = Atomic<Int32>(0)
private let waiting = Atomic<Int32>(0)
