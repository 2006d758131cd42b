import ArgumentParser
import Fleet
import Foundation
import TestSupport
import Testing

@testable import clavitor_soc

/// Failed preconditions exit with 2 and name a remedy, before anything is changed.
@Suite(.timeLimit(.minutes(2))) struct PreconditionTests {
    private let scratch: Scratch
    private let options: [String]

    init() throws {
        scratch = try Scratch()
        let path = try scratch.write(Array(FleetFixture.text().utf8), to: "fleet.toml")
        try FileManager.default.createDirectory(
            atPath: scratch.file("state"), withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        options = ["--inventory", path, "--state", scratch.file("state")]
    }

    private func run(_ words: String...) async throws {
        var command = try ClavitorSOC.parseAsRoot(words + options)
        if var asynchronous = command as? any AsyncParsableCommand {
            try await asynchronous.run()
        } else {
            try command.run()
        }
    }

    private var inventory: Inventory {
        get throws { try InventoryFile(scratch.file("fleet.toml")).read() }
    }

    /// An empty state directory with an inventory whose nodes are in use, as on another operator's machine.
    @Test func keysCreatedElsewhereAreKept() async throws {
        try await run("keys", "generate")
        let before = try scratch.read("fleet.toml")
        try FileManager.default.removeItem(atPath: scratch.file("state/keys"))
        await #expect(throws: KeyStoreError.madeElsewhere("tokyo")) { try await run("keys", "generate", "tokyo") }
        #expect(try scratch.read("fleet.toml") == before)
        // No key is generated if one of the named nodes cannot have one.
        try InventoryFile(scratch.file("fleet.toml")).edit { try $0.setting("public-key", of: "seoul", to: "") }
        await #expect(throws: KeyStoreError.madeElsewhere("tokyo")) {
            try await run("keys", "generate", "seoul", "tokyo")
        }
        #expect(try inventory.node("seoul").publicKey.isEmpty)
        #expect(KeyStoreError.madeElsewhere("tokyo") as any Error is any PreconditionError)
    }

    @Test func aLongStateDirectoryFailsSSHCommandsOnly() throws {
        let long = scratch.file("state/" + String(repeating: "x", count: 70))
        let context = try OperatorContext(try OperatorOptions.parse(options.dropLast() + [long]))
        _ = try context.keys()
        let error = #expect(throws: SSHError.pathTooLong("\(long)/ssh")) { try context.ssh }
        #expect(try #require(error).isPreconditionError)
    }

    @Test func theOptionOfAMissingFileIsNamed() async throws {
        let error = await #expect(throws: CommandFailure.self) {
            try await run("break-glass", "enable", "--from", "192.0.2.7", "--key-file", scratch.file("none"))
        }
        #expect(try #require(error).code == 2)
        #expect(try #require(error).description.hasPrefix("--key-file: "))
        #expect(AgeSettingsError.noRecipients as any Error is any PreconditionError)
    }

    @Test func printingAPlanChangesNothing() async throws {
        let key = BreakGlassEditTests.key
        let journal = ProvisionJournal(folder: scratch.file("state/provision"), node: "tokyo")
        try FileManager.default.createDirectory(
            atPath: scratch.file("state/provision"), withIntermediateDirectories: false)
        try journal.add(.convert, on: try HostKey(key), at: 1)
        try scratch.write(Array("{}".utf8), to: "flake.nix")
        try scratch.write(Array(FlakeLockTests.text.utf8), to: "flake.lock")
        let script = try scratch.write(Array("echo\n".utf8), to: "infect")
        let hash = String(try await Tool("/usr/bin/sha256sum", [script]).output.prefix { $0 != " " })
        let zeros = String(repeating: "0", count: 64)
        func provision(_ path: String, _ hash: String) async throws {
            let words = [
                "provision", "tokyo", "--dry-run", "--restart", "--host-key", key, "--flake", scratch.path, "--infect",
                path, "--infect-sha256", hash,
            ]
            let command = try ClavitorSOC.parseAsRoot(words + options) as? ProvisionCommand
            try await command?.run()
        }
        // An incomplete inventory is rejected first.
        await #expect(throws: DeployPreconditionError.self) { try await provision(script, hash) }
        try disableOptionalDuties()
        try await provision(script, hash)
        #expect(try journal.done(on: try HostKey(key)) == [.convert])
        for path in [script, scratch.file("none")] {
            await #expect(throws: (any Error).self) { try await provision(path, zeros) }
        }
        #expect(try journal.done(on: try HostKey(key)) == [.convert])
    }

    /// An inventory with all keys that disables the optional duties.
    private func disableOptionalDuties() throws {
        let key = String(repeating: "A", count: 43) + "="
        let text =
            String(decoding: try scratch.read("fleet.toml"), as: UTF8.self)
            .replacing(
                "from = []", with: "from = []\nenabled = false\n[backup]\nenabled = false\n[notify]\nenabled = false")
                + """
                [[operator]]
                name = "ana"
                address = "127.0.84.200"
                public-key = "\(key)"
                ssh-key = "ssh-ed25519 AAAA"

                """
        var whole = text
        for (index, name) in ["zurich", "tokyo", "seoul", "dallas"].enumerated() {
            let own = key.replacing("AA", with: "B\(index)", maxReplacements: 1)
            whole = try InventoryText(whole).setting("public-key", of: name, to: own).text
        }
        try scratch.write(Array(whole.utf8), to: "fleet.toml")
    }
}
