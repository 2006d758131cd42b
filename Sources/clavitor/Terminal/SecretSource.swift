import Console
import Glibc
import VaultFormat

/// Reads secrets from prompts, standard input or files; never from arguments, which every process on the machine can read.
final class SecretSource {
    private let terminal: Terminal
    /// The file with the account's current password.
    let passwordFile: String?
    private let takesPasswordFromInput: Bool
    private var isInputTaken = false

    init(terminal: Terminal, passwordFile: String?, takesPasswordFromInput: Bool) {
        self.terminal = terminal
        self.passwordFile = passwordFile
        self.takesPasswordFromInput = takesPasswordFromInput
    }

    /// The account's password.
    func password(for email: String) throws -> String {
        if takesPasswordFromInput { return try inputLine("the password") }
        if let passwordFile { return try Self.file(passwordFile) }
        return try terminal.askHidden(
            "Password of \(email.printable)", otherwise: "Add --password-stdin or --password-file PATH.")
    }

    /// Reads a new password. On a terminal it is entered twice, and again while `refusal` returns a reason.
    func newPassword(file: String?, refusal: (String) -> CommandFailure?) throws -> String {
        if takesPasswordFromInput || file != nil {
            let password = try file.map { try Self.file($0) } ?? inputLine("the new password")
            if let refusal = refusal(password) { throw refusal }
            return password
        }
        let hint = "Add --new-password-file PATH, or --password-stdin."
        while true {
            let password = try terminal.askHidden("New password", otherwise: hint)
            if let refusal = refusal(password) {
                terminal.note(refusal.printed)
            } else if try terminal.askHidden("Repeat password", otherwise: hint) == password {
                return password
            } else {
                terminal.note("The passwords differ.")
            }
        }
    }

    /// A field's secret.
    func secret(_ label: String, from origin: SecretOrigin) throws -> String {
        switch origin {
        case .prompt:
            try terminal.askHidden(
                "Value of \(label.printable)", lines: .several,
                otherwise:
                    "Give it as \(label)=- on standard input, or \(label)=@FILE; an empty one as \(label)=@/dev/null.")
        case .input:
            try inputRest("\(label)")
        case .file(let path):
            try Self.file(path)
        }
    }

    /// Reads a file. Removes the line end of a single line, which editors and `echo` add; keeps several lines, such as a PEM key,
    /// unchanged.
    static func file(_ path: String) throws -> String {
        guard let bytes = try PrivateFile.read(path) else { throw CommandFailure(.usage, "\(path) does not exist.") }
        return try text(bytes, named: path)
    }

    private func inputLine(_ what: String) throws -> String {
        guard let line = Terminal.readLine(from: STDIN_FILENO) else {
            throw CommandFailure(
                .usage, "Standard input has no more lines for \(what).",
                hint: "--password-stdin reads one line per password.")
        }
        return line
    }

    private func inputRest(_ what: String) throws -> String {
        guard !isInputTaken else { throw CommandFailure(.usage, "Standard input can be the value of one field only.") }
        isInputTaken = true
        return try Self.text(try StandardStream.readAll(STDIN_FILENO, named: "Standard input"), named: "Standard input")
    }

    private static func text(_ bytes: [UInt8], named name: String) throws -> String {
        guard let text = String(validating: bytes.withoutEndOfSingleLine, as: UTF8.self) else {
            throw CommandFailure(.usage, "\(name) is not UTF-8 text.")
        }
        return text
    }

    /// Reads an agent or session token. Invalid text is neither sent nor printed.
    static func token(_ path: String) throws -> String {
        let text = String(try file(path).filter { !$0.isWhitespace })
        guard let token = Token(text), token.kind == .agent || token.kind == .session else {
            throw CommandFailure(
                .usage, "\(path.printable) does not contain a valid token.",
                hint: "A token begins with clv_agt_ and has 57 characters. The file must contain nothing else.")
        }
        return text
    }
}

/// The source of an option's secret value: `LABEL`, `LABEL=-`, `LABEL=@FILE`.
enum SecretOrigin: Equatable {
    case prompt
    case input
    case file(String)
}
