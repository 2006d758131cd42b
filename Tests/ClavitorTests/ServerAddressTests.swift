import Testing

@testable import clavitor

@Suite struct ServerAddressTests {
    struct Case: CustomTestStringConvertible {
        var text: String
        var expected: String?
        var testDescription: String { text }
    }

    @Test(arguments: [
        Case(text: "https://Zurich.Example.net", expected: "https://zurich.example.net"),
        Case(text: "zurich.example.net", expected: "https://zurich.example.net"),
        Case(text: "https://zurich.example.net:443/", expected: "https://zurich.example.net"),
        Case(text: "localhost:8443", expected: "https://localhost:8443"),
        Case(text: "https://[::1]:8443", expected: "https://[::1]:8443"),
        Case(text: "http://zurich.example.net", expected: nil),
        Case(text: "https://zurich.example.net/path", expected: nil),
        Case(text: "https://user@zurich.example.net", expected: nil),
        Case(text: "https://zurich.example.net:0", expected: nil),
        Case(text: "https://zurich.example.net:x", expected: nil),
        Case(text: "https://", expected: nil),
        Case(text: "https://[::1", expected: nil),
        Case(text: "https://zürich.example.net", expected: nil),
        Case(text: "", expected: nil),
    ])
    func reads(_ example: Case) {
        #expect(ServerAddress(example.text)?.text == example.expected)
    }

    @Test func aNodeMayClaimItsOwnNameOnly() throws {
        let node = try #require(ServerAddress("https://Zurich.example.net:8443"))
        #expect(node.mayClaim(origin: "zurich.example.net"))
        #expect(!node.mayClaim(origin: "tokyo.example.net"))
        #expect(!node.mayClaim(origin: "Zurich.example.net"))
        #expect(!node.mayClaim(origin: ""))
    }

    @Test(arguments: ["localhost:8443", "127.0.0.1", "[::1]:1"])
    func onLoopbackItMayClaimAny(_ text: String) throws {
        let node = try #require(ServerAddress(text))
        #expect(node.mayClaim(origin: "zurich.example.net"))
    }
}

@Suite struct ProcessEnvironmentTests {
    @Test func stateGoesWhereXDGSays() {
        #expect(ProcessEnvironment(["XDG_STATE_HOME": "/s", "HOME": "/h"]).stateDirectory == "/s/clavitor")
        #expect(ProcessEnvironment(["XDG_STATE_HOME": "s", "HOME": "/h"]).stateDirectory == "/h/.local/state/clavitor")
        #expect(ProcessEnvironment(["HOME": "/h"]).stateDirectory == "/h/.local/state/clavitor")
        #expect(ProcessEnvironment([:]).stateDirectory == nil)
    }
}
