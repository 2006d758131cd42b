import DNSUpdate

/// The A and AAAA records of one name. All records of a family have one TTL (RFC 2181, section 5.2).
package struct RecordSet: Equatable, Sendable {
    package var addresses: Set<HostAddress>
    /// Seconds; 0, which is never wanted, if they differ.
    package var ttl: Int

    package init(addresses: Set<HostAddress>, ttl: Int) {
        self.addresses = addresses
        self.ttl = ttl
    }

    func union(_ other: RecordSet) -> RecordSet {
        RecordSet(addresses: addresses.union(other.addresses), ttl: ttl == other.ttl ? ttl : 0)
    }
}

/// The wanted records of the zone: every node under its own name, and all healthy nodes under the nearest name.
///
/// A vault stays on its node, so a node's own name is never withdrawn: only new clients use the nearest one.
package struct Records: Equatable, Sendable {
    package let nearest: String
    package let sets: [String: RecordSet]
    /// The candidates for the nearest name.
    package let members: Set<String>
    /// Node names by address, for the lines of a plan.
    package let nodes: [HostAddress: String]

    /// Computes the records. A node without a public address has none.
    ///
    /// - Parameters:
    ///   - inventory: Must have a `[dns]` table.
    ///   - withdrawn: Names of nodes that are out of the nearest name.
    ///   - belowFloor: By how many the floor is lowered because of manual overrides and newcomers.
    /// - Throws: What is wrong with the inventory.
    package init(
        _ inventory: Inventory, withdrawn: Set<String> = [], belowFloor: Int = 0
    ) throws(RecordsError) {
        guard let dns = inventory.dns else { throw .noSettings }
        let zone = try Self.name(dns.zone, of: "zone")
        nearest = try Self.canonical(dns.nearest, in: zone)
        guard (1...86_400).contains(dns.ttl) else { throw .lifetime(dns.ttl) }
        var sets: [String: RecordSet] = [:]
        var nodes: [HostAddress: String] = [:]
        members = Set(inventory.nearestMembers.map(\.name))
        guard !members.isEmpty else { throw .noMembers }
        var answering: [String: Set<HostAddress>] = [:]
        for node in inventory.nodes where !node.ipv4.isEmpty {
            let addresses = try Self.addresses(of: node)
            for address in addresses {
                if let other = nodes.updateValue(node.name, forKey: address) {
                    throw .shared(address, other, node.name)
                }
            }
            let own = try Self.canonical(node.domain, in: zone)
            guard own != nearest, sets[own] == nil else { throw .takenName(own) }
            sets[own] = RecordSet(addresses: addresses, ttl: dns.ttl)
            if members.contains(node.name), !withdrawn.contains(node.name) { answering[node.name] = addresses }
        }
        guard answering.count + belowFloor >= min(max(dns.floor, 1), members.count), !answering.isEmpty else {
            throw .belowFloor(answering.count, floor: max(dns.floor, 1))
        }
        sets[nearest] = RecordSet(addresses: answering.values.reduce([]) { $0.union($1) }, ttl: dns.ttl)
        self.sets = sets
        self.nodes = nodes
    }

    private static func addresses(of node: Node) throws(RecordsError) -> Set<HostAddress> {
        guard let ipv4 = HostAddress(node.ipv4), !ipv4.isIPv6 else { throw .address(node.name, node.ipv4) }
        guard let text = node.publicIPv6 else { return [ipv4] }
        guard let ipv6 = HostAddress(text), ipv6.isIPv6 else { throw .address(node.name, text) }
        return [ipv4, ipv6]
    }

    private static func name(_ text: String, of what: String) throws(RecordsError) -> DNSName {
        do throws(DNSNameError) { return try DNSName(text) } catch { throw .name(what, "\(error)") }
    }

    /// The canonical form for comparisons.
    private static func canonical(_ text: String, in zone: DNSName) throws(RecordsError) -> String {
        let name = try name(text, of: text)
        guard name.isWithin(zone) else { throw .outsideZone(text, zone: zone.description) }
        return name.description
    }
}

/// Why no records can be computed from an inventory.
package enum RecordsError: Error, Equatable, Sendable, CustomStringConvertible {
    case noSettings
    case name(String, String)
    case outsideZone(String, zone: String)
    case lifetime(Int)
    case address(String, String)
    case shared(HostAddress, String, String)
    case noMembers
    case takenName(String)
    case belowFloor(Int, floor: Int)

    package var description: String {
        switch self {
        case .noSettings:
            "The inventory has no [dns] table. Add one with zone, nearest, ttl, provider and floor."
        case .name(let what, let why):
            "\(what) in the inventory must be a domain name: \(why)"
        case .outsideZone(let name, let zone):
            "\(name) must be in the zone \(zone). Correct the name, or zone in [dns]."
        case .lifetime(let ttl):
            "ttl = \(ttl) in [dns] must be 1 to 86400 seconds; 30 is suitable for failover."
        case .address(let node, let text):
            "\(node)'s ipv4 or ipv6 is not an address: \(text). Write them as 192.0.2.1 and 2001:db8::1."
        case .shared(let address, let one, let other):
            "\(one) and \(other) have the same address, \(address). Correct one of them."
        case .noMembers:
            """
            No node would be in the nearest name: none has an address, or registration is closed on all. Set their ipv4, or \
            open registration on one.
            """
        case .takenName(let name):
            "\(name) is used twice. Each node's domain and the nearest name must be different."
        case .belowFloor(let count, let floor):
            """
            Only \(count) nodes would be in the nearest name, and the floor is \(floor). Restore nodes with \
            `dns watch --once`, set their ipv4, or lower floor in [dns].
            """
        }
    }
}
