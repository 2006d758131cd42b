import Glibc

/// Typing that nobody sees. Leaves the terminal as it was: at the end, on an error and when a signal ends the program
/// meanwhile.
package enum HiddenInput {
    package struct NotHidden: Error, CustomStringConvertible {
        package let description = "The terminal cannot be kept from showing what is typed."
    }

    private static let endings = [SIGINT, SIGTERM, SIGHUP, SIGQUIT]

    /// Nothing that is typed while `read` runs is shown.
    ///
    /// - Throws: `NotHidden`, or what `read` throws.
    package static func on<Answer>(_ terminal: Int32, _ read: () throws -> Answer) throws -> Answer {
        var shown = termios()
        guard unsafe tcgetattr(terminal, &shown) == 0 else {
            throw NotHidden()
        }
        unsafe interrupted.pointee = (terminal, shown)
        for signal in endings {
            Glibc.signal(signal) { number in
                // Only calls that POSIX allows here: tcsetattr, signal, raise.
                unsafe tcsetattr(interrupted.pointee.terminal, TCSANOW, &interrupted.pointee.shown)
                Glibc.signal(number, SIG_DFL)
                raise(number)
            }
        }
        defer {
            unsafe tcsetattr(terminal, TCSANOW, &shown)
            for signal in endings { Glibc.signal(signal, SIG_DFL) }
        }
        var hidden = shown
        hidden.c_lflag &= ~tcflag_t(ECHO)
        hidden.c_lflag |= tcflag_t(ICANON | ECHONL)
        guard unsafe tcsetattr(terminal, TCSAFLUSH, &hidden) == 0 else {
            throw NotHidden()
        }
        return try read()
    }
}

/// What a signal handler, which can capture nothing, has to put back. Written before the handler is installed, in the
/// one thread that prompts.
nonisolated(unsafe) private let interrupted: UnsafeMutablePointer<(terminal: Int32, shown: termios)> = {
    let pointer = UnsafeMutablePointer<(terminal: Int32, shown: termios)>.allocate(capacity: 1)
    unsafe pointer.initialize(to: (-1, termios()))
    return unsafe pointer
}()
