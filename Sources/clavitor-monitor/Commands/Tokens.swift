import ArgumentParser
import FoundationEssentials
import Monitor

/// Manages tokens for tools, such as deployments, Prometheus and `check`.
struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Add, list and end tokens of tools.",
        subcommands: [Add.self, List.self, End.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print a new bearer token, once; it acts as an operator for a year.",
            discussion: "It also ends when the operator's password is changed.")

        @OptionGroup var options: DataOptions
        @Argument(help: "Operator.") var name: String
        @Option(name: .customLong("for"), help: "Tool that uses it, for the list.") var purpose = "a tool"
        @Flag(help: "Create a read-only token, for Prometheus and `check`.") var readOnly = false

        func run() async throws {
            let operators = Operators(store: try options.store(), now: wallTime)
            print(try await operators.makeToken(for: name, purpose: purpose, readsOnly: readOnly))
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List tokens with operator and purpose.")

        @OptionGroup var options: DataOptions

        func run() async throws {
            for token in try await Operators(store: options.store(), now: wallTime).tokens() {
                let end = Date(timeIntervalSince1970: Double(token.expires) / 1_000).formatted(
                    .iso8601.year().month().day())
                print(
                    "\(token.id)  \(token.name)  \(token.readsOnly ? "reads" : "acts ")  until \(end)  \(token.purpose)"
                )
            }
        }
    }

    struct End: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "End a token at once.")

        @OptionGroup var options: DataOptions
        @Argument(help: "Token id of `token list`.") var id: String

        func run() async throws {
            try await Operators(store: options.store(), now: wallTime).endToken(id)
        }
    }
}
