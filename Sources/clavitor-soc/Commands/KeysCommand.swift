import ArgumentParser
import Console
import Fleet

/// The nodes' WireGuard keys.
struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "Make, change and show the nodes' WireGuard keys.",
        discussion: """
            Private keys lie in the state directory, encrypted when soc.toml names age-recipients; `secrets push` takes them to \
            the nodes. The inventory has the public ones.
            """,
        subcommands: [Generate.self, Rotate.self, ShowPublic.self])

    struct Generate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make keys for nodes that have none, and write the public ones into the inventory.")

        @OptionGroup var options: OperatorOptions
        @Argument(help: "The nodes; all that have no key when none is named.") var nodes: [String] = []

        func run() async throws {
            let workplace = try Workplace(options)
            let keys = try workplace.keys()
            let keyless = workplace.inventory.nodes.filter(\.publicKey.isEmpty)
            let chosen = nodes.isEmpty ? keyless : try workplace.nodes(nodes)
            for node in chosen {
                // A run that broke off after the key was made left it out of the inventory.
                let made = try await keys.publicKeys(node).present
                let publicKey: String
                if let made, node.publicKey.isEmpty {
                    publicKey = made
                } else {
                    publicKey = try await keys.generate(node)
                }
                try workplace.file.edit { try $0.setting("public-key", of: node.name, to: publicKey) }
                Terminal.line("\(node.name)  \(publicKey)")
            }
            if chosen.isEmpty { Terminal.note("All nodes have keys.") }
        }
    }

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a new key for a node beside the one in use, and say how it gets into use.")

        @OptionGroup var options: OperatorOptions
        @Argument(help: "The node.") var node: String

        func run() async throws {
            let workplace = try Workplace(options)
            let node = try workplace.inventory.node(node)
            let publicKey = try await workplace.keys().rotate(node)
            Terminal.line("\(node.name)  \(publicKey)")
            Terminal.note(
                """
                The tunnel to \(node.name) breaks between the last two of these:
                  clavitor-soc secrets push \(node.name) private.key
                  clavitor-soc ssh \(node.name) -- systemd-run --on-active=10min systemctl restart wireguard-wg0
                  clavitor-soc fleet set \(node.name) public-key \(publicKey)
                  clavitor-soc deploy --limit the hub, within those ten minutes
                """)
        }
    }

    struct ShowPublic: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print public keys, and whether they are in use.")

        @OptionGroup var options: OperatorOptions
        @Argument(help: "Only these nodes.") var nodes: [String] = []

        func run() async throws {
            let workplace = try Workplace(options)
            let keys = try workplace.keys()
            var table = Table("node", "public key", "")
            for node in try workplace.nodes(nodes) {
                let (present, next) = try await keys.publicKeys(node)
                if let present {
                    let isUsed = present == node.publicKey
                    table.add(node.name, present, isUsed ? "in the inventory" : "not in the inventory")
                }
                if let next { table.add(node.name, next, "next, not pushed yet") }
                if present == nil, !node.publicKey.isEmpty { table.add(node.name, node.publicKey, "made elsewhere") }
            }
            Terminal.line(table.text)
        }
    }
}
