import Console
import FoundationEssentials
import Glibc

/// The person at the machine: questions go to the terminal, answers of the program to standard output, and what is
/// only said along the way to standard error.
struct Terminal {
    var isOutputInteractive: Bool { isatty(STDOUT_FILENO) == 1 }

    /// - Throws: `CommandFailure` when not all of it could be written.
    func write(_ text: String) throws(CommandFailure) {
        guard StandardStream.write(Array(text.utf8), to: STDOUT_FILENO) else {
            let reason = unsafe String(cString: strerror(errno))
            throw CommandFailure(.failed, "Standard output cannot be written: \(reason).")
        }
    }

    func line(_ text: String = "") throws(CommandFailure) {
        try write(text + "\n")
    }

    /// Beside the result: to standard error.
    func note(_ text: String) {
        StandardStream.write(Array((text + "\n").utf8), to: STDERR_FILENO)
    }

    func json(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try line(String(decoding: try encoder.encode(value), as: UTF8.self))
    }

    /// Asks without showing the answer, which is in one line unless it may have several; `otherwise` says how to answer where
    /// there is no terminal.
    func askHidden(_ question: String, lines: HiddenInput.Lines = .one, otherwise: String) throws -> String {
        do {
            let answer = try ask(question, otherwise: otherwise) { terminal in
                try HiddenInput.ask("\(question): ", lines: lines, on: terminal)
            }
            guard !answer.isEmpty else {
                throw CommandFailure(.usage, "Nothing was typed for: \(question).", hint: otherwise)
            }
            return answer
        } catch let problem as HiddenInput.InputError {
            throw CommandFailure(.usage, problem.description, hint: otherwise)
        }
    }

    func ask(_ question: String, otherwise: String) throws -> String {
        try ask(question, otherwise: otherwise) { terminal in
            StandardStream.write(Array("\(question): ".utf8), to: terminal)
            return Self.readLine(from: terminal)
        }
    }

    /// Yes or no; anything but a yes is a no.
    func confirm(_ question: String, otherwise: String) throws -> Bool {
        let answer = try ask("\(question) [y/N]", otherwise: otherwise).lowercased()
        return answer == "y" || answer == "yes"
    }

    private func ask(_ question: String, otherwise: String, by read: (Int32) throws -> String?) throws -> String {
        // The terminal itself, so that standard input can carry something else.
        let terminal = unsafe open("/dev/tty", O_RDWR | O_CLOEXEC)
        guard terminal >= 0 else {
            throw CommandFailure(.usage, "There is no terminal to ask for: \(question).", hint: otherwise)
        }
        defer { close(terminal) }
        guard let answer = try read(terminal) else { throw CommandFailure(.failed, "Nothing was answered.") }
        return answer
    }

    /// The next line without its end; nil at the end of input. Takes no byte beyond the line.
    static func readLine(from descriptor: Int32) -> String? {
        var bytes: [UInt8] = []
        while let byte = StandardStream.read(descriptor, upTo: 1)?.first {
            if byte == UInt8(ascii: "\n") { return String(decoding: bytes.droppingCarriageReturn, as: UTF8.self) }
            bytes.append(byte)
        }
        return bytes.isEmpty ? nil : String(decoding: bytes.droppingCarriageReturn, as: UTF8.self)
    }
}

extension [UInt8] {
    fileprivate var droppingCarriageReturn: [UInt8] { last == UInt8(ascii: "\r") ? dropLast() : self }
}
