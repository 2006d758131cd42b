import ArgumentParser
import Fleet
import Foundation
import TestSupport
import Testing

@testable import clavitor_soc

/// The commands with gdnsd's health file, a monitor at an address where nobody is, and an inventory on the disk.
@Suite struct DNSCommandTests {
    let scratch: Scratch
    let words: [String]

    init() throws {
        scratch = try Scratch()
        let state = scratch.file("state")
        try FileManager.default.createDirectory(
            atPath: state, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try scratch.write(Array("clm_1".utf8), to: "token")
        try scratch.write(Array("monitor-token-file = \"\(scratch.file("token"))\"\n".utf8), to: "state/soc.toml")
        let inventory = """
            \(FleetFixture.text(network: "127.0.86"))
            [dns]
            zone = "example.com"
            nearest = "api.example.com"
            ttl = 30
            provider = "gdnsd"
            health-file = "\(scratch.file("health"))"
            floor = 1

            """
        words = ["--inventory", try scratch.write(Array(inventory.utf8), to: "fleet.toml"), "--state", state]
    }

    private func run(_ command: String...) async throws {
        var command = try DNSCommand.parseAsRoot(command + words)
        if var asynchronous = command as? any AsyncParsableCommand {
            try await asynchronous.run()
        } else {
            try command.run()
        }
    }

    private var health: [String] {
        get throws {
            String(decoding: try scratch.read("health"), as: UTF8.self).split(separator: "\n").dropFirst().map(
                String.init)
        }
    }

    @Test func aLookThatCouldNotDoItsWorkIsAFailure() async throws {
        await #expect(throws: ExitCode(1)) { try await run("watch", "--once") }
        #expect(try health.allSatisfy { $0.hasSuffix("UP") })
    }

    @Test func anApplyLeavesTheMembersToTheWatchUnlessItIsAsked() async throws {
        try await run("apply")
        let all = try health
        #expect(all.count == 4)
        // A watch on another machine has taken one out.
        let text = all.joined(separator: "\n").replacing("127.0.86.2 => UP", with: "127.0.86.2 => DOWN")
        try scratch.write(Array("# \n\(text)\n".utf8), to: "health")
        try await run("plan")
        try await run("apply")
        #expect(try health.contains("127.0.86.2 => DOWN"))
        try await run("apply", "--nearest")
        #expect(try health == all)
    }
}
