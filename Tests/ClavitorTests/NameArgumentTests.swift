import Console
import Testing
import VaultFormat
import Wire

@testable import clavitor

/// Arguments that name entries, agents and sessions.
@Suite struct NameArgumentTests {
    private static let old = "-AAAAAAAAAAAAAAAAAAAAA"

    @Test func anIDThatBeginsWithADashIsNoOption() {
        let id = Self.old
        #expect(NameArgument.marked(["get", id, "--json", "-h"]) == ["get", "id:\(id)", "--json", "-h"])
        #expect(NameArgument.marked(["get", "\(id)/key"]) == ["get", "id:\(id)/key"])
        #expect(NameArgument.marked(["run", "--", id]) == ["run", "--", id])
        #expect(NameArgument.name("id:\(id)/key") == "\(id)/key")
        #expect(NameArgument.name("Bank") == "Bank")
        #expect(NameArgument.marked(["--twenty-two-letters-a", "-short"]) == ["--twenty-two-letters-a", "-short"])
    }

    @Test func newIDsNeverBeginWithADash() {
        #expect((0..<2_000).allSatisfy { _ in EntryID.random().text.first != "-" })
    }

    private static func entry(_ title: String, _ labels: [String]) -> EntryBody {
        EntryBody(
            id: EntryID.random().text, version: 1, title: title, type: "login", urls: nil, tags: nil, notes: nil,
            createdAt: 0,
            updatedAt: 0, deletedAt: nil, depositor: nil,
            fields: labels.map { FieldBody(id: FieldID.random().text, label: $0, kind: "text", tier: 1, version: 1) })
    }

    private func target(_ path: String, in entries: [EntryBody]) throws -> (entry: EntryBody, field: FieldBody?) {
        try EntryFinder.target(path, EntryFinder.cuts(of: path), in: entries)
    }

    @Test func anUnambiguousPathResolves() throws {
        let entries = [Self.entry("Hooks", ["prod/url"]), Self.entry("AC/DC", ["key"])]
        #expect(try target("hooks/prod/url", in: entries).field?.label == "prod/url")
        #expect(try target("AC/DC/key", in: entries).field?.label == "key")
        let whole = try target("ac/dc", in: entries)
        #expect(whole.entry.title == "AC/DC" && whole.field == nil)
    }

    /// An agent may deposit an entry whose title looks like a field of another one.
    @Test(arguments: [
        [entry("Hooks", ["prod/url"]), entry("Hooks/prod", ["url"])],
        [entry("Hooks", ["prod/url"]), entry("Hooks/prod/url", [])],
        [entry("Hooks/prod", ["url"]), entry("Hooks/prod", ["url"])],
        [entry("Hooks/prod", ["url", "URL"])],
    ])
    func aPathWithSeveralIsRefusedWithIDs(_ entries: [EntryBody]) {
        let failure = #expect(throws: CommandFailure.self) { try target("Hooks/prod/url", in: entries) }
        #expect(failure?.outcome == .conflict)
        #expect(entries.allSatisfy { failure?.message.contains($0.id) == true })
    }

    @Test func missingNamesAreReported() {
        let entries = [Self.entry("Hooks", ["url"])]
        let field = #expect(throws: CommandFailure.self) { try target("Hooks/key", in: entries) }
        #expect(field?.message.contains("no field") == true)
        let entry = #expect(throws: CommandFailure.self) { try target("Other/key", in: entries) }
        #expect(entry?.message.contains("no entry") == true)
    }
}

@Suite struct SecretSourceTests {
    @Test(arguments: [
        ("one line\n", "one line"), ("one line\r\n", "one line"), ("one line", "one line"),
        ("one line\n\n", "one line\n\n"), ("one line\u{2028}", "one line\u{2028}"), ("one line\r", "one line\r"),
        ("one line\u{85}", "one line\u{85}"), ("\n", ""), ("", ""),
        ("-----BEGIN KEY-----\nAA\n-----END KEY-----\n", "-----BEGIN KEY-----\nAA\n-----END KEY-----\n"),
        ("two\r\nlines\r\n", "two\r\nlines\r\n"),
    ])
    func onlyASingleLineLosesItsEnd(_ bytes: String, _ value: String) {
        #expect(String(decoding: Array(bytes.utf8).withoutEndOfSingleLine, as: UTF8.self) == value)
    }
}
