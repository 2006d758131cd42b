import Monitor
import Testing

/// The monitor's own heartbeat.
@Suite struct DeadMansSwitchTests {
    private func urls(_ text: String, _ healthProblems: [String] = []) async throws -> [String] {
        let network = ScriptedNetwork()
        try await DeadMansSwitch(url: text, send: network.send).send(healthProblems)
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
    func theURLIsCompleted(_ text: String, _ url: String) async throws {
        #expect(try await urls(text) == [url])
    }

    @Test(arguments: [
        ("https://kuma.example/api/push/abc", "https://kuma.example/api/push/abc?status=down&msg="),
        ("https://hc-ping.com/3f2c?create=1", "https://hc-ping.com/3f2c/fail?create=1&msg="),
        ("https://checks.example/ping/3f2c", "https://checks.example/ping/3f2c/fail?msg="),
    ])
    func failuresAreReported(_ text: String, _ url: String) async throws {
        let urls = try await urls(text, ["heartbeats cannot be stored", "the evaluation loop is stalled"])
        #expect(urls == [url + "heartbeats%20cannot%20be%20stored,%20the%20evaluation%20loop%20is%20stalled"])
    }

    /// Every request there means healthy.
    @Test func sendsNothingWhereFailuresCannotBeReported() async throws {
        #expect(try await urls("https://other.example/beat?key=abc", ["heartbeats cannot be stored"]) == [])
    }

    @Test func plainHTTPIsRejected() {
        #expect(throws: DeadMansSwitchError.notEncrypted) {
            try DeadMansSwitch(url: "http://kuma.example/p") { _ in .init(status: 200) }
        }
        #expect(throws: DeadMansSwitchError.notAURL) {
            try DeadMansSwitch(url: "kuma.example/p") { _ in .init(status: 200) }
        }
    }

    @Test func aRejectionIsAFailure() async throws {
        let network = ScriptedNetwork()
        network.probeResults { _, _ in WebResponse(status: 404) }
        let deadMansSwitch = try DeadMansSwitch(url: "https://kuma.example/p", send: network.send)
        await #expect(throws: DeliveryFailure.self) { try await deadMansSwitch.send([]) }
    }
}
