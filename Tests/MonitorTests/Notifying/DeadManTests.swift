import Monitor
import Testing

/// The monitor's own heartbeat.
@Suite struct DeadManTests {
    private func urls(_ text: String, _ ills: [String] = []) async throws -> [String] {
        let network = ScriptedNetwork()
        try await DeadMan(url: text, send: network.send).beat(ills)
        return network.requests.map(\.url.exposed)
    }

    @Test(arguments: [
        ("https://kuma.example/api/push/abc", "https://kuma.example/api/push/abc?status=up&msg=OK"),
        (
            "https://kuma.example/api/push/abc?status=up&msg=OK&ping=",
            "https://kuma.example/api/push/abc?status=up&msg=OK"
        ),
        ("https://other.example/beat?key=abc&status=", "https://other.example/beat?key=abc&status=up&msg=OK"),
        ("http://127.0.0.1:3001/api/push/abc", "http://127.0.0.1:3001/api/push/abc?status=up&msg=OK"),
        ("https://other.example", "https://other.example?status=up&msg=OK"),
    ])
    func goesWhereTheUrlSays(_ text: String, _ url: String) async throws {
        #expect(try await urls(text) == [url])
    }

    @Test(arguments: [
        ("https://kuma.example/api/push/abc", "https://kuma.example/api/push/abc?status=down&msg="),
        ("https://hc-ping.com/3f2c?create=1", "https://hc-ping.com/3f2c/fail?create=1&msg="),
        ("https://checks.example/ping/3f2c", "https://checks.example/ping/3f2c/fail?msg="),
    ])
    func saysWhatIsWrong(_ text: String, _ url: String) async throws {
        let urls = try await urls(text, ["beats cannot be written down", "the time is not looked at"])
        #expect(urls == [url + "beats%20cannot%20be%20written%20down,%20the%20time%20is%20not%20looked%20at"])
    }

    /// There every request says that all is well.
    @Test func isSilentWhereItCannotSayThatSomethingIsWrong() async throws {
        #expect(try await urls("https://other.example/beat?key=abc", ["beats cannot be written down"]) == [])
    }

    @Test func isNotSentInTheClear() {
        #expect(throws: DeadManError.notEncrypted) {
            try DeadMan(url: "http://kuma.example/p") { _ in .init(status: 200) }
        }
        #expect(throws: DeadManError.notAnAddress) { try DeadMan(url: "kuma.example/p") { _ in .init(status: 200) } }
    }

    @Test func isAFailureWhenItIsRefused() async throws {
        let network = ScriptedNetwork()
        network.answers { _, _ in WebAnswer(status: 404) }
        let deadMan = try DeadMan(url: "https://kuma.example/p", send: network.send)
        await #expect(throws: DeliveryFailure.self) { try await deadMan.beat([]) }
    }
}
