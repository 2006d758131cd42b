/// gdnsd's configuration for the fleet: a map from clients to their nearest node, and the zone's lines.
///
/// gdnsd computes distances from the coordinates itself, and omits nodes that are down in the health file.
package struct GdnsdConfiguration: Equatable, Sendable {
    /// The source of client locations.
    package enum ClientLocations: Equatable, Sendable {
        /// A database with cities in MaxMind's GeoIP2 format.
        case database(String)
        /// A file of networks and the nodes for them, `192.0.2.0/24 => [ zurich, london ]`, in gdnsd's own format.
        case networks(String)
    }

    /// For `/etc/gdnsd/config`.
    package let lines: [String]
    /// For the zone's file. SOA and NS records are the operator's.
    package let zoneLines: [String]

    /// - Parameters:
    ///   - inventory: Must have a `[dns]` table.
    ///   - healthFile: The path from which gdnsd reads it.
    ///   - locations: The source of client locations.
    /// - Throws: What is wrong with the inventory.
    package init(_ inventory: Inventory, healthFile: String, locations: ClientLocations) throws(RecordsError) {
        let records = try Records(inventory)
        let ttl = records.sets[records.nearest]?.ttl ?? 0
        let nodes = inventory.nearestMembers
        // Up to half of the nodes may be down, and those may be the nearest: the list must be longer.
        let reach = nodes.count / 2 + 1
        let map =
            switch locations {
            case .database(let path):
                ["geoip2_db => \"\(path)\"", "auto_dc_limit => \(reach)"]
                    + Self.table("auto_dc_coords", nodes.map { "\($0.name) => [ \($0.latitude), \($0.longitude) ]" })
            case .networks(let path): ["nets => \"\(path)\""]
            }
        let resource =
            ["map => nearest", "service_types => clavitor"]
            + Self.table("dcmap", nodes.map(Self.place))
        let datacenters = "datacenters => [ \(nodes.map(\.name).joined(separator: ", ")) ]"
        lines =
            ["# Printed by `clavitor-soc dns gdnsd-config` from the inventory."]
            + Self.table(
                "service_types",
                Self.table("clavitor", ["plugin => extfile", "file => \"\(healthFile)\"", "direct => true"]))
            + Self.table(
                "plugins",
                Self.table(
                    "geoip",
                    Self.table("maps", Self.table("nearest", [datacenters] + map))
                        + Self.table("resources", Self.table("nearest", resource))))
        zoneLines =
            ["\(records.nearest). \(ttl) DYNA geoip!nearest"]
            + records.sets.filter { $0.key != records.nearest }.sorted { $0.key < $1.key }.flatMap { name, set in
                set.addresses.sorted().map { "\(name). \(ttl) \($0.recordType) \($0)" }
            }
    }

    private static func place(_ node: Node) -> String {
        guard let ipv6 = node.publicIPv6 else { return "\(node.name) => \(node.ipv4)" }
        return "\(node.name) => { addrs_v4 => [ \(node.ipv4) ], addrs_v6 => [ \(ipv6) ] }"
    }

    private static func table(_ name: String, _ lines: [String]) -> [String] {
        ["\(name) => {"] + lines.map { "  \($0)" } + ["}"]
    }
}
