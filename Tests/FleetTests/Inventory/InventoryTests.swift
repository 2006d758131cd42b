import Foundation
import Testing
import Wire

@testable import Fleet

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

    @Test func degreesMayBeWhole() throws {
        let text = try Self.real().replacing("latitude = 47.38", with: "latitude = 47")
        #expect(try Inventory(toml: text).node("zurich").latitude == 47)
        #expect(try InventoryProblems.found(in: text) == [])
    }

    @Test func aMissingNodeIsAnsweredWithThoseThatAreThere() throws {
        let error = #expect(throws: InventoryError.self) { try Inventory(toml: try Self.real()).node("tokio") }
        #expect("\(try #require(error))".contains("tokyo"))
    }

    /// A change of the text and the sentence that must tell of it.
    struct Fault: CustomTestStringConvertible, Sendable {
        let old: String
        let new: String
        let sentence: String

        var testDescription: String { sentence }

        init(_ old: String, _ new: String, _ sentence: String) {
            (self.old, self.new, self.sentence) = (old, new, sentence)
        }
    }

    static let key = String(repeating: "A", count: 43) + "="
    static let operatorEntry = """
        [[operator]]
        name = "soc"
        address = "10.84.0.200"
        public-key = "\(key)"
        ssh-key = "ssh-ed25519 AAAA soc"

        [provider.vultr]
        """
    static let tokyoRole = "role = \"spoke\"\naddress = \"10.84.0.2\"\nipv4 = \"\"\npublic-key = \"\"\nhost-key = \"\""

    static let faults = [
        Fault("name = \"tokyo\"", "name = \"seoul\"", "name seoul is there twice"),
        Fault("10.84.0.2\"", "10.84.0.11\"", "address 10.84.0.11 is there twice"),
        Fault("tokyo.clavitor.com", "seoul.clavitor.com", "domain seoul.clavitor.com is there twice"),
        Fault("role = \"hub\"", "role = \"spoke\"", "the fleet has 0 hubs; it needs one"),
        Fault(tokyoRole, tokyoRole.replacing("spoke", with: "hub"), "the fleet has 2 hubs; it needs one"),
        Fault(tokyoRole, tokyoRole.replacing("spoke", with: "hob"), "tokyo's role is hub or spoke, not hob"),
        Fault(
            "10.84.0.2\"", "10.85.0.2\"",
            "tokyo's address is 10.85.0.2: the hub has .1 of 10.84.0.0/24, a spoke .2 to .199"),
        Fault(
            "10.84.0.2\"", "10.84.0.02\"",
            "tokyo's address is 10.84.0.02: the hub has .1 of 10.84.0.0/24, a spoke .2 to .199"),
        Fault(
            "10.84.0.2\"", "10.84.0.254\"",
            "tokyo's address is 10.84.0.254: the hub has .1 of 10.84.0.0/24, a spoke .2 to .199"),
        Fault(
            tokyoRole, tokyoRole.replacing("public-key = \"\"", with: "public-key = \"abc=\""),
            "tokyo's public-key is no WireGuard key"),
        Fault(
            tokyoRole, tokyoRole.replacing("host-key = \"\"", with: "host-key = \"ssh-rsa AAAA\""),
            "tokyo's host-key is not of the form ssh-ed25519 …"),
        Fault(
            tokyoRole, tokyoRole.replacing("ipv4 = \"\"", with: "ipv4 = \"tokyo.clavitor.com\""),
            "tokyo's ipv4 is no address: tokyo.clavitor.com"),
        Fault(
            "name = \"tokyo\"", "name = \"To kyo\"", "\"To kyo\" is no name: small letters, digits and hyphens"),
        Fault("name = \"tokyo\"", "name = \"tokyo-\"", "\"tokyo-\" is no name: small letters, digits and hyphens"),
        Fault("\"tokyo.clavitor.com\"", "\"tokyo\"", "tokyo's domain is no DNS name: \"tokyo\""),
        Fault("\"tokyo.clavitor.com\"", "\"tokyo..com\"", "tokyo's domain is no DNS name: \"tokyo..com\""),
        Fault("region = \"oceania\"", "region = \"\"", "sydney needs a city and a region"),
        Fault("latitude = 35.68", "latitude = 135.68", "tokyo is nowhere on earth"),
        Fault("longitude = 139.69", "longitude = -181", "tokyo is nowhere on earth"),
        Fault(
            "tokyo.clavitor.com\"\nprovider = \"vultr\"", "tokyo.clavitor.com\"\nprovider = \"acme\"",
            "tokyo is with an unknown provider, acme"),
        Fault("tier = \"hostkey-mini\"", "tier = \"huge\"", "dubai has an unknown tier, huge"),
        Fault("city = \"Tokyo\"", "city = \"Tokyo\"\nprivate-key = \"x\"", "tokyo has an unknown key, private-key"),
        Fault("latitude = 35.68\n", "", "tokyo has no latitude"),
        Fault("name = \"tokyo\"\n", "", "a node has no name"),
        Fault(
            "[provider.vultr]", operatorEntry.replacing("0.200", with: "0.3"),
            "operator soc's address is 10.84.0.3: it is .200 to .254 of 10.84.0.0/24"),
        Fault(
            "[provider.vultr]", operatorEntry.replacing(key, with: ""), "operator soc has no WireGuard key"),
        Fault(
            "[provider.vultr]", operatorEntry.replacing("ssh-ed25519", with: "ssh-rsa"),
            "operator soc's ssh-key is no ed25519 key"),
        Fault("from = \"\"", "from = \"198.51.100.7\"", "break-glass needs a key and an address, or neither"),
    ]

    @Test(arguments: faults)
    func aFaultIsToldOf(_ fault: Fault) throws {
        let text = try Self.real()
        let faulty = text.replacing(fault.old, with: fault.new, maxReplacements: 1)
        try #require(faulty != text)
        #expect(try InventoryProblems.found(in: faulty).contains(fault.sentence))
    }

    /// The one inventory has two readers, and they must agree on every word.
    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/nix-instantiate")))
    func nixTellsTheSame() async throws {
        let text = try Self.real()
        let texts = [text] + Self.faults.map { text.replacing($0.old, with: $0.new, maxReplacements: 1) }
        let json = String(decoding: try JSONEncoder().encode(texts), as: UTF8.self)
        let folder = Self.root.appending(path: "nix").path(percentEncoded: false)
        let expression = """
            map (text: (import \(folder)/fleet.nix { fleet = builtins.fromTOML text; }).problems)
              (builtins.fromJSON (builtins.readFile "/dev/stdin"))
            """
        let outcome = try await SystemProcesses().run(
            ChildProcess(
                "nix-instantiate", ["--eval", "--strict", "--json", "-E", expression], input: json,
                deadline: .seconds(120)))
        try #require(outcome.status == 0, "\(outcome.errors)")
        let told = try JSONDecoder().decode([[String]].self, from: Data(outcome.output.utf8))
        for (index, faulty) in texts.enumerated() {
            #expect(try InventoryProblems.found(in: faulty) == told[index])
        }
    }

    @Test func nixRendersTheSameListForClients() async throws {
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
