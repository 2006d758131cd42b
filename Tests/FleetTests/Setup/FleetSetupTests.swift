import ArgumentParser
import Fleet
import Foundation
import TestSupport
import Testing
import Wire

@testable import clavitor_soc

/// Sets up a fleet with the real age, ssh-keygen, openssl and node program.
@Suite(.timeLimit(.minutes(3))) struct FleetSetupTests {
    /// The directory of the built programs.
    static let programs = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().path
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private var file: InventoryFile { InventoryFile(scratch.file("fleet.toml")) }

    private func run(_ words: String...) async throws {
        let all =
            words + ["--inventory", scratch.file("fleet.toml"), "--state", scratch.file("s"), "--dist", Self.programs]
        var command = try ClavitorSOC.parseAsRoot(all) as? any AsyncParsableCommand
        try await command?.run()
    }

    private static let hub = [
        "begin", "--operator", "ana", "--hub", "zurich", "--city", "Zurich", "--region", "europe", "--latitude", "47.4",
        "--longitude", "-8.5", "--domain", "zurich.example.com", "--monitor", "monitor.example.com",
    ]

    private func begin(_ ipv4: String) async throws {
        let all =
            Self.hub + [
                "--ipv4", ipv4, "--inventory", scratch.file("fleet.toml"), "--state", scratch.file("s"), "--dist",
                Self.programs,
            ]
        var command = try ClavitorSOC.parseAsRoot(all) as? any AsyncParsableCommand
        try await command?.run()
    }

    private func text(_ name: String) throws -> String { String(decoding: try scratch.read(name), as: UTF8.self) }

    @Test func setupPreparesAHub() async throws {
        try await begin("203.0.113.1")
        let inventory = try file.readValid()
        let hub = try #require(inventory.hub)
        #expect((hub.name, hub.address, hub.ipv4, hub.longitude) == ("zurich", "10.84.0.1", "203.0.113.1", -8.5))
        let ana = try #require(inventory.operators.first)
        #expect((ana.name, ana.address) == ("ana", "10.84.0.200"))
        #expect(ana.monitorToken == PushToken.digest(try text("s/monitor-token").filter { !$0.isWhitespace }))
        #expect(try text("s/id_ed25519.pub").hasPrefix(ana.sshKey))
        // Values that only the operator can choose are reported.
        #expect(
            inventory.missing(for: hub).map { String($0.prefix(18)) } == ["no break-glass key", "no [[channel]]: th"])
        #expect(inventory.backup?.recipients?.count == 1)

        let options = try OperatorOptions.parse(["--inventory", file.path, "--state", scratch.file("s")])
        let context = try OperatorContext(options)
        let missing = try await context.secrets().missing(hub, in: inventory)
        #expect(missing == [.deadManURL])
        let url = try #require(try await context.secrets().text(.pushURL, of: hub))
        #expect(
            hub.pushToken == PushToken.digest(try #require(url.split(separator: "/").last).filter { !$0.isWhitespace }))
        #expect(try await context.secrets().text(.rootKey, of: hub)?.hasPrefix("1 clv_root_") == true)
        // Secrets are stored encrypted.
        #expect(try !scratch.everythingBelow("s/secrets").holds("clv_root_".utf8))
        for name in ["s/age.key", "s/monitor-token", "s/clavitor-soc.conf", "s/id_ed25519"] {
            #expect(try scratch.mode(name) == 0o600, "\(name)")
        }
        let tunnel = try text("s/clavitor-soc.conf")
        #expect(tunnel.contains("Endpoint = 203.0.113.1:51820\n"))
        #expect(tunnel.contains("PublicKey = \(hub.publicKey)\n"))
        let own = try #require(tunnel.firstMatch(of: /PrivateKey = (\S+)/)?.1)
        #expect(try WireGuardKey(own).publicText == ana.publicKey)
    }

    /// A second run for a hub with a new address changes the tunnel's configuration only.
    @Test func aSecondRunKeepsExistingFiles() async throws {
        try await begin("203.0.113.1")
        let (before, settings) = (try text("fleet.toml"), try text("s/soc.toml"))
        let secrets = try scratch.everythingBelow("s/secrets")
        try await begin("203.0.113.1")
        #expect(try text("fleet.toml") == before)
        try await begin("203.0.113.99")
        #expect(try text("fleet.toml") == before.replacing("\"203.0.113.1\"", with: "\"203.0.113.99\""))
        #expect(try text("s/soc.toml") == settings)
        #expect(try scratch.everythingBelow("s/secrets") == secrets)
        #expect(try text("s/clavitor-soc.conf").contains("Endpoint = 203.0.113.99:51820\n"))
    }

    @Test func withoutAnInventoryTheHubIsRequired() async throws {
        let error = await #expect(throws: CommandFailure.self) { try await run("begin", "--operator", "ana") }
        #expect(try #require(error).description.contains("--ipv4"))
        #expect(!FileManager.default.fileExists(atPath: file.path))
    }

    @Test func theMonitorsCertificateIsIssuedByTheFleet() async throws {
        try await begin("203.0.113.1")
        let context = try OperatorContext(
            try OperatorOptions.parse(["--inventory", file.path, "--state", scratch.file("s")]))
        let hub = try #require(context.inventory.hub)
        func certificate() async throws -> String {
            let pem = try #require(try await context.secrets().text(.monitorCertificate, of: hub))
            try scratch.write(Array(pem.utf8), to: "monitor.crt")
            return pem
        }
        func verify(_ name: String) throws -> String {
            try Tool(
                "/usr/bin/openssl",
                [
                    "verify", "-x509_strict", "-CAfile", scratch.file("s/monitor-ca.pem"), "-verify_hostname", name,
                    scratch.file("monitor.crt"),
                ]
            ).output
        }
        let first = try await certificate()
        #expect(try verify("monitor.example.com").hasSuffix("monitor.crt: OK\n"))
        #expect(try verify("zurich.example.com").isEmpty)
        // A replacement after a break-in is issued by the same authority, which clients trust already.
        let url = try await context.secrets().text(.pushURL, of: hub)
        try await run("secrets", "generate", "zurich", "--anew", "push-url", "monitor.crt")
        #expect(try await certificate() != first)
        #expect(try verify("monitor.example.com").hasSuffix("monitor.crt: OK\n"))
        let renewed = try #require(try await context.secrets().text(.pushURL, of: hub))
        #expect(renewed != url)
        let token = try #require(renewed.split(separator: "/").last).filter { !$0.isWhitespace }
        #expect(try file.read().hub?.pushToken == PushToken.digest(token))
        await #expect(throws: SecretMakerError.notAnew) { try await run("secrets", "generate", "--anew", "root.key") }
    }

    /// Adds a node: existing keys and secrets are kept.
    @Test func oneCommandGeneratesANodesKeysAndSecrets() async throws {
        try await begin("203.0.113.1")
        var add = try FleetCommand.parseAsRoot([
            "add", "lagos", "--city", "Lagos", "--region", "africa", "--latitude", "6.45", "--longitude", "3.39",
            "--domain", "lagos.example.com", "--provider", "other", "--tier", "mini", "--ipv4", "203.0.113.17",
            "--inventory", file.path,
        ])
        try add.run()
        try await run("secrets", "generate", "lagos")
        let lagos = try file.readValid().node("lagos")
        #expect(!lagos.publicKey.isEmpty && lagos.pushToken != nil)
        let context = try OperatorContext(
            try OperatorOptions.parse(["--inventory", file.path, "--state", scratch.file("s")]))
        #expect(try await context.secrets().missing(lagos, in: context.inventory) == [])
        let before = try text("fleet.toml")
        try await run("secrets", "generate", "lagos")
        #expect(try text("fleet.toml") == before)
    }
}
