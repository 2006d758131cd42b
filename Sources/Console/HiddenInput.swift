import Glibc

/// Reads typed or pasted input with echo off, on a terminal that neither edits, truncates nor interprets it.
///
/// A paste is one input, however many lines it has: with bracketed paste as marked by the terminal, without it as far as
/// the bytes arrive at once. Restores the terminal and discards unread input (so that the shell does not get it): at the
/// end, on an error, and when a signal stops or ends the program meanwhile.
package enum HiddenInput {
    package enum InputError: Error, Equatable, CustomStringConvertible {
        case notHidden, tooLong, notText, severalLines

        package var description: String {
            switch self {
            case .notHidden: "Echo cannot be turned off on this terminal. Nothing was read."
            case .tooLong: "The input must be at most \(InputParser.maximumBytes / 1024) kB. Nothing was read."
            case .notText: "The input must be UTF-8 text. Nothing was read."
            case .severalLines: "The input must be one line, but several were pasted. Nothing was read."
            }
        }
    }

    /// Milliseconds to wait for the next part of a paste without bracketed paste.
    private static let pasteTimeout: Int32 = 100

    package enum Lines { case one, several }

    /// Prompts and returns the input; nil if the terminal is closed or ctrl-D is pressed first.
    ///
    /// A single line is returned without its line ending; several lines are returned byte for byte.
    ///
    /// - Throws: `InputError`.
    package static func ask(
        _ prompt: String, lines: Lines = .one, on terminal: Int32
    ) throws(InputError) -> String? {
        guard let hidden = HiddenTerminal(terminal, prompt: prompt) else { throw .notHidden }
        defer { hidden.restore() }
        guard hidden.hide() else { throw .notHidden }
        let bytes = try read(terminal, hidden)
        hidden.endLine()
        guard let bytes else { return nil }
        guard let text = String(validating: bytes.withoutEndOfSingleLine, as: UTF8.self) else { throw .notText }
        guard lines == .several || !text.utf8.contains(UInt8(ascii: "\n")) else { throw .severalLines }
        return text
    }

    private static func read(_ terminal: Int32, _ hidden: HiddenTerminal) throws(InputError) -> [UInt8]? {
        var parser = InputParser()
        while true {
            // The byte belongs to the same burst as the one before.
            let wasReadable = isReadable(terminal, 0)
            guard let byte = next(terminal) else { return nil }
            if hidden.wasResumed() { parser = InputParser() }
            var event = parser.append(byte)
            if event == .enter {
                let continues = !parser.hasBracketedPaste && isReadable(terminal, pasteTimeout)
                // The last line ending of a paste of several lines belongs to it; after one line, Enter only ends the input.
                if continues || wasReadable && !parser.hasBracketedPaste && parser.bytes.contains(10) {
                    event = parser.appendLineFeed()
                }
                if event != .tooLong, !continues { return parser.bytes }
            }
            switch event {
            case .more, .enter: continue
            case .end: return parser.bytes.isEmpty ? nil : parser.bytes
            case .interrupt: hidden.raise(SIGINT)
            case .quit: hidden.raise(SIGQUIT)
            case .suspend:
                hidden.raise(SIGTSTP)
                parser = InputParser()
            case .tooLong:
                while isReadable(terminal, pasteTimeout), next(terminal) != nil {}
                throw .tooLong
            }
        }
    }

    private static func isReadable(_ terminal: Int32, _ milliseconds: Int32) -> Bool {
        var descriptor = pollfd(fd: terminal, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&descriptor, 1, milliseconds) == 1 && descriptor.revents & Int16(POLLIN) != 0
    }

    private static func next(_ terminal: Int32) -> UInt8? {
        var byte: UInt8 = 0
        var count = 0
        repeat { count = unsafe Glibc.read(terminal, &byte, 1) } while count < 0 && errno == EINTR
        return count == 1 ? byte : nil
    }
}
