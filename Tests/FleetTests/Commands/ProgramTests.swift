import ArgumentParser
import Fleet
import Foundation
import TestSupport
import Testing

@testable import clavitor_soc

@Suite struct SettingsTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func settings(_ text: String) throws -> Settings {
        try Settings(path: try scratch.write(Array(text.utf8), to: "soc.toml"))
    }

    @Test func allSettingsAreOptional() throws {
        #expect(try Settings(path: scratch.file("none.toml")) == Settings())
        #expect(try settings("") == Settings())
        let some = try settings("ssh-key = \"/k\"\nage-recipients = [\"age1x\"]\n")
        #expect(some.sshKey == "/k")
        #expect(some.ageRecipients == ["age1x"])
    }

    @Test func anUnknownKeyIsNamed() throws {
        let error = #expect(throws: CommandFailure.self) { try settings("ssh_key = \"/k\"\n") }
        #expect(try #require(error).description.hasSuffix("soc.toml: unknown keys: ssh_key"))
        #expect(throws: CommandFailure.self) { try settings("ssh-key = 5\n") }
        #expect(throws: CommandFailure.self) { try settings("ssh-key = \n") }
    }

    @Test func theStateDirectoryIsReadableByTheOperatorOnly() throws {
        var options = OperatorOptions()
        options.state = nil
        let made = try options.stateDirectory(["HOME": scratch.path])
        #expect(made == scratch.file(".local/state/clavitor-soc"))
        let mode = try FileManager.default.attributesOfItem(atPath: made)[.posixPermissions] as? Int
        #expect(mode == 0o700)
        #expect(
            try options.stateDirectory(["HOME": "/h", "XDG_STATE_HOME": scratch.path])
                == scratch.file("clavitor-soc"))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: made)
        #expect(throws: CommandFailure.self) { try options.stateDirectory(["HOME": scratch.path]) }
        #expect(throws: CommandFailure.self) { try options.stateDirectory([:]) }
    }
}

@Suite struct FleetCommandTests {
    private let scratch: Scratch
    private let path: String

    init() throws {
        scratch = try Scratch()
        path = try scratch.write(Array(FleetFixture.text().utf8), to: "fleet.toml")
    }

    private func run(_ words: String...) throws {
        var command = try FleetCommand.parseAsRoot(words + ["--inventory", path])
        try command.run()
    }

    private var inventory: Inventory {
        get throws { try Inventory(toml: String(decoding: try scratch.read("fleet.toml"), as: UTF8.self)) }
    }

    private static let oslo = [
        "oslo", "--city", "Oslo", "--region", "europe", "--latitude", "59.9", "--longitude", "-10.7", "--domain",
        "oslo.example.com", "--provider", "vultr", "--tier", "mini",
    ]

    @Test func aNodeIsAddedChangedAndRemoved() throws {
        var add = try FleetCommand.parseAsRoot(["add"] + Self.oslo + ["--inventory", path])
        try add.run()
        #expect(try inventory.node("oslo").address == "127.0.84.5")
        #expect(try inventory.node("oslo").longitude == -10.7)
        try run("set", "oslo", "ipv4", "203.0.113.9")
        #expect(try inventory.node("oslo").ipv4 == "203.0.113.9")
        // Values that only an operator can choose are missing.
        #expect(throws: ExitCode(1)) { try run("check") }
        try run("remove", "oslo")
        #expect(try scratch.read("fleet.toml") == Array(FleetFixture.text().utf8))
    }

    @Test func anInvalidEditIsNotWritten() throws {
        let before = try scratch.read("fleet.toml")
        #expect(throws: InventoryError.self) { try run("set", "tokyo", "host-key", "ssh-rsa AAAA") }
        #expect(throws: InventoryError.self) { try run("set", "tokyo", "address", "127.0.84.3") }
        #expect(throws: InventoryError.self) { try run("remove", "zurich") }
        #expect(try scratch.read("fleet.toml") == before)
    }

    @Test func aProblemIsReportedByTheExitCode() throws {
        try scratch.write(Array(FleetFixture.text().replacing("mini\"", with: "huge\"").utf8), to: "fleet.toml")
        #expect(throws: ExitCode.self) { try run("check") }
    }
}

@Suite struct DeployOptionTests {
    @Test(arguments: [
        ["--soak", "-1"], ["--max-unavailable", "0"], ["--rollback-after", "5"], ["--resume", "--dry-run"],
        ["--no-such"],
    ])
    func invalidOptionsAreUsageErrors(_ words: [String]) {
        let error = #expect(throws: (any Error).self) { try DeployCommand.parse(words) }
        #expect(error.map { DeployCommand.exitCode(for: $0) } == .validationFailure)
        #expect(ExitCode.validationFailure.rawValue == 64)
    }

    @Test func theVersionIsReadFromTheNewProgram() async throws {
        let dist = try Scratch()
        try dist.write(Array("{}".utf8), to: "flake.nix")
        let flake = try Flake(dist.path, dist: dist.path)
        let refusal = await #expect(throws: FlakePreconditionError.self) { try await flake.version(SystemProcesses()) }
        #expect("\(try #require(refusal))".contains("make static"))
        try NodeRig.program(dist.file("clavitor-node"), "[ \"$1\" = --version ] && echo 2.5")
        #expect(try await flake.version(SystemProcesses()) == "2.5")
        // Otherwise the confirmation check would require no version.
        try NodeRig.program(dist.file("clavitor-node"), "exit 0")
        await #expect(throws: FlakePreconditionError.self) { try await flake.version(SystemProcesses()) }
    }

    @Test func aRollbackNamesANodeOrAll() throws {
        #expect(throws: (any Error).self) { try RollbackCommand.parse([]) }
        #expect(throws: (any Error).self) { try RollbackCommand.parse(["tokyo", "--all"]) }
        #expect(try RollbackCommand.parse(["tokyo", "seoul", "--soak", "0"]).nodes == ["tokyo", "seoul"])
    }
}

@Suite struct DisplayTests {
    @Test func controlCharactersAreNotPrinted() {
        let said = Terminal.shown("tokyo's unit is \u{1b}[2K\u{1b}]52;c;cm0=\u{7}\r\u{9b}31m\u{202e}\nand\tmore")
        #expect(said.unicodeScalars.filter { $0.value < 32 } == ["\n", "\t"])
        #expect(!said.unicodeScalars.contains("\u{9b}") && !said.unicodeScalars.contains("\u{202e}"))
    }

    @Test func jsonEscapesControlCharacters() throws {
        let said = "\u{9b}2J \u{202e}\u{7f} é\n"
        let json = String(decoding: try JSONEncoder().encode([said]), as: UTF8.self)
        let escaped = Terminal.escaped(json)
        #expect(!escaped.unicodeScalars.contains { "\u{9b}\u{202e}\u{7f}".unicodeScalars.contains($0) })
        #expect(try JSONDecoder().decode([String].self, from: Data(escaped.utf8)) == [said])
    }

    @Test func controlCharactersFromANodeAreNotPrinted() throws {
        let text = DeployDisplay.text(
            DeployEvent(.rolledBack, node: "tokyo", text: "tokyo: rolled back: \u{1b}[2J\r\nall is well"))
        #expect(text?.unicodeScalars.contains { $0.value < 32 } == false)
        #expect(DeployDisplay.text(DeployEvent(.ended, result: .rolledBack)) == "rolled back")
    }
}
