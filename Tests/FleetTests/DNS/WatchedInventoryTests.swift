import Fleet
import Foundation
import TestSupport
import Testing

@Suite struct WatchedInventoryTests {
    let scratch: Scratch
    let text: String
    let watched: WatchedInventory

    init() throws {
        scratch = try Scratch()
        try scratch.write(Array("hmac-sha256:key:\(KnotServer.secret)".utf8), to: "key")
        text = """
            \(FleetFixture.text())
            [dns]
            zone = "example.com"
            nearest = "api.example.com"
            ttl = 30
            provider = "rfc2136"
            server = "127.0.0.1"
            key-file = "\(scratch.file("key"))"
            floor = 1

            """
        watched = try WatchedInventory(path: try scratch.write(Array(text.utf8), to: "fleet.toml"))
    }

    private func hasChanged(_ change: (String) -> String) async throws -> Bool {
        try scratch.write(Array(change(text).utf8), to: "fleet.toml")
        return try await watched.hasChanged()
    }

    @Test func aNewAddressIsAChange() async throws {
        #expect(try await !watched.hasChanged())
        let change = try await hasChanged { $0.replacing(#"ipv4 = "127.0.84.2""#, with: #"ipv4 = "127.0.84.44""#) }
        #expect(change)
    }

    @Test(arguments: [
        ("[fleet]", "[fle"), (#"ipv4 = "127.0.84.2""#, #"ipv4 = "300""#), ("[dns]", "[dms]"),
        (#"server = "127.0.0.1""#, ""), ("/key\"", "/nokey\""), ("ttl = 30", "ttl = 0"),
    ])
    func anInvalidInventoryIsThrown(_ from: String, _ to: String) async throws {
        await #expect(throws: (any Error).self) { try await hasChanged { $0.replacing(from, with: to) } }
    }

    @Test func aMissingFileIsThrown() async throws {
        try FileManager.default.removeItem(atPath: scratch.file("fleet.toml"))
        await #expect(throws: (any Error).self) { try await watched.hasChanged() }
    }
}
