import ArgumentParser
import Console
import Files
import Fleet
import Glibc

/// What nodes must know and nobody else may.
struct SecretsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "secrets", abstract: "Keep the nodes' secrets, encrypted, and take them there.",
        discussion:
            "There are: \(NodeSecret.allCases.map(\.rawValue).joined(separator: ", ")). None is ever shown again.",
        subcommands: [Set.self, List.self, Push.self])

    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take a secret from standard input, or from a prompt on a terminal.",
            discussion: "Never from the command line, where every process of the machine can read it.")

        @OptionGroup var options: OperatorOptions
        @Argument(help: "The node.") var node: String
        @Argument(help: "Which, such as push-url.") var name: String

        func run() async throws {
            let workplace = try Workplace(options)
            let node = try workplace.inventory.node(node)
            let secret = try NodeSecret(name: name)
            try await workplace.secrets().set(secret, of: node, to: try Self.input(name))
            Terminal.note("\(name) of \(node.name) is set. Take it there: clavitor-soc secrets push \(node.name)")
        }

        private static func input(_ name: String) throws -> String {
            if isatty(STDIN_FILENO) == 1 {
                return try HiddenInput.ask("\(name): ", on: STDIN_FILENO) ?? ""
            }
            var lines: [String] = []
            while let line = readLine(strippingNewline: false) { lines.append(line) }
            return lines.joined()
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print which secrets are set, and since when.")

        @OptionGroup var options: OperatorOptions
        @Argument(help: "Only these nodes.") var nodes: [String] = []

        func run() throws {
            let workplace = try Workplace(options)
            let secrets = try workplace.secrets()
            var table = Table("node", "secret", "set")
            for node in try workplace.nodes(nodes) {
                for secret in try secrets.list(node) { table.add(node.name, secret.name, secret.isSet) }
            }
            Terminal.line(table.text)
        }
    }

    struct Push: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write a node's secrets into their files there.",
            discussion: "Programs read them when they start: restart the unit, or deploy.")

        @OptionGroup var options: OperatorOptions
        @Argument(help: "The node.") var node: String
        @Argument(help: "Only these; all that are set when none is named.") var names: [String] = []

        func run() async throws {
            let workplace = try Workplace(options)
            let node = try workplace.inventory.node(node)
            let secrets = try workplace.secrets()
            let named = try names.map { try NodeSecret(name: $0) }
            let pushed = try await secrets.push(
                named.isEmpty ? NodeSecret.allCases : named, to: node, NodeShell(try workplace.ssh, node))
            for secret in pushed { Terminal.line("\(node.name):\(secret.folder)/\(secret.rawValue)") }
        }
    }
}

extension Workplace {
    /// With age when soc.toml names recipients.
    private var age: AgeProgram? {
        get throws {
            guard let recipients = settings.ageRecipients, !recipients.isEmpty else { return nil }
            return try AgeProgram(recipients: recipients, identity: settings.ageIdentity, processes: processes)
        }
    }

    func keys() throws -> KeyStore { KeyStore(try SecretChest("\(state)/keys", age: try age)) }

    func secrets() throws -> SecretStore { SecretStore("\(state)/secrets", age: try age, keys: try keys()) }
}
