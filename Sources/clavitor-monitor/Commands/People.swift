import ArgumentParser
import FoundationEssentials
import Glibc
import Monitor
import Serving

/// Who may sign in.
struct OperatorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "operator", abstract: "Add operators and change their passwords.", subcommands: [Add.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add an operator, or give one another password, which signs them out everywhere.")

        @OptionGroup var options: DataOptions
        @Argument var name: String
        @Option(help: "A file with the password in its first line, or - for standard input.") var passwordFile = "-"

        func run() async throws {
            let password = try Self.firstLine(of: passwordFile)
            guard password.count >= 12 else {
                throw Failure("A password has at least 12 characters; five words from a list make a good one.")
            }
            try await Operators(store: options.store(), now: wallTime).set(name, password: password)
        }

        private static func firstLine(of path: String) throws -> String {
            if path == "-" {
                if isatty(STDIN_FILENO) == 1 {
                    print("Password (it shows as you type; a pipe or --password-file does not):")
                }
                return readLine(strippingNewline: true) ?? ""
            }
            let text = String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
            return String(text.prefix { $0 != "\n" })
        }
    }
}

/// For tools: the SOC's deploys, Prometheus.
struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Print a bearer token that acts as an operator for a year.",
        discussion: "Changing the operator's password ends it.")

    @OptionGroup var options: DataOptions
    @Argument var name: String
    @Flag(help: "A token that changes nothing: for Prometheus, for `check`.") var readOnly = false

    func run() async throws {
        let operators = Operators(store: try options.store(), now: wallTime)
        print(try await operators.makeToken(for: name, readsOnly: readOnly))
    }
}
