import Console
import Files
import FoundationEssentials
import Glibc

/// Terminal I/O: prompts on the terminal, results on standard output, notes on standard error.
struct Terminal {
    var isOutputInteractive: Bool { isatty(STDOUT_FILENO) == 1 }

    /// - Throws: `CommandFailure` when not all of it could be written.
    func write(_ text: String) throws(CommandFailure) {
        guard StandardStream.write(Array(text.utf8), to: STDOUT_FILENO) else {
            throw CommandFailure(.failed, "Standard output cannot be written: \(SystemCallError.reason()).")
        }
    }

    func line(_ text: String = "") throws(CommandFailure) {
        try write(text + "\n")
    }

    /// Prints a note to standard error.
    func note(_ text: String) {
        StandardStream.write(Array((text + "\n").utf8), to: STDERR_FILENO)
    }

    func json(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try line(String(decoding: try encoder.encode(value), as: UTF8.self))
    }

    /// Prompts for a hidden answer of one line, or of several if `lines` allows it. `otherwise`: The hint when there is no terminal.
    func askHidden(_ question: String, lines: HiddenInput.Lines = .one, otherwise: String) throws -> String {
        do {
            let answer = try ask(question, otherwise: otherwise) { terminal in
                try HiddenInput.ask("\(question): ", lines: lines, on: terminal)
            }
            guard !answer.isEmpty else {
                throw CommandFailure(.usage, "The answer is empty: \(question).", hint: otherwise)
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

    /// Prompts for yes or no. Everything but y and yes means no.
    func confirm(_ question: String, otherwise: String) throws -> Bool {
        let answer = try ask("\(question) [y/N]", otherwise: otherwise).lowercased()
        return answer == "y" || answer == "yes"
    }

    /// Prompts for yes or no, with the answer that an empty line stands for.
    func confirm(_ question: String, preset: Bool, otherwise: String) throws -> Bool {
        let answer = try ask("\(question) [\(preset ? "Y/n" : "y/N")]", otherwise: otherwise).lowercased()
        return answer.isEmpty ? preset : answer == "y" || answer == "yes"
    }

    private func ask(_ question: String, otherwise: String, by read: (Int32) throws -> String?) throws -> String {
        // /dev/tty, because standard input may carry data.
        let terminal = unsafe open("/dev/tty", O_RDWR | O_CLOEXEC)
        guard terminal >= 0 else {
            throw CommandFailure(.usage, "There is no terminal to prompt for: \(question).", hint: otherwise)
        }
        defer { close(terminal) }
        guard let answer = try read(terminal) else { throw CommandFailure(.failed, "There was no answer.") }
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
