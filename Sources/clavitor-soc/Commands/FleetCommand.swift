import ArgumentParser
import Console
import Files
import Fleet

/// The inventory, for people and for other programs.
struct FleetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fleet", abstract: "Read and change the inventory.",
        subcommands: [List.self, Show.self, Add.self, Set.self, Remove.self, Check.self, Nodes.self])

    struct InventoryOption: ParsableArguments {
        @Option(help: "The inventory.") var inventory = "nix/fleet.toml"

        func text() throws -> String { try File.read(inventory, most: 1 << 20) }

        /// Only what is right replaces the file.
        func replace(_ edited: InventoryText) throws {
            let problems = try InventoryProblems.found(in: edited.text)
            guard problems.isEmpty else { throw InventoryError.faulty(problems) }
            try File.replace(inventory, with: edited.text, mode: FileFacts.mode(inventory) ?? 0o644)
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the nodes.")

        @OptionGroup var options: InventoryOption

        func run() throws {
            let inventory = try Inventory(toml: try options.text())
            var table = Table("node", "city", "region", "role", "tier", "$/month", "address", "ipv4", "domain")
            for node in inventory.nodes {
                table.add(
                    node.name, node.city, node.region, node.role.rawValue, node.tier,
                    inventory.tiers[node.tier].map { "\($0.usd)" } ?? "-", node.address,
                    node.ipv4.isEmpty ? "-" : node.ipv4, node.domain)
            }
            Terminal.line(table.text)
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print one node, and what it still lacks.")

        @OptionGroup var options: InventoryOption
        @Argument(help: "The node.") var node: String

        func run() throws {
            let inventory = try Inventory(toml: try options.text())
            let node = try inventory.node(node)
            for key in Node.CodingKeys.allCases {
                if let value = node.text(key) { Terminal.line("\(key.rawValue) = \(value)".printable) }
            }
            for sentence in inventory.missing(for: node) { Terminal.line("missing: \(sentence)") }
        }
    }

    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add a spoke, at the next free address.",
            discussion: "Then: clavitor-soc keys generate, and clavitor-soc provision.")

        @OptionGroup var options: InventoryOption
        @Argument(help: "Small letters, digits and hyphens.") var name: String
        @Option(help: "Where it stands.") var city: String
        @Option(help: "Nodes of a region do not go down together.") var region: String
        @Option(parsing: .unconditional, help: "Degrees north.") var latitude: Double
        @Option(parsing: .unconditional, help: "Degrees east.") var longitude: Double
        @Option(help: "Its DNS name.") var domain: String
        @Option(help: "One of the inventory's.") var provider: String
        @Option(help: "One of the inventory's.") var tier: String
        @Option(help: "In the WireGuard network. (default: the next that is free)") var address: String?
        @Option(help: "The public one, once it is known.") var ipv4 = ""

        func run() throws {
            let text = try options.text()
            let inventory = try Inventory(toml: text)
            guard let address = address ?? inventory.freeAddress else {
                throw CommandFailure("No address of a spoke is free.", code: 2)
            }
            let node = Node(
                name: name, city: city, region: region, latitude: latitude, longitude: longitude, domain: domain,
                provider: provider, tier: tier, address: address, ipv4: ipv4)
            try options.replace(try InventoryText(text).adding(node))
            Terminal.line("\(name) has \(address)")
        }
    }

    struct Set: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Change one value of a node.")

        @OptionGroup var options: InventoryOption
        @Argument(help: "The node.") var node: String
        @Argument(help: "Which, such as host-key.") var key: String
        @Argument(help: "What.") var value: String

        func run() throws {
            try options.replace(try InventoryText(try options.text()).setting(key, of: node, to: value))
        }
    }

    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove a node from the inventory. The machine itself stays as it is.")

        @OptionGroup var options: InventoryOption
        @Argument(help: "The node.") var node: String

        func run() throws {
            try options.replace(try InventoryText(try options.text()).removing(node))
        }
    }

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say what is wrong with the inventory, and what systems still lack. Exits with 1 on a fault.")

        @OptionGroup var options: InventoryOption

        func run() throws {
            let text = try options.text()
            let problems = try InventoryProblems.found(in: text)
            for problem in problems { Terminal.line(problem.printable) }
            guard problems.isEmpty else { throw ExitCode(1) }
            let inventory = try Inventory(toml: text)
            // The hub needs what anybody needs.
            for sentence in inventory.hub.map(inventory.missing) ?? [] { Terminal.line("missing: \(sentence)") }
            Terminal.line("\(inventory.nodes.count) nodes, no faults")
        }
    }

    struct Nodes: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the list that `clavitor-node serve --nodes` takes, as JSON.")

        @OptionGroup var options: InventoryOption

        func run() throws { try Terminal.json(try Inventory(toml: try options.text()).nodesBody) }
    }
}
