import ArgumentParser
import Console
import Fleet

/// The nodes' WireGuard keys.
struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "Generate, change and print the nodes' WireGuard keys.",
        discussion: """
            Private keys are stored in the state directory, encrypted if soc.toml has age-recipients; `secrets push` installs \
            them on the nodes. Public keys are in the inventory.
            """,
        subcommands: [Generate.self, Rotate.self, Replace.self, ShowPublic.self])

    struct Generate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Generate keys for nodes without one, and write the public keys to the inventory.")

        @OptionGroup var options: OperatorOptions
        @Argument(help: "The nodes. (default: all without a key)") var nodes: [String] = []

        func run() async throws {
            let context = try OperatorContext(options)
            let keys = try context.keys()
            let keyless = context.inventory.nodes.filter(\.publicKey.isEmpty)
            let chosen = nodes.isEmpty ? keyless : try context.nodes(nodes)
            // All nodes are checked before any is changed.
            var first: [(Node, KeyStore.FirstKey)] = []
            for node in chosen { first.append((node, try await keys.firstKey(of: node))) }
            for (node, key) in first {
                let publicKey = try await context.makeFirstKey(of: node)
                Terminal.line("\(node.name)  \(publicKey)")
                if case .reused = key { Terminal.note(Self.reuseNotice(node.name)) }
            }
            if chosen.isEmpty { Terminal.note("All nodes have keys.") }
        }

        private static func reuseNotice(_ node: String) -> String {
            """
            The stored key of \(node) is reused, with the secrets in secrets/\(node) of the state directory. If an earlier \
            machine of that name was compromised: clavitor-soc keys replace \(node).
            """
        }
    }

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Change a spoke's key, over the tunnel that uses it.",
            discussion: """
                The spoke tries the new key for a minute and a half, and restores the old one if the hub does not respond. If the \
                command was interrupted, run it again.
                """)

        @OptionGroup var options: OperatorOptions
        @Argument(help: "The node.") var node: String

        func run() async throws {
            let context = try OperatorContext(options)
            let node = try context.inventory.node(node)
            let rotation = try KeyRotation(
                node, try context.ssh, try context.keys(), context.paths, clock: ContinuousClock())
            let publicKey = try await rotation.run {
                Terminal.note("… \($0)")
            } adopt: { publicKey in
                try context.file.edit { try $0.setting("public-key", of: node.name, to: publicKey) }
            }
            Terminal.line("\(node.name)  \(publicKey)")
            let hub = context.inventory.hub?.name ?? ""
            Terminal.note(
                "The hub loses the key at a restart. Make it permanent: clavitor-soc deploy --limit \(hub)")
        }
    }

    struct Replace: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Generate a new key for a new machine; the old one is rejected at once.",
            discussion: """
                After a break-in, or for a decommissioned machine. The old key is removed from the hub now, and permanently with \
                its next deploy; the host key is removed from the inventory. --secrets also replaces the push URL. `provision` \
                installs the new key on the new machine; the old machine never gets it.
                """)

        @OptionGroup var options: OperatorOptions
        @Argument(help: "The node.") var node: String
        @Flag(help: "Also replace the push URL and, for the hub, the monitor's certificate.") var secrets = false
        @Option(help: "The directory with the static binaries.") var dist = "dist"

        func run() async throws {
            let context = try OperatorContext(options)
            let node = try context.inventory.node(node)
            let (publicKey, hubFailure) = try await KeyReplacement(node, try context.keys()).run(
                node.role == .hub ? nil : try context.ssh, context.paths
            ) { publicKey in
                try context.file.edit {
                    try $0.setting("public-key", of: node.name, to: publicKey).setting(
                        "host-key", of: node.name, to: "")
                }
            }
            Terminal.line("\(node.name)  \(publicKey)")
            if secrets {
                let maker = try context.secretMaker(dist: dist)
                let anew: [NodeSecret] = [.pushURL] + (node.role == .hub ? [.monitorCertificate] : [])
                for secret in try await maker.make(for: try context.file.read().node(node.name), anew: anew) {
                    Terminal.line("\(node.name)  \(secret.name)")
                }
            }
            if let hubFailure {
                throw CommandFailure(
                    "The key was generated, but the hub still accepts the old one: \(hubFailure). Run this again, or deploy the hub."
                )
            }
            let next =
                node.role == .hub
                ? "clavitor-soc provision \(node.name) --restart …"
                : "clavitor-soc deploy --limit \(context.inventory.hub?.name ?? "")"
            Terminal.note("To reject the old key permanently: \(next)")
        }
    }

    struct ShowPublic: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print public keys, and whether they are in use.")

        @OptionGroup var options: OperatorOptions
        @Argument(help: "Only these nodes. (default: all)") var nodes: [String] = []

        func run() async throws {
            let context = try OperatorContext(options)
            let keys = try context.keys()
            var table = Table("node", "public key", "")
            for node in try context.nodes(nodes) {
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
