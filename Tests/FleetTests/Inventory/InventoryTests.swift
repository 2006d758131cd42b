import Fleet
import Foundation
import Testing
import Wire

@Suite struct InventoryTests {
    static let root = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static func real() throws -> String {
        try String(contentsOf: root.appending(path: "nix/fleet.toml"), encoding: .utf8)
    }

    @Test func theRealInventoryIsRead() throws {
        let inventory = try Inventory(toml: try Self.real())
        #expect(inventory.nodes.count == 16)
        #expect(inventory.hub?.name == "zurich")
        #expect(try inventory.node("sao-paulo").city == "São Paulo")
        #expect(try InventoryProblems.found(in: try Self.real()) == [])
        #expect(inventory.nodesBody.nodes.first?.url == "https://zurich.clavitor.com")
        #expect(inventory.freeAddress == "10.84.0.17")
    }

    @Test func coordinatesMayBeIntegers() throws {
        let text = try Self.real().replacing("latitude = 47.38", with: "latitude = 47")
        #expect(try Inventory(toml: text).node("zurich").latitude == 47)
        #expect(try InventoryProblems.found(in: text) == [])
    }

    @Test func anUnknownNodeIsReportedWithTheExistingOnes() throws {
        let error = #expect(throws: InventoryError.self) { try Inventory(toml: try Self.real()).node("tokio") }
        #expect("\(try #require(error))".contains("tokyo"))
    }

    @Test(arguments: InventoryFault.all)
    func aFaultIsReported(_ fault: InventoryFault) throws {
        let text = try Self.real()
        let faulty = text.replacing(fault.old, with: fault.new, maxReplacements: 1)
        try #require(faulty != text)
        #expect(try InventoryProblems.found(in: faulty).contains(fault.sentence))
    }

    @Test(arguments: [
        "192.0.2.53", "192.0.2.53:5353", "ns.example.org", "ns.example.org:53", "2001:db8::53", "[2001:db8::53]",
        "[2001:db8::53]:53",
    ])
    func serverAddressesAreAccepted(_ text: String) {
        #expect(InventoryForms.isServer(text))
    }

    @Test func aDateIsRejectedBecauseNixCannotReadIt() throws {
        let text = try Self.real().replacing("region = \"oceania\"", with: "region = \"oceania\"\nsince = 2026-01-01")
        #expect(
            try InventoryProblems.found(in: text)
                == ["node.since is a date or a time, which Nix cannot read; it must be in quotes"])
    }

    @Test func aWrongTypeIsNotReportedAsMissing() throws {
        let text = try Self.real().replacing("port = 51820", with: "port = \"51820\"")
        #expect(throws: InventoryError.faulty(["[fleet]'s port must be an integer"])) { try Inventory(toml: text) }
    }

    private static let folder = root.appending(path: "nix").path(percentEncoded: false)

    /// Evaluates a Nix expression that reads texts as JSON from standard input.
    private static func evaluate<Told: Decodable>(_ expression: String, over texts: [String]) async throws -> Told {
        let outcome = try await SystemProcesses().run(
            ChildProcess(
                "nix-instantiate", ["--eval", "--strict", "--json", "-E", expression],
                input: String(decoding: try JSONEncoder().encode(texts), as: UTF8.self), deadline: .seconds(120)))
        try #require(outcome.status == 0, "\(outcome.errors)")
        return try JSONDecoder().decode(Told.self, from: Data(outcome.output.utf8))
    }

    /// Swift and Nix read the inventory and must report the same sentences.
    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/nix-instantiate")))
    func nixReportsTheSameProblems() async throws {
        let text = try Self.real()
        let texts = [text] + InventoryFault.all.map { text.replacing($0.old, with: $0.new, maxReplacements: 1) }
        let folder = Self.folder
        let expression = """
            map (text: (import \(folder)/fleet.nix { fleet = builtins.fromTOML text; }).problems)
              (builtins.fromJSON (builtins.readFile "/dev/stdin"))
            """
        let reported: [[String]] = try await Self.evaluate(expression, over: texts)
        for (index, faulty) in texts.enumerated() {
            let ours = try InventoryProblems.found(in: faulty)
            #expect(ours == reported[index])
        }
    }

    /// Nix does not build a system without the keys that are reported here.
    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/nix-instantiate")))
    func nixReportsTheSameMissingKeys() async throws {
        let real = try Self.real()
        let declined = real.replacing("from = []  ", with: "enabled = false\nfrom = []  ")
            .replacing("recipients = []", with: "enabled = false\nrecipients = []")
            .replacing("[provider.vultr]", with: "[notify]\nenabled = false\n[provider.vultr]")
        let notified = real.replacing(
            "[provider.vultr]", with: "[[channel]]\nname = \"phone\"\ntype = \"ntfy\"\n[provider.vultr]")
        let texts = [real, declined, notified]
        let folder = Self.folder
        let expression = """
            map (text: let fleet = import \(folder)/fleet.nix { fleet = builtins.fromTOML text; }; in
              map fleet.missingFor [ fleet.byName.zurich fleet.byName.tokyo ])
              (builtins.fromJSON (builtins.readFile "/dev/stdin"))
            """
        let reported: [[[String]]] = try await Self.evaluate(expression, over: texts)
        for (index, text) in texts.enumerated() {
            let inventory = try Inventory(toml: text)
            let ours = try ["zurich", "tokyo"].map { inventory.missing(for: try inventory.node($0)) }
            #expect(ours == reported[index])
        }
        // Keys and an operator are required; three duties can be disabled.
        #expect(
            reported[0].map(\.count) == [6, 5] && reported[1].map(\.count) == [3, 3]
                && reported[2].map(\.count) == [5, 5])
    }

    @Test func nixRendersTheSameNodeListForClients() async throws {
        guard FileManager.default.isExecutableFile(atPath: "/usr/bin/nix-instantiate") else { return }
        let folder = Self.root.appending(path: "nix").path(percentEncoded: false)
        let outcome = try await SystemProcesses().run(
            ChildProcess(
                "nix-instantiate",
                ["--eval", "--strict", "--json", "-E", "(import \(folder)/fleet.nix { }).nodesBody"],
                deadline: .seconds(60)))
        let theirs = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? NSDictionary
        let body = try Inventory(toml: try Self.real()).nodesBody
        let ours = try JSONSerialization.jsonObject(with: try JSONEncoder().encode(body)) as? NSDictionary
        #expect(theirs != nil && theirs == ours)
    }
}
