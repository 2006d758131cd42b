import Foundation
import NIOHTTP1
import Testing

/// What the monitor's program says to somebody who made a mistake, and that it breaks nothing meanwhile.
@Suite(.timeLimit(.minutes(10))) struct MonitorCommandTests {
    private func run(_ arguments: [String], input: String? = nil) throws -> Program.Result {
        try Program(name: "clavitor-monitor").run(arguments, input: input ?? "")
    }

    // MARK: The data

    @Test(arguments: [["node", "list"], ["node", "renew", "tokyo"], ["token", "add", "soc"], ["operator", "list"]])
    func aMistypedDataDirectoryIsNotMade(_ command: [String]) throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let told = try run(command + ["--data", scratch.path("typo")])
        #expect(told.status != 0)
        #expect(told.errors.contains("There is no \(scratch.path("typo"))/monitor.db"), "\(told.errors)")
        #expect(!FileManager.default.fileExists(atPath: scratch.path("typo")))
    }

    @Test func servingNeedsADirectoryThatIsThere() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let told = try run(["serve", "--data", scratch.path("typo"), "--domain", "monitor.example.net"])
        #expect(told.status != 0 && told.errors.contains("There is no directory"), "\(told.errors)")
    }

    @Test func whatIsNoDatabaseIsCalledSo() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        _ = try run(["operator", "add", "soc", "--data", scratch.path("data")], input: "five words make a password\n")
        _ = try scratch.write(String(repeating: "no database\n", count: 1_000), to: "data/monitor.db")
        for ending in ["wal", "shm"] {
            try? FileManager.default.removeItem(atPath: scratch.path("data/monitor.db-\(ending)"))
        }
        let told = try run(["node", "list", "--data", scratch.path("data")])
        #expect(told.status != 0)
        #expect(told.errors.contains("\(scratch.path("data"))/monitor.db cannot be opened"), "\(told.errors)")
    }

    @Test func twoDoNotServeTheSameData() async throws {
        let monitor = try await ServedMonitor()
        let told = try run(["serve", "--dev", "--data", monitor.data, "--https", "127.0.0.1:0"])
        #expect(told.status != 0 && told.errors.contains("Another clavitor-monitor serves"), "\(told.errors)")
        #expect(try await monitor.send(.GET, "/livez").status == 200)
    }

    @Test func whoWatchesNobodySaysSo() async throws {
        let monitor = try await ServedMonitor()
        #expect(monitor.log.contains("nobody is watched"))
        #expect(!monitor.log.contains("nobody can sign in"))
    }

    // MARK: The configuration

    @Test(arguments: [
        ("colour = 1", "colour"), ("https = 443", "https"), ("https = \"nowhere\"", "nowhere"),
        ("dead-man-url-file = \"/nonexistent\"", "/nonexistent"), ("https = ", "monitor.toml"),
        ("[[channel]]\nname = \"chat\"\ntype = \"pigeon\"", "pigeon"),
    ])
    func aWrongConfigurationEndsWithASentence(_ text: String, _ word: String) throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        _ = try run(["operator", "add", "soc", "--data", scratch.path("data")], input: "five words make a password\n")
        let file = try scratch.write(text, to: "monitor.toml")
        let told = try run(["serve", "--dev", "--data", scratch.path("data"), "--config", file])
        #expect(told.status == 1, "\(told.status): \(told.errors)")
        #expect(told.errors.contains(word), "\(told.errors)")
        #expect(!told.errors.contains("Fatal error"))
    }

    @Test(arguments: [("http://other.example/push/key", "https"), ("not a URL", "no URL"), ("", "no URL")])
    func anOwnHeartbeatGoesNowhereUnencrypted(_ url: String, _ word: String) throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        _ = try run(["operator", "add", "soc", "--data", scratch.path("data")], input: "five words make a password\n")
        let secret = try scratch.write(url + "\n", to: "dead-man")
        let file = try scratch.write("dead-man-url-file = \"\(secret)\"", to: "monitor.toml")
        let told = try run(["serve", "--dev", "--data", scratch.path("data"), "--config", file])
        #expect(told.status == 1 && told.errors.contains(word), "\(told.errors)")
        #expect(!told.errors.contains("push/key"), "the URL is a credential")
    }

    @Test func aPortThatIsTakenIsNamed() async throws {
        let monitor = try await ServedMonitor()
        let scratch = try Scratch()
        defer { scratch.remove() }
        _ = try run(["operator", "add", "soc", "--data", scratch.path("data")], input: "five words make a password\n")
        let address = "127.0.0.1:\(monitor.port)"
        let told = try run(["serve", "--dev", "--data", scratch.path("data"), "--https", address])
        #expect(told.status == 1)
        #expect(told.errors.contains(address) && told.errors.contains("in use"), "\(told.errors)")
    }

    // MARK: Tokens

    @Test func aTokenIsListedAndEnded() async throws {
        let monitor = try await ServedMonitor()
        let made = try run(["token", "add", "soc", "--read-only", "--for", "prometheus", "--data", monitor.data])
        let token = made.output.trimmingCharacters(in: .whitespacesAndNewlines)
        func ask() async throws -> Int {
            try await monitor.send(.GET, "/api/v1/fleet", headers: ["Authorization": "Bearer \(token)"]).status
        }
        #expect(try await ask() == 200)
        let lines = try run(["token", "list", "--data", monitor.data]).output.split(separator: "\n")
        let line = try #require(lines.first { $0.contains("prometheus") })
        #expect(line.contains("soc") && line.contains("reads") && !line.contains(token))
        let id = String(line.prefix { $0 != " " })
        #expect(try run(["token", "end", id, "--data", monitor.data]).status == 0)
        #expect(try await ask() == 401)
        #expect(try await monitor.get("/api/v1/fleet").status == 200, "the other one is still good")
        #expect(try run(["token", "end", id, "--data", monitor.data]).errors.contains("no token \(id)"))
    }

    @Test func whoCannotAskIsToldWhatIsMissing() throws {
        let told = try run(["check", "--token-file", "/nonexistent/token"])
        #expect(told.status == 3)
        #expect(told.output.contains("/nonexistent/token cannot be read") && told.output.contains("token add"))
    }
}
