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
        subcommands: [Generate.self, Rotate.self, Replace.self, ShowPublic.self])

    struct Generate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make keys for nodes that have none, and write the public ones into the inventory.")

        @OptionGroup var options: OperatorOptions
        @Argument(help: "The nodes; all that have no key when none is named.") var nodes: [String] = []

        func run() async throws {
            let context = try OperatorContext(options)
            let keys = try context.keys()
            let keyless = context.inventory.nodes.filter(\.publicKey.isEmpty)
            let chosen = nodes.isEmpty ? keyless : try context.nodes(nodes)
            // All are asked before one is touched.
            var first: [(Node, KeyStore.FirstKey)] = []
            for node in chosen { first.append((node, try await keys.firstKey(of: node))) }
            for (node, key) in first {
                let publicKey = try await context.makeFirstKey(of: node)
                Terminal.line("\(node.name)  \(publicKey)")
                if case .takenUp = key { Terminal.note(Self.takenUp(node.name)) }
            }
            if chosen.isEmpty { Terminal.note("All nodes have keys.") }
        }

        private static func takenUp(_ node: String) -> String {
            """
            The key of \(node) was there already and is taken up again, with the secrets in secrets/\(node) of the state \
            directory. If an earlier machine of that name was broken into: clavitor-soc keys replace \(node).
            """
        }
    }

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give a spoke another key, over the tunnel that it changes.",
            discussion: """
                The spoke tries the new key for a minute and a half, and goes back when the hub does not answer. When it was \
                stopped on the way, run it again.
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
            Terminal.note("The hub has it until it restarts. So that it stays: clavitor-soc deploy --limit \(hub)")
        }
    }

    struct Replace: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make another key for a new machine; the old one is refused at once.",
            discussion: """
                After a break-in, or when a machine is given up: the hub forgets the old key now and keeps to that with its next \
                deploy, and the host key goes out of the inventory. The push URL is made anew with --secrets. The new key goes \
                to the new machine by `provision`, never to the old one.
                """)

        @OptionGroup var options: OperatorOptions
        @Argument(help: "The node.") var node: String
        @Flag(help: "A push URL and, for the hub, a monitor's certificate anew as well.") var secrets = false
        @Option(help: "The folder with the static binaries.") var dist = "dist"

        func run() async throws {
            let context = try OperatorContext(options)
            let node = try context.inventory.node(node)
            let (publicKey, hubSays) = try await KeyReplacement(node, try context.keys()).run(
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
            if let hubSays {
                throw CommandFailure(
                    "The key is made, but the hub still takes the old one: \(hubSays). Run this again, or deploy the hub."
                )
            }
            let next =
                node.role == .hub
                ? "clavitor-soc provision \(node.name) --restart …"
                : "clavitor-soc deploy --limit \(context.inventory.hub?.name ?? "")"
            Terminal.note("So that the old key stays refused: \(next)")
        }
    }

    struct ShowPublic: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print public keys, and whether they are in use.")

        @OptionGroup var options: OperatorOptions
        @Argument(help: "Only these nodes.") var nodes: [String] = []

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
