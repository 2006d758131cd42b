/// The DNS settings: the inventory's `[dns]` table.
package struct DNS: Decodable, Equatable, Sendable {
    package enum Provider: String, Decodable, Sendable { case rfc2136, gdnsd, cloudflare }

    /// The zone of the records, such as `clavitor.com`.
    package var zone: String
    /// The name that resolves to the nearest node, such as `api.clavitor.com`.
    package var nearest: String
    /// Seconds.
    package var ttl: Int
    package var provider: Provider
    /// rfc2136: the primary server, `192.0.2.53` or `192.0.2.53:53`.
    package var server: String?
    /// rfc2136: a file with the TSIG key in the format of `keymgr` or `tsig-keygen`.
    package var keyFile: String?
    /// gdnsd: the health file of its `extfile` plugin.
    package var healthFile: String?
    /// cloudflare: the zone's id, and a file with an API token that may edit it.
    package var zoneID: String?
    package var tokenFile: String?
    /// The minimum number of nodes in the nearest name, whatever their health.
    package var floor: Int

    private enum CodingKeys: String, CodingKey {
        case zone, nearest, ttl, provider, server, floor
        case keyFile = "key-file"
        case healthFile = "health-file"
        case zoneID = "zone-id"
        case tokenFile = "token-file"
    }
}

extension Inventory {
    /// The nodes that the nearest name may resolve to. It is for new users, so these are the nodes with open registration;
    /// if there are none, those that accept invitations. A node without a public address does not exist yet.
    package var nearestMembers: [Node] {
        let there = nodes.filter { !$0.ipv4.isEmpty }
        let open = there.filter { $0.registration == "open" }
        return open.isEmpty ? there.filter { $0.registration != "closed" } : open
    }
}
