import TOMLKit

/// What is wrong with an inventory, as sentences: those of nix/problems.nix, in its order. A test compares the two.
package struct InventoryProblems {
    private let nodes: [InventoryEntry]
    private let operators: [InventoryEntry]
    private let providers: Set<String>
    private let tiers: Set<String>
    private let networkText: String
    private let network: ManagementNetwork
    private let breakGlass: InventoryEntry

    /// Empty when systems may be built of it.
    package static func found(in text: String) throws(InventoryError) -> [String] {
        let root: TOMLTable
        do {
            root = try TOMLTable(string: text)
        } catch let error as TOMLParseError {
            throw .unreadable(error.description)
        } catch {
            throw .unreadable("\(error)")
        }
        guard let fleet = root["fleet"]?.table, let networkText = fleet["network"]?.string else {
            throw .unreadable("it has no [fleet] with a network")
        }
        guard let network = ManagementNetwork(networkText) else {
            return ["fleet.network is \"\(networkText)\"; it must be a /24 such as 10.84.0.0/24"]
        }
        return try InventoryProblems(root, networkText, network).all()
    }

    private init(_ root: TOMLTable, _ networkText: String, _ network: ManagementNetwork) throws(InventoryError) {
        nodes = try Self.entries("node", in: root)
        operators = root["operator"] == nil ? [] : try Self.entries("operator", in: root)
        providers = Set(root["provider"]?.table?.keys ?? [])
        tiers = Set(root["tier"]?.table?.keys ?? [])
        (self.networkText, self.network) = (networkText, network)
        guard let glass = root["break-glass"]?.table else { throw .unreadable("it has no [break-glass]") }
        breakGlass = InventoryEntry(table: glass)
    }

    private static func entries(_ key: String, in root: TOMLTable) throws(InventoryError) -> [InventoryEntry] {
        guard let array = root[key]?.array else { throw .unreadable("it has no [[\(key)]]") }
        var entries: [InventoryEntry] = []
        for value in array {
            guard let table = value.table else { throw .unreadable("[[\(key)]] is no list of tables") }
            entries.append(InventoryEntry(table: table))
        }
        return entries
    }

    private func all() throws(InventoryError) -> [String] {
        // Asked first: the other questions need every key.
        let shapes = nodes.flatMap(shape)
        guard shapes.isEmpty else { return shapes }
        var found: [String] = []
        for key in ["name", "address", "public-key"] { found += try twice(key, nodes + operators) }
        for key in ["domain", "ipv4", "host-key"] { found += try twice(key, nodes) }
        var hubs = 0
        for node in nodes { hubs += try node.text("role") == "hub" ? 1 : 0 }
        if hubs != 1 { found.append("the fleet has \(hubs) hubs; it needs one") }
        for node in nodes { found += try inspect(node) }
        for node in nodes { found += try inspectAddress(node) }
        for entry in operators { found += try inspectOperator(entry) }
        let (key, from) = (try breakGlass.text("ssh-key"), try breakGlass.text("from"))
        if key.isEmpty != from.isEmpty { found.append("break-glass needs a key and an address, or neither") }
        return found
    }

    private func shape(_ node: InventoryEntry) -> [String] {
        let name = node.table["name"]?.string ?? "a node"
        let keys = node.keys
        let missing = Node.CodingKeys.needed.map(\.rawValue).filter { !keys.contains($0) }
        let unknown = keys.filter { Node.CodingKeys(rawValue: $0) == nil }.sorted()
        return missing.map { "\(name) has no \($0)" }
            + unknown.map { "\(name) has an unknown key, \($0)" }
    }

    private func twice(_ key: String, _ entries: [InventoryEntry]) throws(InventoryError) -> [String] {
        var counts: [String: Int] = [:]
        var values: [String] = []
        for entry in entries {
            let value = try entry.text(key)
            guard !value.isEmpty else { continue }
            counts[value, default: 0] += 1
            values.append(value)
        }
        return values.first { counts[$0, default: 0] > 1 }.map { ["\(key) \($0) is there twice"] } ?? []
    }

    private func inspect(_ node: InventoryEntry) throws(InventoryError) -> [String] {
        let (name, domain) = (try node.text("name"), try node.text("domain"))
        let (latitude, longitude) = (try node.number("latitude"), try node.number("longitude"))
        let (provider, tier, role) = (try node.text("provider"), try node.text("tier"), try node.text("role"))
        let (ipv4, hostKey) = (try node.text("ipv4"), try node.text("host-key"))
        let (region, city) = (try node.text("region"), try node.text("city"))
        let isOnEarth = (-90...90).contains(latitude) && (-180...180).contains(longitude)
        let rules: [(isBroken: Bool, sentence: String)] = [
            (!InventoryForms.isName(name), "\"\(name)\" is no name: small letters, digits and hyphens"),
            (!InventoryForms.isDomain(domain), "\(name)'s domain is no DNS name: \"\(domain)\""),
            (region.isEmpty || city.isEmpty, "\(name) needs a city and a region"),
            (!isOnEarth, "\(name) is nowhere on earth"),
            (!providers.contains(provider), "\(name) is with an unknown provider, \(provider)"),
            (!tiers.contains(tier), "\(name) has an unknown tier, \(tier)"),
            (Node.Role(rawValue: role) == nil, "\(name)'s role is hub or spoke, not \(role)"),
            (!ipv4.isEmpty && !InventoryForms.isIPv4(ipv4), "\(name)'s ipv4 is no address: \(ipv4)"),
            (
                !hostKey.isEmpty && !InventoryForms.isHostKey(hostKey),
                "\(name)'s host-key is not of the form ssh-ed25519 …"
            ),
        ]
        return rules.filter(\.isBroken).map(\.sentence) + (try inspectWireGuard(node))
    }

    private func inspectWireGuard(_ peer: InventoryEntry) throws(InventoryError) -> [String] {
        let key = try peer.text("public-key")
        guard !key.isEmpty, !InventoryForms.isWireGuardKey(key) else { return [] }
        return ["\(try peer.text("name"))'s public-key is no WireGuard key"]
    }

    private func inspectAddress(_ node: InventoryEntry) throws(InventoryError) -> [String] {
        let address = try node.text("address")
        let id = network.id(of: address) ?? 0
        let isRight = try node.text("role") == "hub" ? id == 1 : (2...199).contains(id)
        guard !isRight else { return [] }
        return [
            "\(try node.text("name"))'s address is \(address): the hub has .1 of \(networkText), a spoke .2 to .199"
        ]
    }

    private func inspectOperator(_ entry: InventoryEntry) throws(InventoryError) -> [String] {
        let (name, address) = (try entry.text("name"), try entry.text("address"))
        var found: [String] = []
        if !(200...254).contains(network.id(of: address) ?? 0) {
            found.append("operator \(name)'s address is \(address): it is .200 to .254 of \(networkText)")
        }
        if !InventoryForms.isOperatorKey(try entry.text("ssh-key")) {
            found.append("operator \(name)'s ssh-key is no ed25519 key")
        }
        if try entry.text("public-key").isEmpty { found.append("operator \(name) has no WireGuard key") }
        return found + (try inspectWireGuard(entry))
    }
}
