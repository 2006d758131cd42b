import ArgumentParser
import Console
import FoundationEssentials
import Glibc
import Monitor
import Serving

/// Who may sign in.
struct OperatorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "operator", abstract: "Add, list and remove operators.",
        subcommands: [Add.self, List.self, Remove.self])

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
            try await Operators(store: options.storeMadeIfNeeded(), now: wallTime).set(name, password: password)
        }

        private static func firstLine(of path: String) throws -> String {
            if path == "-" {
                guard isatty(STDIN_FILENO) == 1 else { return readLine() ?? "" }
                return try HiddenInput.ask("Password: ", on: STDIN_FILENO) ?? ""
            }
            let text = String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
            return String(text.prefix { $0 != "\n" })
        }
    }
}

extension OperatorCommand {
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the operators.")

        @OptionGroup var options: DataOptions

        func run() async throws {
            for name in try await Operators(store: options.store(), now: wallTime).names() { print(name) }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove an operator, whose sessions and tokens end at once.")

        @OptionGroup var options: DataOptions
        @Argument var name: String

        func run() async throws {
            try await Operators(store: options.store(), now: wallTime).remove(name)
        }
    }
}
