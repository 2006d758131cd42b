/// The problems of `[dns]` and of the nodes' names.
struct DNSProblems {
    private let dns: InventoryEntry
    private let nodes: [InventoryEntry]

    init(_ dns: InventoryEntry, _ nodes: [InventoryEntry]) {
        (self.dns, self.nodes) = (dns, nodes)
    }

    func all() -> [String] {
        let (zone, nearest) = (dns.text("zone"), dns.text("nearest"))
        let (ttl, floor, provider) = (dns.whole("ttl"), dns.whole("floor"), dns.text("provider"))
        let server = dns.text("server")
        return broken([
            (!InventoryForms.isDomain(zone), "dns.zone is \"\(zone)\"; it must be a DNS name"),
            (!InventoryForms.isDomain(nearest), "dns.nearest is \"\(nearest)\"; it must be a DNS name"),
            (!InventoryForms.isWithin(zone, nearest), "dns.nearest is \(nearest); it must be in the zone \(zone)"),
            (!(1...86_400).contains(ttl), "dns.ttl is \(ttl); it must be from 1 to 86400 seconds"),
            (floor < 0, "dns.floor is \(floor); it must be 0 or more"),
            (
                DNS.Provider(rawValue: provider) == nil,
                "dns.provider is \(provider); it must be rfc2136, gdnsd or cloudflare"
            ),
            (
                !server.isEmpty && !InventoryForms.isServer(server),
                "dns.server is \(server); it must be an address or a DNS name, with or without :PORT"
            ),
        ]) + needed(by: provider) + nodes.flatMap { inspect($0, zone, nearest) }
    }

    private func needed(by provider: String) -> [String] {
        guard let keys = DNS.Provider(rawValue: provider)?.needed else { return [] }
        return keys.filter { dns.text($0).isEmpty }.map { "dns.\($0) must be set for the provider \(provider)" }
    }

    private func inspect(_ node: InventoryEntry, _ zone: String, _ nearest: String) -> [String] {
        let (name, domain) = (node.text("name"), node.text("domain"))
        return broken([
            (!InventoryForms.isWithin(zone, domain), "\(name)'s domain is \(domain); it must be in the zone \(zone)"),
            (domain == nearest, "dns.nearest is \(nearest); it must not be the domain of \(name)"),
        ])
    }
}

extension DNS.Provider {
    /// The required keys of `[dns]`.
    fileprivate var needed: [String] {
        switch self {
        case .rfc2136: ["server", "key-file"]
        case .gdnsd: ["health-file"]
        case .cloudflare: ["zone-id", "token-file"]
        }
    }
}
