import ArgumentParser
import Console
import Fleet

/// Reads and changes the inventory.
struct FleetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fleet", abstract: "Read and change the inventory.",
        subcommands: [List.self, Show.self, Add.self, Set.self, Remove.self, Check.self, Nodes.self])

    private static func say(_ remains: [String]) {
        guard !remains.isEmpty else { return }
        Terminal.line("Remaining steps:")
        for sentence in remains { Terminal.line("  \(sentence.printable)") }
    }

    struct InventoryOption: ParsableArguments {
        @Option(help: "The inventory.") var inventory = "nix/fleet.toml"

        var file: InventoryFile { InventoryFile(inventory) }

        func text() throws -> String { try file.text() }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the nodes.")

        @OptionGroup var options: InventoryOption
        @Flag(help: "Print JSON, with the inventory's keys.") var json = false

        func run() throws {
            let inventory = try options.file.read()
            if json { return try Terminal.json(inventory.nodes) }
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
        static let configuration = CommandConfiguration(abstract: "Print a node, and its missing values.")

        @OptionGroup var options: InventoryOption
        @Argument(help: "The node.") var node: String

        func run() throws {
            let inventory = try options.file.read()
            let node = try inventory.node(node)
            for key in Node.CodingKeys.allCases {
                if let value = node.text(key) { Terminal.line("\(key.rawValue) = \(value)".printable) }
            }
            for sentence in inventory.missing(for: node) { Terminal.line("missing: \(sentence)") }
        }
    }

    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add a spoke, by default at the next free address.",
            discussion: "Next steps: clavitor-soc keys generate, and clavitor-soc provision.")

        @OptionGroup var options: InventoryOption
        @Argument(help: "The name: lower-case letters, digits and hyphens.") var name: String
        @Option(help: "The city of the machine.") var city: String
        @Option(help: "The region. Nodes of the same region are not deployed together.") var region: String
        @Option(parsing: .unconditional, help: "The latitude in degrees north.") var latitude: Double
        @Option(parsing: .unconditional, help: "The longitude in degrees east.") var longitude: Double
        @Option(help: "Its DNS name.") var domain: String
        @Option(help: "A provider of the inventory.") var provider: String
        @Option(help: "A tier of the inventory.") var tier: String
        @Option(help: "The address in the WireGuard network. (default: the next free one)") var address: String?
        @Option(help: "The public address, once it is known.") var ipv4 = ""

        func run() throws {
            try options.file.edit { text in
                guard let address = try address ?? Inventory(toml: text.text).freeAddress else {
                    throw CommandFailure("There is no free address for a spoke.", code: 2)
                }
                let node = Node(
                    name: name, city: city, region: region, latitude: latitude, longitude: longitude, domain: domain,
                    provider: provider, tier: tier, address: address, ipv4: ipv4)
                return try text.adding(node)
            }
            let inventory = try options.file.read()
            Terminal.line("\(name) has \(try inventory.node(name).address)")
        }
    }

    struct Set: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Change one value of a node.")

        @OptionGroup var options: InventoryOption
        @Argument(help: "The node.") var node: String
        @Argument(help: "The key, such as host-key.") var key: String
        @Argument(help: "The value.") var value: String

        func run() throws {
            let before = try options.file.read().node(node)
            try options.file.edit { try $0.setting(key, of: node, to: value) }
            let inventory = try options.file.read()
            guard let key = Node.CodingKeys(rawValue: key),
                let now = try? inventory.node(key == .name ? value : node)
            else { return }
            Terminal.line("\(now.name): \(key.rawValue) = \"\(value)\", was \"\(before.text(key) ?? "")\"")
            guard now != before else { return }
            FleetCommand.say(inventory.remains(afterSetting: key, of: before, now: now))
        }
    }

    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove a node from the inventory. The machine itself is not changed.")

        @OptionGroup var options: InventoryOption
        @Argument(help: "The node.") var node: String

        func run() throws {
            let gone = try options.file.read().node(node)
            try options.file.edit { try $0.removing(node) }
            Terminal.line("\(gone.name) is out of the inventory.")
            FleetCommand.say(try options.file.read().remains(of: gone))
        }
    }

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the inventory's problems and missing values. Exits with 1 if there are any.")

        @OptionGroup var options: InventoryOption

        func run() throws {
            let problems = try InventoryProblems.found(in: try options.file.text())
            for problem in problems { Terminal.line(problem.printable) }
            guard problems.isEmpty else { throw ExitCode(1) }
            let inventory = try options.file.read()
            // The hub needs the values of all nodes.
            let missing = inventory.hub.map(inventory.missing) ?? []
            for sentence in missing { Terminal.line("missing: \(sentence)".printable) }
            Terminal.line("\(inventory.nodes.count) nodes, no faults")
            if !missing.isEmpty { throw ExitCode(1) }
        }
    }

    struct Nodes: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the list for `clavitor-node serve --nodes`, as JSON.")

        @OptionGroup var options: InventoryOption

        func run() throws { try Terminal.json(try options.file.read().nodesBody) }
    }
}
