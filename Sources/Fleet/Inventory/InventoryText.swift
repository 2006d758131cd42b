/// The inventory's text, for edits that preserve comments and layout.
///
/// After an edit, the text is parsed and compared with the expected inventory. Unsupported syntax, such as a value over
/// several lines, therefore causes an error, never a wrong file.
package struct InventoryText: Equatable, Sendable {
    package let text: String

    package init(_ text: String) {
        self.text = text
    }

    /// Adds an entry after the last one.
    package func adding(_ node: Node) throws -> InventoryText {
        let before = try Inventory(toml: text)
        guard !before.nodes.contains(where: { $0.name == node.name }) else {
            throw InventoryError.alreadyThere(node.name)
        }
        var lines = TOMLLines(text)
        let place = lines.entries("node").last?.upperBound ?? lines.count
        lines.insert([""] + entry(of: node), at: place)
        return try checked(lines, node.name) { $0.nodes.append(node) }
    }

    /// Removes an entry and the comments inside it, but not the comments above it.
    package func removing(_ name: String) throws -> InventoryText {
        _ = try Inventory(toml: text).node(name)
        var lines = TOMLLines(text)
        lines.remove(try place(of: name, in: lines))
        return try checked(lines, name) { $0.nodes.removeAll { $0.name == name } }
    }

    /// Changes a value of a node, and preserves the comment after it.
    package func setting(_ key: String, of name: String, to value: String) throws -> InventoryText {
        guard let codingKey = Node.CodingKeys(rawValue: key) else { throw InventoryError.noSuchKey(key) }
        _ = try Inventory(toml: text).node(name)
        let written = try written(value, for: codingKey)
        var lines = TOMLLines(text)
        let place = try place(of: name, in: lines)
        if !lines.replaceValue(of: key, in: place, with: written) {
            lines.insert(["\(key) = \(written)"], at: place.upperBound)
        }
        return try checked(lines, name) { inventory in
            guard let index = inventory.nodes.firstIndex(where: { $0.name == name }) else { return }
            try inventory.nodes[index].set(codingKey, to: value)
        }
    }

    private func checked(
        _ lines: TOMLLines, _ name: String, _ change: (inout Inventory) throws -> Void
    ) throws -> InventoryText {
        var expected = try Inventory(toml: text)
        try change(&expected)
        guard let made = try? Inventory(toml: lines.text), made == expected else {
            throw InventoryError.notWritten(name)
        }
        return InventoryText(lines.text)
    }

    private func place(of name: String, in lines: TOMLLines) throws -> Range<Int> {
        let quoted = ["\"\(name)\"", "'\(name)'"]
        guard
            let place = lines.entries("node").first(where: { range in
                lines.value(of: "name", in: range).map(quoted.contains) ?? false
            })
        else { throw InventoryError.notWritten(name) }
        return place
    }

    func entry(of node: Node) -> [String] {
        let values: [(Node.CodingKeys, String)] = [
            (.name, TOMLLines.quoted(node.name)), (.city, TOMLLines.quoted(node.city)),
            (.region, TOMLLines.quoted(node.region)),
            (.latitude, "\(node.latitude)"), (.longitude, "\(node.longitude)"),
            (.domain, TOMLLines.quoted(node.domain)), (.provider, TOMLLines.quoted(node.provider)),
            (.tier, TOMLLines.quoted(node.tier)), (.role, TOMLLines.quoted(node.role.rawValue)),
            (.address, TOMLLines.quoted(node.address)), (.ipv4, TOMLLines.quoted(node.ipv4)),
            (.publicKey, TOMLLines.quoted(node.publicKey)), (.hostKey, TOMLLines.quoted(node.hostKey)),
        ]
        return ["[[node]]"] + values.map { "\($0.rawValue) = \($1)" }
    }

    private func written(_ value: String, for key: Node.CodingKeys) throws -> String {
        switch key {
        case .latitude, .longitude:
            return "\(try Node.degrees(value, of: key))"
        case .name, .city, .region, .domain, .provider, .tier, .role, .address, .ipv4, .publicKey, .hostKey, .disk,
            .root, .esp, .registration, .ipv6, .pushToken:
            return TOMLLines.quoted(value)
        }
    }
}

extension Node {
    /// The value as text; nil if it does not exist.
    package func text(_ key: CodingKeys) -> String? {
        switch key {
        case .name: name
        case .city: city
        case .region: region
        case .latitude: "\(latitude)"
        case .longitude: "\(longitude)"
        case .domain: domain
        case .provider: provider
        case .tier: tier
        case .role: role.rawValue
        case .address: address
        case .ipv4: ipv4
        case .publicKey: publicKey
        case .hostKey: hostKey
        case .disk: disk
        case .root: root
        case .esp: esp
        case .registration: registration
        case .ipv6: ipv6
        case .pushToken: pushToken
        }
    }

    fileprivate mutating func set(_ key: CodingKeys, to value: String) throws {
        switch key {
        case .name: name = value
        case .city: city = value
        case .region: region = value
        case .latitude: latitude = try Self.degrees(value, of: key)
        case .longitude: longitude = try Self.degrees(value, of: key)
        case .domain: domain = value
        case .provider: provider = value
        case .tier: tier = value
        case .role:
            guard let role = Role(rawValue: value) else {
                throw InventoryError.unreadable("role is hub or spoke, not \(value)")
            }
            self.role = role
        case .address: address = value
        case .ipv4: ipv4 = value
        case .publicKey: publicKey = value
        case .hostKey: hostKey = value
        case .disk: disk = value
        case .root: root = value
        case .esp: esp = value
        case .registration: registration = value
        case .ipv6: ipv6 = value
        case .pushToken: pushToken = value
        }
    }

    fileprivate static func degrees(_ value: String, of key: CodingKeys) throws -> Double {
        guard let number = Double(value), number.isFinite else {
            throw InventoryError.unreadable("\(key.rawValue) is a number of degrees, not \(value)")
        }
        return number
    }
}
