import Foundation
import NIOHTTP1
import TestSupport
import Testing
import Wire

/// The pages in headless Chromium, with a monitor that receives heartbeats. Tests/Browser/dashboard.py has the checks.
@Suite(.timeLimit(.minutes(15))) struct DashboardTests {
    private static let cities: [(name: String, latitude: Double, longitude: Double)] = [
        ("tokyo", 35.7, 139.7), ("seoul", 37.6, 127), ("mumbai", 19.1, 72.9), ("zurich", 47.4, 8.5),
        ("lagos", 6.5, 3.4), ("dallas", 32.8, -96.8), ("lima", -12, -77), ("sydney", -33.9, 151.2),
    ]

    @Test func anOperatorUsesThePages() async throws {
        // FLEET=1000 measures the first paint of a large one.
        let count = ProcessInfo.processInfo.environment["FLEET"].flatMap { Int($0) } ?? 24
        let names = (0..<count).map { "\(Self.cities[$0 % 8].name)-\($0)" }
        let places = names.enumerated().map { index, name in
            let city = Self.cities[index % 8]
            return NodesBody.Node(
                name: name, city: city.name.capitalized, url: "https://\(name).example.org",
                latitude: city.latitude + Double(index / 8 % 5), longitude: city.longitude + Double(index / 40 % 9))
        }
        let monitor = try await ServedMonitor(places: NodesBody(nodes: places), hurry: 2)
        let urls = try monitor.addNodes(names)
        let probe = try monitor.addNode("probe")
        _ = try await monitor.sees { $0.nodes.count == count + 1 }
        var turn: Int64 = 0
        func beat() async throws {
            turn += 1
            for (name, url) in zip(names, urls) {
                _ = try await monitor.send(.POST, url, body: try Self.beat(name, turn))
            }
        }
        try await beat()
        _ = try await monitor.sees { $0.nodes.count { $0.body != nil } == count }
        let person = try Self.person(at: monitor, nodes: count + 1, probe: probe)
        while person.isRunning {
            try await beat()
            // Heartbeats are five seconds apart.
            for _ in 0..<50 where person.isRunning { try await Task.sleep(for: .milliseconds(100)) }
        }
        let said = person.text
        print(said)
        let status = await person.waitUntilExit()
        #expect(status == 0, "\(said)")
        #expect(said.ranges(of: "ok    ").count == 15)
    }

    private static func beat(_ name: String, _ turn: Int64) throws -> String {
        let load = Double(name.utf8.reduce(0) { $0 &* 31 &+ Int($1) } & 63) + Double(turn % 7)
        var body = Heartbeat(
            node: name, ts: Int64(Date().timeIntervalSince1970), ramMB: 142, ramPct: 20 + load / 2, diskMB: 3_200,
            diskPct: 31.2, cpuPct: load / 4, dbSizeMB: 12, dbIntegrity: "ok", activeSessions: 3, req1h: 800, err1h: 2,
            certDaysRemaining: 40 + load / 2, nixGen: 2, uptimeS: 864_000)
        (body.bootID, body.seq, body.version, body.certLifetimeDays) = ("boot", turn, "0.1.0", 90)
        (body.readOnly, body.auditOK, body.lastBackupAgeS, body.p99MS) = (false, true, 3_600, 4 + load / 10)
        return String(decoding: try JSONEncoder().encode(body), as: UTF8.self)
    }

    private static func person(at monitor: ServedMonitor, nodes: Int, probe: String) throws -> RunningTool {
        let python = try #require(
            ProcessInfo.processInfo.environment["CLAVITOR_PYTHON"], "Run the tests with `make test`.")
        return try RunningTool(
            python,
            [
                Project.folder.appending(path: "Tests/Browser/dashboard.py").path, "https://localhost:\(monitor.port)",
                "soc", try monitor.scratch.write(ServedMonitor.password, to: "password"), "--nodes", "\(nodes)",
                "--push-url-file", probe, "--screenshots", Project.folder.appending(path: ".build/screenshots").path,
                "--program", Program(name: "clavitor-monitor").url.path, "--data", monitor.data,
            ])
    }
}
