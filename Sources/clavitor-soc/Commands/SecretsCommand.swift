import ArgumentParser
import Console
import Files
import Fleet
import Glibc

/// The nodes' secrets.
struct SecretsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "secrets", abstract: "Store the nodes' secrets, encrypted, and install them on the nodes.",
        discussion: """
            The secrets are push-url, root.key and monitor-ca.pem, and on the hub also monitor.crt, monitor.key, dead-man-url and \
            channel-NAME-PART for each secret part of a channel. They are never printed.
            """,
        subcommands: [Generate.self, Set.self, List.self, Push.self])

    struct Generate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Generate the WireGuard and root keys, push URLs and the monitor's certificate.",
            discussion: """
                Existing secrets are kept. --anew replaces push URLs and certificates after a break-in, never a root key, which \
                decrypts existing vaults. Next steps: clavitor-soc deploy, and secrets push.
                """)

        @OptionGroup var options: OperatorOptions
        @Argument(help: "The nodes. (default: all)") var nodes: [String] = []
        @Option(help: "The directory with the static binaries.") var dist = "dist"
        @Option(parsing: .upToNextOption, help: "Replace these: push-url, monitor.crt.") var anew: [String] = []

        func run() async throws {
            let context = try OperatorContext(options)
            let maker = try context.secretMaker(dist: dist)
            for node in try context.nodes(nodes) {
                if node.publicKey.isEmpty {
                    _ = try await context.makeFirstKey(of: node)
                    Terminal.line("\(node.name)  private.key")
                }
                for secret in try await maker.make(for: node, anew: try anew.map { try NodeSecret(name: $0) }) {
                    Terminal.line("\(node.name)  \(secret.name)")
                }
            }
        }
    }

    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Read a secret from standard input, or from a prompt on a terminal, and store it.",
            discussion: "It is not an argument, because every process on the machine can read arguments.")

        @OptionGroup var options: OperatorOptions
        @Argument(help: "The node.") var node: String
        @Argument(help: "The secret, such as push-url.") var name: String

        func run() async throws {
            let context = try OperatorContext(options)
            let node = try context.inventory.node(node)
            let secret = try NodeSecret(name: name)
            try await context.secrets().set(secret, of: node, to: try Self.input(name))
            Terminal.note("\(name) of \(node.name) is set. To install it: clavitor-soc secrets push \(node.name)")
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
        static let configuration = CommandConfiguration(
            abstract: "Print which secrets are set, and since when.")

        @OptionGroup var options: OperatorOptions
        @Argument(help: "Only these nodes. (default: all)") var nodes: [String] = []

        func run() throws {
            let context = try OperatorContext(options)
            let secrets = try context.secrets()
            var table = Table("node", "secret", "set")
            for node in try context.nodes(nodes) {
                for secret in try secrets.list(node) { table.add(node.name, secret.name, secret.isSet) }
            }
            Terminal.line(table.text)
        }
    }

    struct Push: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Install secrets on a node.",
            discussion: "Programs read secrets at start: restart the unit, or deploy.")

        @OptionGroup var options: OperatorOptions
        @Argument(help: "The node.") var node: String
        @Argument(help: "Only these secrets. (default: all that are set)") var names: [String] = []

        func run() async throws {
            let context = try OperatorContext(options)
            let node = try context.inventory.node(node)
            let secrets = try context.secrets()
            let named = try names.map { try NodeSecret(name: $0) }
            let pushed = try await secrets.push(
                named.isEmpty ? nil : named, to: node, NodeShell(try context.ssh, node))
            for secret in pushed { Terminal.line("\(node.name):\(secret.folder)/\(secret.name)") }
        }
    }
}

extension OperatorContext {
    /// Encrypted with age if soc.toml has recipients.
    private var age: AgeProgram? {
        get throws {
            guard let recipients = settings.ageRecipients, !recipients.isEmpty else { return nil }
            return try AgeProgram(recipients: recipients, identity: settings.ageIdentity, processes: processes)
        }
    }

    func keys() throws -> KeyStore { KeyStore(try LocalSecretStore("\(state)/keys", age: try age)) }

    func secrets() throws -> SecretStore { SecretStore("\(state)/secrets", age: try age, keys: try keys()) }
}
