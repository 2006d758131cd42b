import Fleet
import Foundation
import Testing

@Suite struct InventoryTextTests {
    private let real: String

    init() throws {
        real = try InventoryTests.real()
    }

    private func node(_ name: String) -> Node {
        Node(
            name: name, city: "Reykjavík \"R\"", region: "europe", latitude: 64.15, longitude: -21.94,
            domain: "\(name).clavitor.com", provider: "vultr", tier: "mini", address: "10.84.0.17")
    }

    @Test func addingChangesNothingElse() throws {
        let edited = try InventoryText(real).adding(node("reykjavik")).text
        #expect(edited.hasPrefix(real))
        #expect(try Inventory(toml: edited).nodes.last == node("reykjavik"))
        #expect(try InventoryProblems.found(in: edited) == [])
    }

    @Test func removingANodeUndoesAddingIt() throws {
        #expect(try InventoryText(real).adding(node("reykjavik")).removing("reykjavik").text == real)
    }

    @Test func namesAreUnique() throws {
        #expect(throws: InventoryError.alreadyThere("tokyo")) { try InventoryText(real).adding(node("tokyo")) }
    }

    @Test func removingANodeRemovesOneEntry() throws {
        let edited = try InventoryText(real).removing("seoul").text
        #expect(try Inventory(toml: edited).nodes.map(\.name).contains("seoul") == false)
        let gone = Set(real.components(separatedBy: "\n")).subtracting(edited.components(separatedBy: "\n"))
        #expect(
            gone.allSatisfy { $0.lowercased().contains("seoul") || $0.contains("10.84.0.11") || $0.contains("itude") })
        #expect(edited.contains("# One entry per node. Nodes of the same region"))
    }

    @Test func allButTheLastCanBeRemoved() throws {
        var text = InventoryText(real)
        for node in try Inventory(toml: real).spokes { text = try text.removing(node.name) }
        #expect(try Inventory(toml: text.text).nodes.map(\.name) == ["zurich"])
        #expect(text.text.contains("# One entry per node."))
        #expect(throws: InventoryError.notWritten("zurich")) { try text.removing("zurich") }
    }

    @Test func settingAValueKeepsItsComment() throws {
        let commented = real.replacing("name = \"tokyo\"", with: "  name  =  \"tokyo\"   # not \"kyoto\"")
            .replacing("ipv4 = \"\"", with: "ipv4 = \"\"\t# none yet")
        let edited = try InventoryText(commented).setting("ipv4", of: "tokyo", to: "203.0.113.7").text
        #expect(try Inventory(toml: edited).node("tokyo").ipv4 == "203.0.113.7")
        #expect(edited.replacing("ipv4 = \"203.0.113.7\"", with: "ipv4 = \"\"") == commented)
    }

    @Test func everyKeyCanBeSet() throws {
        for key in Node.CodingKeys.allCases {
            let value =
                switch key {
                case .role: "hub"
                case .latitude, .longitude: "-12.5"
                default: "a\\b \"c\" # d"
                }
            let edited = try InventoryText(real).setting(key.rawValue, of: "tokyo", to: value)
            #expect(edited.text != real)
        }
        #expect(throws: InventoryError.noSuchKey("adress")) {
            try InventoryText(real).setting("adress", of: "tokyo", to: "x")
        }
    }

    @Test func unknownFormattingIsNotEdited() throws {
        let strange = real.replacing(
            "ipv4 = \"\"\npublic-key = \"\"\nhost-key = \"\"\n\n[[node]]\nname = \"tokyo\"",
            with: "ipv4 = \"\"\npublic-key = \"\"\nhost-key = \"\"\n\n[[node]]\nname = \"\"\"\ntokyo\"\"\"")
        try #require(strange != real)
        #expect(throws: InventoryError.notWritten("tokyo")) {
            try InventoryText(strange).setting("ipv4", of: "tokyo", to: "203.0.113.7")
        }
    }

    @Test func otherLineEndingsAreKept() throws {
        let edited = try InventoryText(real.replacing("\n", with: "\r\n")).setting("tier", of: "tokyo", to: "small")
            .text
        #expect(try Inventory(toml: edited).node("tokyo").tier == "small")
        #expect(edited.utf8.filter { $0 == 13 }.count == real.utf8.filter { $0 == 10 }.count)
    }
}
