/// How the names of the fleet are kept: `[dns]` of the inventory.
package struct DNS: Decodable, Equatable, Sendable {
    package enum Provider: String, Decodable, Sendable { case rfc2136, gdnsd, cloudflare }

    /// Where the records stand, `clavitor.com`.
    package var zone: String
    /// The name that leads to the nearest node, `api.clavitor.com`.
    package var nearest: String
    /// Seconds.
    package var ttl: Int
    package var provider: Provider
    /// rfc2136: the primary server, `192.0.2.53` or `192.0.2.53:53`.
    package var server: String?
    /// rfc2136: a file with the TSIG key as `keymgr` and `tsig-keygen` write it.
    package var keyFile: String?
    /// gdnsd: the health file of its `extfile` plugin.
    package var healthFile: String?
    /// cloudflare: the zone's id, and a file with an API token that may edit it.
    package var zoneID: String?
    package var tokenFile: String?
    /// So many healthy-looking nodes always answer for the nearest name, however ill.
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
    /// Nodes that the nearest name may lead to. It is for newcomers, so those that anybody may register with; where none is,
    /// those that take an invitation. One without a public address does not exist yet.
    package var nearestMembers: [Node] {
        let there = nodes.filter { !$0.ipv4.isEmpty }
        let open = there.filter { $0.registration == "open" }
        return open.isEmpty ? there.filter { $0.registration != "closed" } : open
    }
}
