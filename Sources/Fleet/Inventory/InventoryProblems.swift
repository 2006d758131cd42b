import TOMLKit

/// The problems of an inventory, as the sentences of nix/problems.nix, in the same order. A test compares the two.
package struct InventoryProblems {
    private let root: InventoryEntry
    private let nodes: [InventoryEntry]
    private let operators: [InventoryEntry]
    private let networkText: String
    private let network: ManagementNetwork

    /// Empty if systems can be built.
    package static func found(in text: String) throws(InventoryError) -> [String] {
        let root: TOMLTable
        do {
            root = try TOMLTable(string: text)
        } catch let error as TOMLParseError {
            throw .unreadable(error.description)
        } catch {
            throw .unreadable("\(error)")
        }
        guard root.dates.isEmpty else {
            return root.dates.map { "\($0) is a date or a time, which Nix cannot read; it must be in quotes" }
        }
        // Checked first: the other checks need every key.
        let shapes = shapes(root)
        guard shapes.isEmpty else { return shapes }
        let networkText = InventoryEntry(table: root).entry("fleet").text("network")
        guard let network = ManagementNetwork(networkText) else {
            return ["fleet.network is \"\(networkText)\"; it must be a /24 such as 10.84.0.0/24"]
        }
        return InventoryProblems(InventoryEntry(table: root), networkText, network).all()
    }

    private init(_ root: InventoryEntry, _ networkText: String, _ network: ManagementNetwork) {
        (self.root, self.networkText, self.network) = (root, networkText, network)
        (nodes, operators) = (root.entries("node"), root.entries("operator"))
    }

    private static func shapes(_ table: TOMLTable) -> [String] {
        let whole = InventorySchema.inventory.problems(of: table, "the inventory")
        guard whole.isEmpty else { return whole }
        let root = InventoryEntry(table: table)
        func named(_ key: String, _ schema: InventorySchema) -> [String] {
            let tables = root.entry(key)
            return tables.keys.flatMap { schema.problems(of: tables.table[$0], "[\(key).\($0)]") }
        }
        func label(_ entry: InventoryEntry, _ kind: String) -> String {
            let name = entry.text("name")
            return name.isEmpty ? kind : name
        }
        return InventorySchema.fleet.problems(of: table["fleet"], "[fleet]")
            + InventorySchema.breakGlass.problems(of: table["break-glass"], "[break-glass]")
            + (table["backup"].map { InventorySchema.backup.problems(of: $0, "[backup]") } ?? [])
            + (table["notify"].map { InventorySchema.notify.problems(of: $0, "[notify]") } ?? [])
            + named("provider", .provider) + named("tier", .tier)
            + root.entries("node").flatMap { InventorySchema.node.problems(of: $0.table, label($0, "a node")) }
            + root.entries("operator").flatMap { InventorySchema.peer.problems(of: $0.table, label($0, "an operator")) }
            + root.entries("job").flatMap { InventorySchema.job.problems(of: $0.table, label($0, "a job")) }
            + (table["dns"].map { InventorySchema.dns.problems(of: $0, "[dns]") } ?? [])
    }

    private func all() -> [String] {
        var found: [String] = []
        for key in ["name", "address", "public-key"] { found += twice(key, (nodes + operators).map { $0.text(key) }) }
        for key in ["domain", "ipv4", "ipv6", "host-key"] { found += twice(key, nodes.map { $0.text(key) }) }
        found += twice("push-token", (nodes + root.entries("job")).map { $0.text("push-token") })
        let hubs = nodes.count { $0.text("role") == "hub" }
        if hubs != 1 { found.append("the fleet has \(hubs) hubs; it must have one") }
        found += inspectFleet() + inspectNames() + nodes.flatMap(inspect) + nodes.flatMap(inspectAddress)
        found += operators.flatMap(inspectOperator) + DutyProblems(root).all()
        return root.table["dns"] == nil ? found : found + DNSProblems(root.entry("dns"), nodes).all()
    }

    private func inspectFleet() -> [String] {
        let (port, monitor) = (root.entry("fleet").whole("port"), root.entry("fleet").text("monitor"))
        return broken([
            (!(1...65_535).contains(port), "fleet.port is \(port); it must be an integer from 1 to 65535"),
            (!InventoryForms.isDomain(monitor), "fleet.monitor is \"\(monitor)\"; it must be a DNS name"),
        ])
    }

    /// A browser gives the secrets of a node's passkeys to pages of every name below the node's.
    private func inspectNames() -> [String] {
        let names =
            nodes.map { ("\($0.text("name"))'s domain", $0.text("domain")) }
            + [("fleet.monitor", root.entry("fleet").text("monitor"))]
        return names.flatMap { what, name in
            nodes.map { $0.text("domain") }.filter { $0 != name && InventoryForms.isWithin($0, name) }.map { above in
                "\(what) is \(name); it must not be below \(above), whose passkeys a page there could use"
            }
        }
    }

    private func inspect(_ node: InventoryEntry) -> [String] {
        let (name, domain, role) = (node.text("name"), node.text("domain"), node.text("role"))
        let (provider, tier) = (node.text("provider"), node.text("tier"))
        let (ipv4, ipv6, hostKey) = (node.text("ipv4"), node.text("ipv6"), node.text("host-key"))
        let (registration, token) = (node.text("registration"), node.text("push-token"))
        let isOnEarth =
            (-90...90).contains(node.number("latitude")) && (-180...180).contains(node.number("longitude"))
        return broken([
            (!InventoryForms.isName(name), "the name of a node is \"\(name)\"; \(nameRule)"),
            (!InventoryForms.isDomain(domain), "\(name)'s domain is \"\(domain)\"; it must be a DNS name"),
            (node.text("region").isEmpty || node.text("city").isEmpty, "\(name) must have a city and a region"),
            (!isOnEarth, "\(name)'s latitude must be from -90 to 90, its longitude from -180 to 180"),
            (
                !root.entry("provider").keys.contains(provider),
                "\(name)'s provider is \(provider); it must be a key of [provider]"
            ),
            (!root.entry("tier").keys.contains(tier), "\(name)'s tier is \(tier); it must be a key of [tier]"),
            (Node.Role(rawValue: role) == nil, "\(name)'s role is \(role); it must be hub or spoke"),
            (!ipv4.isEmpty && !InventoryForms.isIPv4(ipv4), "\(name)'s ipv4 is \(ipv4); it must be an IPv4 address"),
            (
                isUnreachable(ipv4),
                "\(name)'s ipv4 is \(ipv4); it must be a public address"
            ),
            (
                !ipv6.isEmpty && !InventoryForms.isIPv6(ipv6),
                "\(name)'s ipv6 is \(ipv6); it must be an IPv6 address in lower case"
            ),
            (
                InventoryForms.isIPv6(ipv6) && !InventoryForms.isGlobalIPv6(ipv6) && !isOnOneMachine,
                "\(name)'s ipv6 is \(ipv6); it must be a public address"
            ),
            (
                !ipv6.isEmpty && ipv4.isEmpty,
                "\(name) has an ipv6 and no ipv4; it must have both, for clients without IPv6"
            ),
            (
                !ipv6.isEmpty && role == "hub",
                "\(name) is the hub and has an ipv6; it must have none, because its node and the monitor share ports over IPv4"
            ),
            (
                !token.isEmpty && !InventoryForms.isDigest(token),
                "\(name)'s push-token must be a SHA-256 in hexadecimal"
            ),
            (
                !["", "open", "invite", "closed"].contains(registration),
                "\(name)'s registration is \(registration); it must be open, invite or closed"
            ),
            (
                !hostKey.isEmpty && !InventoryForms.isHostKey(hostKey),
                "\(name)'s host-key must be of the form ssh-ed25519 …"
            ),
        ]) + inspectWireGuard(node)
    }

    /// Whether the fleet's network is loopback, and so are its clients.
    private var isOnOneMachine: Bool { network.prefix.hasPrefix("127.") }

    private func isUnreachable(_ ipv4: String) -> Bool {
        !isOnOneMachine && (InventoryForms.isReservedIPv4(ipv4) || ipv4.hasPrefix("\(network.prefix)."))
    }

    private func inspectWireGuard(_ peer: InventoryEntry) -> [String] {
        let key = peer.text("public-key")
        guard !key.isEmpty, !InventoryForms.isWireGuardKey(key) else { return [] }
        return ["\(peer.text("name"))'s public-key must be a WireGuard key"]
    }

    private func inspectAddress(_ node: InventoryEntry) -> [String] {
        let address = node.text("address")
        let id = network.id(of: address) ?? 0
        let isRight = node.text("role") == "hub" ? id == 1 : (2...199).contains(id)
        guard !isRight else { return [] }
        return [
            "\(node.text("name"))'s address is \(address); it must be .1 of \(networkText) for the hub, .2 to .199 for a spoke"
        ]
    }

    private func inspectOperator(_ entry: InventoryEntry) -> [String] {
        let (name, address, token) = (entry.text("name"), entry.text("address"), entry.text("monitor-token"))
        return broken([
            (
                !(200...254).contains(network.id(of: address) ?? 0),
                "operator \(name)'s address is \(address); it must be .200 to .254 of \(networkText)"
            ),
            (
                !InventoryForms.isOperatorKey(entry.text("ssh-key")),
                "operator \(name)'s ssh-key must be an Ed25519 public key"
            ),
            (entry.text("public-key").isEmpty, "operator \(name) must have a WireGuard key in public-key"),
            (
                !token.isEmpty && !InventoryForms.isDigest(token),
                "operator \(name)'s monitor-token must be a SHA-256 in hexadecimal"
            ),
        ]) + inspectWireGuard(entry)
    }
}

/// The end of a sentence about a name.
let nameRule = "it must be at most 63 lower-case letters, digits and hyphens, a letter first and no hyphen last"

/// Reports the first duplicate value. Empty values are ignored.
func twice(_ what: String, _ values: [String]) -> [String] {
    var counts: [String: Int] = [:]
    for value in values where !value.isEmpty { counts[value, default: 0] += 1 }
    return values.first { counts[$0, default: 0] > 1 }.map { ["\(what) \($0) is used twice; it must be unique"] } ?? []
}

/// The sentences of the violated rules, in order.
func broken(_ rules: [(isBroken: Bool, sentence: String)]) -> [String] {
    rules.filter(\.isBroken).map(\.sentence)
}
