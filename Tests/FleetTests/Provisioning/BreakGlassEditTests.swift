import Fleet
import Foundation
import Testing

@Suite struct BreakGlassEditTests {
    static let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGjvxkY4IkHBkP8VHGCIYsfO1xsLW0SvjPXD2yyHiJzu"
    static let text = """
        # The fleet.
        [fleet]
        network = "10.84.0.0/24"
        port = 51820
        monitor = "monitor.example.org"

        [break-glass]   # the door
        ssh-key = ""                       # in a safe
        # from: a few addresses
        from = []   # "[" and "]"

        [provider.vultr]
        disk = "/dev/vda"
        root = "/dev/vda1"
        [tier.mini]
        usd = 2.5
        [[node]]
        name = "n1"
        city = "City"
        region = "r1"
        latitude = 1.0
        longitude = 2.0
        domain = "n1.example.org"
        provider = "vultr"
        tier = "mini"
        role = "hub"
        address = "10.84.0.1"
        ipv4 = ""
        public-key = ""
        host-key = ""

        """

    @Test func onlyTheTwoValuesChangeAndRevert() throws {
        let edit = try BreakGlassEdit(sshKey: Self.key + " somebody@somewhere", from: ["192.0.2.7", "198.51.100.9"])
        let enabled = try edit.edited(InventoryText(Self.text))
        let expected = Self.text
            .replacing("ssh-key = \"\"    ", with: "ssh-key = \"\(Self.key)\"    ")
            .replacing("from = []", with: "from = [\"192.0.2.7\", \"198.51.100.9\"]")
        #expect(enabled.text == expected)
        #expect(try BreakGlassEdit.disable.edited(enabled).text == Self.text)
    }

    @Test(arguments: [
        ("", "192.0.2.7"), ("hello", "192.0.2.7"), ("ssh-rsa AAAA", "192.0.2.7"),
        ("ssh-ed25519 AAAA\",command=\"x", "192.0.2.7"), (key, "example.org"), (key, "192.0.2.0/24"), (key, ""),
    ])
    func invalidKeysAndAddressesAreRejected(_ key: String, _ from: String) {
        #expect(throws: BreakGlassError.self) { try BreakGlassEdit(sshKey: key, from: ["192.0.2.8", from]) }
        #expect(throws: BreakGlassError.self) { try BreakGlassEdit(sshKey: key, from: []) }
    }

    @Test(arguments: [
        ("[break-glass]   # the door\n", ""), ("ssh-key = \"\"", "\"ssh-key\" = \"\""),
        ("from = []", "from = [\n]"),
    ])
    func unknownFormattingIsNotEdited(_ ours: String, _ other: String) throws {
        let text = InventoryText(Self.text.replacing(ours, with: other))
        let edit = try BreakGlassEdit(sshKey: Self.key, from: ["192.0.2.7", "198.51.100.9"])
        #expect(throws: (any Error).self) { try edit.edited(text) }
    }

    @Test func thePlanRequiresADeploy() throws {
        let inventory = try Inventory(toml: Self.text)
        let plan = BreakGlassEdit.disable.plan(inventory.breakGlass, nodes: 16)
        #expect(plan.last == "then: clavitor-soc deploy, to all 16 nodes; the emergency sshd is gone")
    }

    @Test func anOldTestIsDue() throws {
        let nodes = try sampleFleet(3).nodes
        var tests = BreakGlassTestRecord(passed: ["n1": 1_000_000, "n2": 1_000_000 - 91 * 86_400])
        #expect(tests.due(nodes, after: 90, now: 1_000_000) == ["n2", "n3"])
        tests.passed["n3"] = 1_000_000
        #expect(tests.due(nodes, after: 90, now: 1_000_000 + 90 * 86_400) == ["n2"])
        #expect(tests.due(nodes, after: 90, now: 1_000_001 + 90 * 86_400) == ["n1", "n2", "n3"])
    }
}
