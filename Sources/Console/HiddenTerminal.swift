import Glibc

/// A terminal that shows nothing of what is typed, until it is put back.
///
/// Whatever signal ends or stops the program meanwhile finds the terminal put back first; when the program goes on, nothing
/// is shown again.
struct HiddenTerminal {
    private let terminal: Int32

    private static let endings = [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP]
    /// Tell a terminal to mark what is pasted, and not to any more.
    private static let marks: StaticString = "\u{1b}[?2004h"
    private static let noMarks: StaticString = "\u{1b}[?2004l"

    /// Nil for what is no terminal. `question`: What is asked, and again after a stop.
    init?(_ terminal: Int32, asking question: String) {
        var shown = termios()
        guard unsafe tcgetattr(terminal, &shown) == 0 else { return nil }
        self.terminal = terminal
        var hidden = shown
        hidden.c_lflag &= ~tcflag_t(ECHO | ECHONL | ICANON | ISIG | IEXTEN)
        hidden.c_iflag &= ~tcflag_t(ICRNL | INLCR | IGNCR | IXON | ISTRIP)
        unsafe withUnsafeMutableBytes(of: &hidden.c_cc) { unsafe ($0[Int(VMIN)], $0[Int(VTIME)]) = (1, 0) }
        unsafe interrupted.pointee.question.deallocate()
        let bytes = Array(question.utf8)
        let kept = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: bytes.count)
        _ = unsafe kept.initialize(from: bytes)
        unsafe interrupted.pointee = Interrupted(
            terminal: terminal, shown: shown, hidden: hidden, question: UnsafeRawBufferPointer(kept))
    }

    /// False where the terminal refuses.
    func hide() -> Bool {
        for signal in Self.endings { Self.handle(signal) { HiddenTerminal.giveBack($0) } }
        Self.handle(SIGCONT) { _ in
            unsafe interrupted.pointee.isResumed = 1
            HiddenTerminal.takeAgain()
        }
        guard unsafe tcsetattr(terminal, TCSAFLUSH, &interrupted.pointee.hidden) == 0 else { return false }
        Self.write(Self.marks, terminal)
        Self.ask()
        return true
    }

    func restore() {
        Self.putBack()
        for signal in Self.endings + [SIGCONT] { Glibc.signal(signal, SIG_DFL) }
    }

    /// What the person sees of Enter.
    func endLine() { Self.write("\n", terminal) }

    /// What a key would have done, to all who share the terminal with us.
    func raise(_ signal: Int32) {
        Self.putBack()
        Glibc.signal(signal, SIG_IGN)
        kill(0, signal)
        Glibc.signal(signal, SIG_DFL)
        // To this very thread, which is stopped or ended before it goes on. A thread of a pool holds signals back.
        var one = sigset_t()
        unsafe sigemptyset(&one)
        unsafe sigaddset(&one, signal)
        unsafe pthread_sigmask(SIG_UNBLOCK, &one, nil)
        Glibc.raise(signal)
        // Back again, or there is nobody who could continue us and we were never stopped.
        guard unsafe interrupted.pointee.isResumed == 0 else { return }
        Self.takeAgain()
    }

    /// Whether the question was asked again: what was typed before is to be forgotten.
    func wasResumed() -> Bool {
        defer { unsafe interrupted.pointee.isResumed = 0 }
        return unsafe interrupted.pointee.isResumed != 0
    }

    private static func handle(_ signal: Int32, _ handler: @escaping @convention(c) (Int32) -> Void) {
        var action = sigaction()
        unsafe action.__sigaction_handler.sa_handler = handler
        action.sa_flags = SA_RESTART
        unsafe sigaction(signal, &action, nil)
    }

    // From here on only calls that POSIX allows in a signal handler: tcsetattr, write, sigaction, raise.

    /// With what is still waiting thrown away: it was for the question, not for the shell.
    private static func putBack() {
        let terminal = unsafe interrupted.pointee.terminal
        write(noMarks, terminal)
        unsafe tcsetattr(terminal, TCSAFLUSH, &interrupted.pointee.shown)
    }

    private static func giveBack(_ number: Int32) {
        putBack()
        Glibc.signal(number, SIG_DFL)
        // Comes when this handler ends, which is when the signal is no longer held back.
        Glibc.raise(number)
    }

    private static func takeAgain() {
        unsafe tcsetattr(interrupted.pointee.terminal, TCSANOW, &interrupted.pointee.hidden)
        write(marks, unsafe interrupted.pointee.terminal)
        handle(SIGTSTP) { HiddenTerminal.giveBack($0) }
        ask()
    }

    private static func ask() {
        let (terminal, question) = unsafe (interrupted.pointee.terminal, interrupted.pointee.question)
        _ = unsafe Glibc.write(terminal, question.baseAddress, question.count)
    }

    private static func write(_ text: StaticString, _ terminal: Int32) {
        _ = unsafe Glibc.write(terminal, text.utf8Start, text.utf8CodeUnitCount)
    }
}

@unsafe private struct Interrupted {
    var terminal: Int32 = -1
    var shown = termios()
    var hidden = termios()
    var question = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
    var isResumed: Int32 = 0
}

/// What a signal handler, which can capture nothing, has to put back. Written before the handler is installed, in the
/// one thread that prompts.
nonisolated(unsafe) private let interrupted: UnsafeMutablePointer<Interrupted> = {
    let pointer = UnsafeMutablePointer<Interrupted>.allocate(capacity: 1)
    unsafe pointer.initialize(to: Interrupted())
    return unsafe pointer
}()
