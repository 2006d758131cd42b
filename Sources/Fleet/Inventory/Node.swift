/// A machine's entry in the inventory.
package struct Node: Codable, Equatable, Sendable {
    package enum Role: String, Codable, Sendable { case hub, spoke }

    package var name: String
    package var city: String
    /// Nodes of the same region are never in the same deploy wave.
    package var region: String
    /// Degrees.
    package var latitude: Double
    package var longitude: Double
    package var domain: String
    package var provider: String
    package var tier: String
    package var role: Role
    /// The WireGuard address.
    package var address: String
    /// The public address; empty until the machine exists.
    package var ipv4: String
    /// The public IPv6 address; nil for none.
    package var ipv6: String?
    /// The WireGuard key; empty until `clavitor-soc keys generate`.
    package var publicKey: String
    /// The sshd's host key, `ssh-ed25519 …`; empty until the machine exists.
    package var hostKey: String
    /// The disk, if it differs from the provider's.
    package var disk: String?
    package var root: String?
    /// The device of the EFI system partition; empty for a machine that boots with BIOS, unlike its provider's others.
    package var esp: String?
    /// Who may register there: `open`, `invite` or `closed`; nil for `invite`.
    package var registration: String?
    /// SHA-256 of the token in its push URL, in hexadecimal, with which the monitor authenticates heartbeats.
    package var pushToken: String?

    package enum CodingKeys: String, CodingKey, CaseIterable {
        case name, city, region, latitude, longitude, domain, provider, tier, role, address, ipv4
        case publicKey = "public-key"
        case hostKey = "host-key"
        case disk, root, esp, registration, ipv6
        case pushToken = "push-token"

        /// The required keys.
        package static let needed = allCases.filter {
            ![.disk, .root, .esp, .registration, .ipv6, .pushToken].contains($0)
        }
    }

    package init(
        name: String, city: String, region: String, latitude: Double, longitude: Double, domain: String,
        provider: String, tier: String, role: Role = .spoke, address: String, ipv4: String = "",
        publicKey: String = "", hostKey: String = ""
    ) {
        (self.name, self.city, self.region, self.domain) = (name, city, region, domain)
        (self.latitude, self.longitude) = (latitude, longitude)
        (self.provider, self.tier, self.role) = (provider, tier, role)
        (self.address, self.ipv4, self.publicKey, self.hostKey) = (address, ipv4, publicKey, hostKey)
    }

    package init(from decoder: any Decoder) throws {
        let entry = try decoder.container(keyedBy: CodingKeys.self)
        name = try entry.decode(String.self, forKey: .name)
        city = try entry.decode(String.self, forKey: .city)
        region = try entry.decode(String.self, forKey: .region)
        latitude = try entry.decodeNumber(forKey: .latitude)
        longitude = try entry.decodeNumber(forKey: .longitude)
        domain = try entry.decode(String.self, forKey: .domain)
        provider = try entry.decode(String.self, forKey: .provider)
        tier = try entry.decode(String.self, forKey: .tier)
        role = try entry.decode(Role.self, forKey: .role)
        address = try entry.decode(String.self, forKey: .address)
        ipv4 = try entry.decode(String.self, forKey: .ipv4)
        publicKey = try entry.decode(String.self, forKey: .publicKey)
        hostKey = try entry.decode(String.self, forKey: .hostKey)
        disk = try entry.decodeIfPresent(String.self, forKey: .disk)
        root = try entry.decodeIfPresent(String.self, forKey: .root)
        esp = try entry.decodeIfPresent(String.self, forKey: .esp)
        registration = try entry.decodeIfPresent(String.self, forKey: .registration)
        ipv6 = try entry.decodeIfPresent(String.self, forKey: .ipv6)
        pushToken = try entry.decodeIfPresent(String.self, forKey: .pushToken)
    }

    /// `ipv6`, nil also if it is empty.
    package var publicIPv6: String? { ipv6.flatMap { $0.isEmpty ? nil : $0 } }

    /// The node's URL for clients.
    package var url: String { "https://\(domain)" }
}

extension KeyedDecodingContainer {
    /// Accepts both 47 and 47.0, which are different types in TOML.
    func decodeNumber(forKey key: Key) throws -> Double {
        if let whole = try? decode(Int.self, forKey: key) { return Double(whole) }
        return try decode(Double.self, forKey: key)
    }
}
