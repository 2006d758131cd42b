import Glibc

/// Typing and pasting that nobody sees, on a terminal that neither edits, cuts nor interprets it.
///
/// What is pasted is one answer, whatever its lines: with the terminal's own marks around it, and from a terminal without
/// them as far as it is there at once. Leaves the terminal as it was, with nothing waiting for the shell: at the end, on an
/// error, and when a signal stops or ends the program meanwhile.
package enum HiddenInput {
    package enum Problem: Error, Equatable, CustomStringConvertible {
        case notHidden, tooLong, notText, severalLines

        package var description: String {
            switch self {
            case .notHidden: "The terminal cannot be kept from showing what is typed."
            case .tooLong: "More than \(TypedText.most / 1024) kB were typed. Nothing was taken."
            case .notText: "What was typed is not UTF-8 text. Nothing was taken."
            case .severalLines: "Several lines were pasted where one is asked for. Nothing was taken."
            }
        }
    }

    /// Milliseconds in which the next part of a paste without marks arrives.
    private static let pause: Int32 = 100

    package enum Lines { case one, several }

    /// Asks, and gives the answer; nil where the terminal is gone or ctrl-D is pressed before anything else.
    ///
    /// Of one line the end, which may have been pasted with it, is no part; several are given byte for byte.
    ///
    /// - Throws: `Problem`.
    package static func ask(
        _ question: String, lines: Lines = .one, on terminal: Int32
    ) throws(Problem) -> String? {
        guard let hidden = HiddenTerminal(terminal, asking: question) else { throw .notHidden }
        defer { hidden.restore() }
        guard hidden.hide() else { throw .notHidden }
        let bytes = try read(terminal, hidden)
        hidden.endLine()
        guard let bytes else { return nil }
        guard let text = String(validating: bytes.withoutEndOfSingleLine, as: UTF8.self) else { throw .notText }
        guard lines == .several || !text.utf8.contains(UInt8(ascii: "\n")) else { throw .severalLines }
        return text
    }

    private static func read(_ terminal: Int32, _ hidden: HiddenTerminal) throws(Problem) -> [UInt8]? {
        var typed = TypedText()
        while true {
            // Part of the same burst as what came before.
            let wasWaiting = isWaiting(terminal, 0)
            guard let byte = next(terminal) else { return nil }
            if hidden.wasResumed() { typed = TypedText() }
            var step = typed.take(byte)
            if step == .enter {
                let goesOn = !typed.hasMarks && isWaiting(terminal, pause)
                // Of a paste of several lines the last end belongs to it; of one line, Enter is only the end.
                if goesOn || wasWaiting && !typed.hasMarks && typed.bytes.contains(10) { step = typed.goOnAfterEnter() }
                if step != .tooLong, !goesOn { return typed.bytes }
            }
            switch step {
            case .more, .enter: continue
            case .end: return typed.bytes.isEmpty ? nil : typed.bytes
            case .interrupt: hidden.raise(SIGINT)
            case .quit: hidden.raise(SIGQUIT)
            case .suspend:
                hidden.raise(SIGTSTP)
                typed = TypedText()
            case .tooLong:
                while isWaiting(terminal, pause), next(terminal) != nil {}
                throw .tooLong
            }
        }
    }

    private static func isWaiting(_ terminal: Int32, _ milliseconds: Int32) -> Bool {
        var waited = pollfd(fd: terminal, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&waited, 1, milliseconds) == 1 && waited.revents & Int16(POLLIN) != 0
    }

    private static func next(_ terminal: Int32) -> UInt8? {
        var byte: UInt8 = 0
        var count = 0
        repeat { count = unsafe Glibc.read(terminal, &byte, 1) } while count < 0 && errno == EINTR
        return count == 1 ? byte : nil
    }
}
