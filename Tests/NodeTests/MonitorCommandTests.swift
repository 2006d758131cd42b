import Foundation
import NIOHTTP1
import TestSupport
import Testing

/// Errors of the monitor's program for mistaken commands.
@Suite(.timeLimit(.minutes(10))) struct MonitorCommandTests {
    private func run(_ arguments: [String], input: String? = nil) throws -> Program.Result {
        try Program(name: "clavitor-monitor").run(arguments, input: input ?? "")
    }

    // MARK: The data

    @Test(arguments: [["node", "list"], ["node", "renew", "tokyo"], ["token", "add", "soc"], ["operator", "list"]])
    func aMistypedDataDirectoryIsNotMade(_ command: [String]) throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let told = try run(command + ["--data", scratch.file("typo")])
        #expect(told.status != 0)
        #expect(told.errors.contains("There is no \(scratch.file("typo"))/monitor.db"), "\(told.errors)")
        #expect(!FileManager.default.fileExists(atPath: scratch.file("typo")))
    }

    @Test func servingRequiresAnExistingDirectory() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let told = try run(["serve", "--data", scratch.file("typo"), "--domain", "monitor.example.net"])
        #expect(told.status != 0 && told.errors.contains("There is no directory"), "\(told.errors)")
    }

    @Test func aFileThatIsNotADatabaseIsReported() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        _ = try run(["operator", "add", "soc", "--data", scratch.file("data")], input: "five words make a password\n")
        _ = try scratch.write(String(repeating: "no database\n", count: 1_000), to: "data/monitor.db")
        for ending in ["wal", "shm"] {
            try? FileManager.default.removeItem(atPath: scratch.file("data/monitor.db-\(ending)"))
        }
        let told = try run(["node", "list", "--data", scratch.file("data")])
        #expect(told.status != 0)
        #expect(told.errors.contains("\(scratch.file("data"))/monitor.db cannot be opened"), "\(told.errors)")
    }

    @Test func twoMonitorsCannotServeTheSameData() async throws {
        let monitor = try await ServedMonitor()
        let told = try run(["serve", "--dev", "--data", monitor.data, "--https", "127.0.0.1:0"])
        #expect(told.status != 0 && told.errors.contains("Another clavitor-monitor is serving"), "\(told.errors)")
        #expect(try await monitor.send(.GET, "/livez").status == 200)
    }

    @Test func aMonitorWithoutNodesSaysSo() async throws {
        let monitor = try await ServedMonitor()
        #expect(monitor.log.contains("no nodes are configured"))
        #expect(!monitor.log.contains("no operators are configured"))
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
        _ = try run(["operator", "add", "soc", "--data", scratch.file("data")], input: "five words make a password\n")
        let file = try scratch.write(text, to: "monitor.toml")
        let told = try run(["serve", "--dev", "--data", scratch.file("data"), "--config", file])
        #expect(told.status == 1, "\(told.status): \(told.errors)")
        #expect(told.errors.contains(word), "\(told.errors)")
        #expect(!told.errors.contains("Fatal error"))
    }

    @Test(arguments: [
        ("http://other.example/push/key", "https"), ("not a URL", "not contain a URL"), ("", "not contain a URL"),
    ])
    func anOwnHeartbeatGoesNowhereUnencrypted(_ url: String, _ word: String) throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        _ = try run(["operator", "add", "soc", "--data", scratch.file("data")], input: "five words make a password\n")
        let secret = try scratch.write(url + "\n", to: "dead-man")
        let file = try scratch.write("dead-man-url-file = \"\(secret)\"", to: "monitor.toml")
        let told = try run(["serve", "--dev", "--data", scratch.file("data"), "--config", file])
        #expect(told.status == 1 && told.errors.contains(word), "\(told.errors)")
        #expect(!told.errors.contains("push/key"), "the URL is a credential")
    }

    @Test func aPortInUseIsNamed() async throws {
        let monitor = try await ServedMonitor()
        let scratch = try Scratch()
        defer { scratch.remove() }
        _ = try run(["operator", "add", "soc", "--data", scratch.file("data")], input: "five words make a password\n")
        let address = "127.0.0.1:\(monitor.port)"
        let told = try run(["serve", "--dev", "--data", scratch.file("data"), "--https", address])
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

    @Test func aChannelIsTested() async throws {
        let monitor = try await ServedMonitor()
        let url = try #require(try monitor.addNodes(["tokyo"]).first)
        _ = try await monitor.sees { $0.nodes.count == 1 }
        // It takes what anybody posts to the secret URL, as Uptime Kuma does.
        _ = try monitor.scratch.write(url, to: "good.url")
        _ = try monitor.scratch.write("https://localhost:\(monitor.port)/api/push/none", to: "bad.url")
        let config = try monitor.scratch.write(
            ["good", "bad"].map { name in
                """
                [[channel]]
                name = "\(name)"
                type = "webhook"
                url-file = "\(monitor.scratch.file("\(name).url"))"

                """
            }.joined(), to: "channels.toml")
        func test(_ name: String) throws -> Program.Result {
            try run(["channel", "test", name, "--config", config, "--ca-file", monitor.certificate])
        }
        let good = try test("good")
        #expect(good.status == 0 && good.output == "good: accepted\n", "\(good.output)\(good.errors)")
        let bad = try test("bad")
        #expect(bad.status == 1)
        #expect(bad.output.contains("bad: bad: localhost:\(monitor.port) answered 404"), "\(bad.output)")
        #expect(!bad.output.contains("/api/push"))
        let unknown = try test("phone")
        #expect(unknown.status != 0 && unknown.errors.contains("The channels are: good, bad."), "\(unknown.errors)")
        #expect(try run(["channel", "list", "--config", config]).output == "good  sev2, sev1\nbad  sev2, sev1\n")
    }

    @Test func aNodeIsRenamedAndKeepsItsURL() async throws {
        let monitor = try await ServedMonitor(hurry: 1)
        let added = try run([
            "node", "add", "tokyo", "--every", "60", "--data", monitor.data, "--url",
            "https://localhost:\(monitor.port)",
        ])
        let url = added.output.trimmingCharacters(in: .whitespacesAndNewlines)
        _ = try await monitor.sees { $0.nodes.count == 1 }
        #expect(try await monitor.send(.GET, url).status == 200)
        #expect(try run(["node", "list", "--data", monitor.data]).output == "tokyo  every 60 s\n")
        #expect(try run(["node", "rename", "tokyo", "osaka", "--data", monitor.data]).status == 0)
        #expect(try run(["node", "every", "osaka", "0", "--data", monitor.data]).status == 0)
        let isThere = try await monitor.sees { $0.nodes.map(\.name) == ["osaka"] && $0.nodes[0].state == "up" }
        #expect(isThere, "its past is its own")
        #expect(try await monitor.send(.GET, url).status == 200)
        #expect(try run(["node", "list", "--data", monitor.data]).output == "osaka\n")
        #expect(try run(["node", "every", "osaka", "1", "--data", monitor.data]).status != 0)
        #expect(try run(["node", "rename", "nobody", "x", "--data", monitor.data]).errors.contains("no node nobody"))
    }

    @Test func withoutATerminalTheMissingOptionIsNamed() throws {
        let told = try run(["check", "--token-file", "/nonexistent/token"])
        #expect(told.status == 3)
        #expect(told.output.contains("/nonexistent/token cannot be read") && told.output.contains("token add"))
    }
}
