/// Inventories for tests, with invalid keys.
enum FleetFixture {
    /// A hub and spokes.
    static func text(
        spokes: [(name: String, region: String)] = [
            ("tokyo", "east-asia"), ("seoul", "east-asia"), ("dallas", "america"),
        ],
        network: String = "127.0.84", hostKeys: [String: String] = [:], publicKeys: [String: String] = [:]
    ) -> String {
        let nodes = [(name: "zurich", region: "europe")] + spokes
        let entries = nodes.enumerated().map { index, node in
            let key = hostKeys[node.name] ?? "ssh-ed25519 AAAA\(node.name.filter { $0.isLetter })"
            return """

                [[node]]
                name = "\(node.name)"
                city = "City of \(node.name)"
                region = "\(node.region)"
                latitude = 47.38
                longitude = 8.54
                domain = "\(node.name).example.com"
                provider = "vultr"
                tier = "mini"
                role = "\(index == 0 ? "hub" : "spoke")"
                address = "\(network).\(index + 1)"
                ipv4 = "\(network).\(index + 1)"
                public-key = "\(publicKeys[node.name] ?? "")"
                host-key = "\(key)"
                """
        }
        return """
            [fleet]
            network = "\(network).0/24"
            port = 51820
            monitor = "monitor.example.com"
            acme-contact = []

            [break-glass]
            ssh-key = ""
            from = []

            [provider.vultr]
            disk = "/dev/vda"
            root = "/dev/vda1"

            [tier.mini]
            memory-mb = 512
            usd = 2.5
            \(entries.joined(separator: "\n"))

            """
    }
}
