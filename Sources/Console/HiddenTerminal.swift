import Glibc

/// A terminal with echo off until it is restored.
///
/// A signal that ends or stops the program first restores the terminal; when the program continues, echo is turned off
/// again.
struct HiddenTerminal {
    private let terminal: Int32

    private static let signals = [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP]
    /// Turn bracketed paste on and off.
    private static let bracketedPasteOn: StaticString = "\u{1b}[?2004h"
    private static let bracketedPasteOff: StaticString = "\u{1b}[?2004l"

    /// Nil for a descriptor that is not a terminal. `prompt`: Printed now, and again when the program continues.
    init?(_ terminal: Int32, prompt: String) {
        var shown = termios()
        guard unsafe tcgetattr(terminal, &shown) == 0 else { return nil }
        self.terminal = terminal
        var hidden = shown
        hidden.c_lflag &= ~tcflag_t(ECHO | ECHONL | ICANON | ISIG | IEXTEN)
        hidden.c_iflag &= ~tcflag_t(ICRNL | INLCR | IGNCR | IXON | ISTRIP)
        unsafe withUnsafeMutableBytes(of: &hidden.c_cc) { unsafe ($0[Int(VMIN)], $0[Int(VTIME)]) = (1, 0) }
        unsafe saved.pointee.prompt.deallocate()
        let bytes = Array(prompt.utf8)
        let copy = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: bytes.count)
        _ = unsafe copy.initialize(from: bytes)
        unsafe saved.pointee = SavedState(
            terminal: terminal, shown: shown, hidden: hidden, prompt: UnsafeRawBufferPointer(copy))
    }

    /// Turns echo off and prints the prompt. False if the terminal refuses.
    func hide() -> Bool {
        for signal in Self.signals { Self.handle(signal) { HiddenTerminal.restoreAndRaise($0) } }
        Self.handle(SIGCONT) { _ in
            unsafe saved.pointee.isResumed = 1
            HiddenTerminal.hideAgain()
        }
        guard unsafe tcsetattr(terminal, TCSAFLUSH, &saved.pointee.hidden) == 0 else { return false }
        Self.write(Self.bracketedPasteOn, terminal)
        Self.writePrompt()
        return true
    }

    func restore() {
        Self.restoreAttributes()
        for signal in Self.signals + [SIGCONT] { Glibc.signal(signal, SIG_DFL) }
    }

    /// Prints the line feed that Enter would have echoed.
    func endLine() { Self.write("\n", terminal) }

    /// Sends the signal of a key such as ctrl-C to the whole process group, as the terminal would have done.
    func raise(_ signal: Int32) {
        Self.restoreAttributes()
        Glibc.signal(signal, SIG_IGN)
        kill(0, signal)
        Glibc.signal(signal, SIG_DFL)
        // Raised on this thread, so that it stops or ends here. Threads of a pool block signals.
        var one = sigset_t()
        unsafe sigemptyset(&one)
        unsafe sigaddset(&one, signal)
        unsafe pthread_sigmask(SIG_UNBLOCK, &one, nil)
        Glibc.raise(signal)
        // Reached after SIGCONT, or because an orphaned process group cannot be stopped.
        guard unsafe saved.pointee.isResumed == 0 else { return }
        Self.hideAgain()
    }

    /// Whether the prompt was printed again: input from before must be discarded.
    func wasResumed() -> Bool {
        defer { unsafe saved.pointee.isResumed = 0 }
        return unsafe saved.pointee.isResumed != 0
    }

    private static func handle(_ signal: Int32, _ handler: @escaping @convention(c) (Int32) -> Void) {
        var action = sigaction()
        unsafe action.__sigaction_handler.sa_handler = handler
        action.sa_flags = SA_RESTART
        unsafe sigaction(signal, &action, nil)
    }

    // The functions below use only async-signal-safe calls: tcsetattr, write, sigaction, raise.

    /// Restores the attributes and discards unread input, which was meant for the prompt and not for the shell.
    private static func restoreAttributes() {
        let terminal = unsafe saved.pointee.terminal
        write(bracketedPasteOff, terminal)
        unsafe tcsetattr(terminal, TCSAFLUSH, &saved.pointee.shown)
    }

    private static func restoreAndRaise(_ number: Int32) {
        restoreAttributes()
        Glibc.signal(number, SIG_DFL)
        // Delivered when this handler returns and the signal is unblocked.
        Glibc.raise(number)
    }

    private static func hideAgain() {
        unsafe tcsetattr(saved.pointee.terminal, TCSANOW, &saved.pointee.hidden)
        write(bracketedPasteOn, unsafe saved.pointee.terminal)
        handle(SIGTSTP) { HiddenTerminal.restoreAndRaise($0) }
        writePrompt()
    }

    private static func writePrompt() {
        let (terminal, prompt) = unsafe (saved.pointee.terminal, saved.pointee.prompt)
        _ = unsafe Glibc.write(terminal, prompt.baseAddress, prompt.count)
    }

    private static func write(_ text: StaticString, _ terminal: Int32) {
        _ = unsafe Glibc.write(terminal, text.utf8Start, text.utf8CodeUnitCount)
    }
}

@unsafe private struct SavedState {
    var terminal: Int32 = -1
    var shown = termios()
    var hidden = termios()
    var prompt = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
    var isResumed: Int32 = 0
}

/// The state that a signal handler, which cannot capture anything, restores. Written before the handler is installed, by
/// the only thread that prompts.
nonisolated(unsafe) private let saved: UnsafeMutablePointer<SavedState> = {
    let pointer = UnsafeMutablePointer<SavedState>.allocate(capacity: 1)
    unsafe pointer.initialize(to: SavedState())
    return unsafe pointer
}()
