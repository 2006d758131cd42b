import Files
import Fleet
import Foundation
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2))) struct InventoryFileTests {
    private let scratch: Scratch
    private let file: InventoryFile

    init() throws {
        scratch = try Scratch()
        file = InventoryFile(try scratch.write(Array(try InventoryTests.real().utf8), to: "fleet.toml"))
    }

    @Test func concurrentEditsAreAllApplied() async throws {
        let names = try file.read().nodes.map(\.name)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, name) in names.enumerated() {
                group.addTask { try file.edit { try $0.setting("ipv4", of: name, to: "192.0.2.\(index + 1)") } }
            }
            try await group.waitForAll()
        }
        #expect(try file.read().nodes.map(\.ipv4) == names.indices.map { "192.0.2.\($0 + 1)" })
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path) == ["fleet.toml"])
    }

    @Test func concurrentReplacementsSucceed() async throws {
        let path = scratch.file("config")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<8 {
                group.addTask {
                    for _ in 0..<20 { try File.replace(path, with: "\(number)", mode: 0o600) }
                }
            }
            try await group.waitForAll()
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path).sorted() == ["config", "fleet.toml"])
    }

    /// As on a full disk, where a remaining file would take up more room.
    @Test func aFailedReplacementLeavesNoFile() throws {
        try FileManager.default.createDirectory(
            atPath: scratch.file("taken/by"), withIntermediateDirectories: true)
        #expect(throws: SystemCallError.self) { try File.replace(scratch.file("taken"), with: "x", mode: 0o600) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path).sorted() == ["fleet.toml", "taken"])
    }

    @Test func anInvalidInventoryIsNotWritten() throws {
        let before = try file.text()
        for (key, value) in [("ipv4", "300.1.1.1"), ("domain", "\(String(repeating: "a", count: 82)).com")] {
            #expect(throws: InventoryError.self) { try file.edit { try $0.setting(key, of: "tokyo", to: value) } }
        }
        #expect(try file.text() == before)
    }

    @Test func aMissingInventoryIsReportedWithARemedy() throws {
        let none = InventoryFile(scratch.file("nix/fleet.toml"))
        for ask in [{ _ = try none.text() }, { _ = try none.readValid() }, { try none.edit { $0 } }] {
            let refusal = #expect(throws: InventoryError.notThere(none.path)) { try ask() }
            #expect(try #require(refusal).description.contains("--inventory"))
        }
    }

    @Test func removingANodeListsTheRemainingWork() throws {
        try file.edit { try $0.setting("ipv4", of: "tokyo", to: "203.0.113.7") }
        var inventory = try file.read()
        let tokyo = try inventory.node("tokyo")
        inventory.nodes.removeAll { $0.name == "tokyo" }
        inventory.dns = try sampleFleet(2).dns
        inventory.dns?.provider = .gdnsd
        let left = inventory.remains(of: tokyo)
        for words in [
            "clavitor-soc deploy", "clavitor-monitor node remove tokyo", "delete tokyo.clavitor.com A 203.0.113.7",
            "clavitor-soc dns apply: 203.0.113.7 leaves api.example.org", "clavitor-soc dns gdnsd-config",
            "secrets/tokyo",
        ] {
            #expect(left.contains { $0.contains(words) }, "\(words)")
        }
        inventory.dns?.provider = .rfc2136
        #expect(!inventory.remains(of: tokyo).contains { $0.contains("gdnsd") })
    }

    /// For other programs, with the keys of the file.
    @Test func encodingANodeInvertsDecoding() throws {
        let tokyo = try file.read().node("tokyo")
        let json = try JSONEncoder().encode(tokyo)
        #expect(try JSONDecoder().decode(Node.self, from: json) == tokyo)
        #expect(String(decoding: json, as: UTF8.self).contains("\"public-key\":\"\""))
    }

    @Test func renamingANodeListsWhatKeepsTheOldName() throws {
        let before = try file.read().node("tokyo")
        try file.edit { try $0.setting("name", of: "tokyo", to: "edo") }
        let inventory = try file.read()
        let left = inventory.remains(afterSetting: .name, of: before, now: try inventory.node("edo"))
        for words in [
            "mv secrets/tokyo secrets/edo", "mv tokyo.key edo.key", "node remove tokyo", "tokyo.clavitor.com",
        ] {
            #expect(left.contains { $0.contains(words) }, "\(words)")
        }
        var moved = before
        (moved.ipv4, moved.domain) = ("203.0.113.8", "edo.clavitor.com")
        let names = inventory.remains(afterSetting: .domain, of: before, now: moved)
        #expect(names.contains { $0.contains("edo.clavitor.com A 203.0.113.8") })
        #expect(inventory.remains(afterSetting: .tier, of: before, now: before).isEmpty)
    }
}
