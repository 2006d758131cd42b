import ArgumentParser
import Console
import FoundationEssentials
import Glibc
import Monitor
import Serving

/// Who may sign in.
struct OperatorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "operator", abstract: "Add, list and remove operators, and give them a second factor.",
        subcommands: [Add.self, List.self, Remove.self, TOTPCommand.self])

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
            let operators = try Operators(store: options.storeMadeIfNeeded(), now: wallTime)
            if try await operators.set(name, password: password) {
                print("The second factor is off, since the old password was its key: `operator totp \(name)`.")
            }
        }

        static func firstLine(of path: String) throws -> String {
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
            for (name, hasSecondFactor) in try await Operators(store: options.store(), now: wallTime).all() {
                print(hasSecondFactor ? "\(name)  second factor" : name)
            }
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

extension OperatorCommand {
    struct TOTPCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "totp", abstract: "Ask an operator for a code at each sign-in, besides the password.",
            discussion: """
                Prints a URI for an authenticator app, once, and asks for a code that the app makes of it. Who has lost the \
                app gets a new one here, or none with --off.
                """)

        @OptionGroup var options: DataOptions
        @Argument var name: String
        @Flag(help: "The password is enough from now on.") var off = false
        @Option(help: "A file with the password in its first line, or - for standard input.") var passwordFile = "-"

        func run() async throws {
            let operators = try Operators(store: options.store(), now: wallTime)
            if off { return try await operators.turnOffFactor(of: name) }
            let factor = try await operators.makeFactor(for: name, password: Add.firstLine(of: passwordFile))
            print(factor.uri)
            print("A code that the app shows now:")
            // Whoever reads this through a pipe has to have it before he can answer.
            fflush(nil)
            try await operators.turnOn(factor, code: readLine() ?? "")
            print("\(name) is asked for a code from now on.")
        }
    }
}
