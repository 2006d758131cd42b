import ArgumentParser
import FoundationEssentials
import Monitor

/// For tools: the SOC's deploys, Prometheus, `check`.
struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Add, list and end the tokens of tools.",
        subcommands: [Add.self, List.self, End.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print a bearer token that acts as an operator for a year, once.",
            discussion: "It ends as well when the operator's password is changed.")

        @OptionGroup var options: DataOptions
        @Argument(help: "The operator.") var name: String
        @Option(name: .customLong("for"), help: "Which tool has it: for the list.") var purpose = "a tool"
        @Flag(help: "A token that changes nothing: for Prometheus, for `check`.") var readOnly = false

        func run() async throws {
            let operators = Operators(store: try options.store(), now: wallTime)
            print(try await operators.makeToken(for: name, purpose: purpose, readsOnly: readOnly))
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the tokens: whose they are, and what for.")

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
        @Argument(help: "As `token list` shows it.") var id: String

        func run() async throws {
            try await Operators(store: options.store(), now: wallTime).endToken(id)
        }
    }
}
