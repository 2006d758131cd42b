import ArgumentParser
import Console
import FoundationEssentials
import Glibc
import Monitor
import ServerRuntime

/// Manages the operators who may sign in.
struct OperatorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "operator", abstract: "Add, list and remove operators, and manage their second factor.",
        subcommands: [Add.self, List.self, Remove.self, TOTPCommand.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add an operator or change a password, which ends all of the operator's sessions.")

        @OptionGroup var options: DataOptions
        @Argument var name: String
        @Option(help: "File with the password in its first line, or - for standard input.") var passwordFile = "-"

        func run() async throws {
            let password = try Self.firstLine(of: passwordFile)
            guard password.count >= 12 else {
                throw Failure("The password must have at least 12 characters, for example five random words.")
            }
            let operators = try Operators(store: options.storeCreatedIfNeeded(), now: wallTime)
            if try await operators.set(name, password: password) {
                print(
                    "The second factor was turned off, because the old password encrypted it. Set it up again: `operator totp \(name)`."
                )
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
            abstract: "Remove an operator; sessions and tokens end at once.")

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
            commandName: "totp", abstract: "Require a code in addition to the password at each sign-in.",
            discussion: """
                Prints a URI for an authenticator app, once, and asks for a code of the app. An operator who has lost the \
                app gets a new one here, or none with --off.
                """)

        @OptionGroup var options: DataOptions
        @Argument var name: String
        @Flag(help: "Turn the second factor off.") var off = false
        @Option(help: "File with the password in its first line, or - for standard input.") var passwordFile = "-"

        func run() async throws {
            let operators = try Operators(store: options.store(), now: wallTime)
            if off { return try await operators.turnOffFactor(of: name) }
            let factor = try await operators.makeFactor(for: name, password: Add.firstLine(of: passwordFile))
            print(factor.uri)
            print("Current code of the app:")
            // A reader through a pipe must see the output before responding.
            fflush(nil)
            try await operators.turnOn(factor, code: readLine() ?? "")
            print("\(name) needs a code at each sign-in from now on.")
        }
    }
}
