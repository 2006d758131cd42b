import Fleet

/// An inventory with nodes `n1` to `n<count>` under `example.org`, two in each region.
func sampleFleet(
    _ count: Int = 4, floor: Int = 1, nearest: String = "api.example.org", ttl: Int = 30,
    change: (inout [Node]) -> Void = { _ in }
) throws -> Inventory {
    let nodes = (1...count).map { number in
        """
        [[node]]
        name = "n\(number)"
        city = "City"
        region = "r\((number + 1) / 2)"
        latitude = \(Double(number))
        longitude = \(Double(10 * number))
        domain = "n\(number).example.org"
        provider = "vultr"
        tier = "mini"
        role = "\(number == 1 ? "hub" : "spoke")"
        address = "10.84.0.\(number)"
        ipv4 = "192.0.2.\(number)"
        public-key = ""
        host-key = ""
        """
    }
    var inventory = try Inventory(
        toml: """
            [fleet]
            network = "10.84.0.0/24"
            port = 51820
            monitor = "monitor.example.org"
            acme-contact = []
            [break-glass]
            ssh-key = ""
            from = []
            [provider.vultr]
            disk = "/dev/vda"
            root = "/dev/vda1"
            [tier.mini]
            usd = 2.5
            [dns]
            zone = "example.org"
            nearest = "\(nearest)"
            ttl = \(ttl)
            provider = "rfc2136"
            floor = \(floor)
            \(nodes.joined(separator: "\n"))
            """)
    change(&inventory.nodes)
    return inventory
}

extension HealthObservation {
    static let healthy = HealthObservation(monitor: .healthy, probe: .ready)
    static let unreachable = HealthObservation(monitor: .silent(70), probe: .unreachable("refused"))
}

func addresses(_ numbers: Int...) -> Set<HostAddress> {
    Set(numbers.compactMap { HostAddress("192.0.2.\($0)") })
}
