import Fleet
import Foundation
import TestSupport
import Testing

/// Debian's gdnsd with the printed configuration, queried by `kdig` for distant client networks.
@Suite(.enabled(if: FileManager.default.fileExists(atPath: "/usr/sbin/gdnsd")), .timeLimit(.minutes(3)))
struct GdnsdTests {
    @Test func theNearestHealthyNodeIsReturned() async throws {
        let inventory = try sampleFleet(3)
        let scratch = try Scratch()
        let health = HealthFile(path: scratch.file("health"), complete: try Records(inventory))
        try await apply([], health)
        let server = try Gdnsd(inventory, in: scratch)

        try await server.until("198.51.100.0/24", gets: ["192.0.2.1"])
        try await server.until("203.0.113.0/24", gets: ["192.0.2.3"])
        try await apply(["n3"], health)
        try await server.until("203.0.113.0/24", gets: ["192.0.2.2"])
        try await server.until("198.51.100.0/24", gets: ["192.0.2.1"])
        #expect(try server.ask("n3.example.org") == ["192.0.2.3"])
        try await apply([], health)
        try await server.until("203.0.113.0/24", gets: ["192.0.2.3"])
    }

    @Test func aRemovedNodeStaysDown() async throws {
        let scratch = try Scratch()
        let before = HealthFile(path: scratch.file("health"), complete: try Records(try sampleFleet(3)))
        try await apply(["n3"], before)
        let server = try Gdnsd(try sampleFleet(3), in: scratch)
        try await server.until("203.0.113.0/24", gets: ["192.0.2.2"])
        // The configuration is not generated again, and another node becomes unhealthy.
        let wanted = try Records(try sampleFleet(2), withdrawn: ["n2"])
        let after = HealthFile(path: scratch.file("health"), complete: try Records(try sampleFleet(2)))
        let present = try await after.present([wanted.nearest])
        try await after.apply(NamePlan(wanted: wanted, present: present, names: [wanted.nearest]).changes)
        try await server.until("203.0.113.0/24", gets: ["192.0.2.1"])
    }

    private func apply(
        _ withdrawn: Set<String>, _ health: HealthFile, of inventory: Inventory? = nil
    ) async throws {
        let wanted = try Records(try inventory ?? sampleFleet(3), withdrawn: withdrawn)
        let present = try await health.present([wanted.nearest])
        try await health.apply(NamePlan(wanted: wanted, present: present, names: [wanted.nearest]).changes)
    }

    @Test func bothFamiliesBelongToTheNearestNode() async throws {
        let inventory = try sampleFleet(3) { nodes in
            nodes[0].ipv6 = "2001:db8::1"
            nodes[2].ipv6 = "2001:db8::3"
        }
        let scratch = try Scratch()
        let health = HealthFile(path: scratch.file("health"), complete: try Records(inventory))
        try await apply([], health, of: inventory)
        let server = try Gdnsd(inventory, in: scratch)
        try await server.until("203.0.113.0/24", "AAAA", gets: ["2001:db8::3"])
        try await server.until("203.0.113.0/24", gets: ["192.0.2.3"])
        #expect(try server.ask("n3.example.org", "AAAA") == ["2001:db8::3"])
        // Both addresses are withdrawn and restored.
        try await apply(["n3"], health, of: inventory)
        try await server.until("203.0.113.0/24", gets: ["192.0.2.2"])
        #expect(try server.ask("api.example.org", "AAAA", from: "203.0.113.0/24") != ["2001:db8::3"])
        try await apply([], health, of: inventory)
        try await server.until("203.0.113.0/24", "AAAA", gets: ["2001:db8::3"])
    }

    @Test func theMapIncludesEnoughFallbacks() throws {
        let configuration = try GdnsdConfiguration(
            try sampleFleet(6), healthFile: "/var/lib/gdnsd/extfile/health", locations: .database("City.mmdb"))
        #expect(configuration.lines.contains { $0.hasSuffix(" auto_dc_limit => 4") })
        #expect(configuration.lines.contains { $0.hasSuffix(" n6 => [ 6.0, 60.0 ]") })
        #expect(configuration.zoneLines.first == "api.example.org. 30 DYNA geoip!nearest")
    }
}

/// gdnsd as a process with its own directory. `n1` is near 198.51.100.0/24, `n3` near 203.0.113.0/24.
struct Gdnsd {
    private let daemon: RunningTool
    private let port: Int
    private let address = "127.0.86.1"

    init(_ inventory: Inventory, in scratch: Scratch) throws {
        let port = try FreePort.take(on: address)
        self.port = port
        let files = FileManager.default
        for folder in ["zones", "geoip", "run", "state", "extfile"] {
            try files.createDirectory(atPath: scratch.file(folder), withIntermediateDirectories: true)
        }
        let printed = try GdnsdConfiguration(
            inventory, healthFile: scratch.file("health"), locations: .networks(scratch.file("nets")))
        try scratch.write(
            Array("198.51.100.0/24 => [ n1, n2, n3 ]\n203.0.113.0/24 => [ n3, n2, n1 ]\n".utf8), to: "nets")
        let options = """
            options => {
              listen => [ \(address):\(port) ]
              run_dir => "\(scratch.file("run"))"
              state_dir => "\(scratch.file("state"))"
            }

            """
        try scratch.write(Array((options + printed.lines.joined(separator: "\n") + "\n").utf8), to: "config")
        let head = """
            @ 300 SOA ns hostmaster 1 3600 600 86400 300
            @ 300 NS ns
            ns 300 A 127.0.86.1

            """
        try scratch.write(
            Array((head + printed.zoneLines.joined(separator: "\n") + "\n").utf8), to: "zones/example.org")
        daemon = try RunningTool("/usr/sbin/gdnsd", ["-c", scratch.path, "start"])
    }

    func ask(_ name: String, _ type: String = "A", from network: String? = nil) throws -> [String] {
        let kdig = try Tool(
            "/usr/bin/kdig",
            ["@\(address)", "-p", "\(port)", "+tcp", "+short", "+timeout=2", "+retry=0", name, type]
                + (network.map { ["+subnet=\($0)"] } ?? []))
        return kdig.output.split(separator: "\n").map(String.init).sorted()
    }

    func until(_ network: String, _ type: String = "A", gets expected: [String]) async throws {
        try await daemon.wait { _ in try ask("api.example.org", type, from: network) == expected }
    }
}
