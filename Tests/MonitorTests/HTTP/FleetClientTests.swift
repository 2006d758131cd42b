import Fleet
import Foundation
import Monitor
import Testing
import Wire

/// The fleet client has its own model of the monitor's API. Here it reads a real monitor.
@Suite(.timeLimit(.minutes(5))) struct FleetClientTests {
    /// A failing job, a missing job, and a recovered one; none of them is public.
    @Test func jobsAreMonitored() async throws {
        try await ServedMonitor.with(["tokyo", "soc-backups"]) { monitor in
            try await monitor.store.setInterval(of: "soc-backups", to: 86_400_000)
            try await monitor.api.watch.reloadNodes()
            try await monitor.push("tokyo")
            let url = "https://localhost:\(monitor.port)/api/push/\(monitor.tokens["soc-backups"]?.text ?? "")"
            func open() -> [String] { monitor.api.watch.fleet().incidents.map { "\($0.key) \($0.severity.rawValue)" } }
            try await HTTPSExchange.connected(addresses: [:], caFile: monitor.certificate) { exchange in
                let reporter = JobReporter(url: PushURL(url), exchange: exchange)
                await monitor.wait(120)
                try await monitor.push("tokyo", seq: 2)
                try await reporter.report(failure: "tokyo: it has no backup & says 100 % so")
                await monitor.wait(1)
                #expect(open().contains("soc-backups/down sev2"))
                let notified = monitor.api.watch.fleet().nodes.first { $0.name == "soc-backups" }
                #expect(notified?.healthProblem == "tokyo: it has no backup & says 100 % so")
                try await reporter.report(failure: nil)
                await monitor.wait(1)
                #expect(!open().contains("soc-backups/down sev2"))
                let status = try await monitor.send("GET", "/api/v1/status")
                #expect(!status.body.contains("soc-backups"))
            }
            try await HTTPSExchange.connected(addresses: [:], caFile: monitor.certificate) { exchange in
                let unknown = "https://localhost:\(monitor.port)/api/push/unknown"
                await #expect(throws: MonitorError.self) {
                    try await JobReporter(url: PushURL(unknown), exchange: exchange).report(failure: nil)
                }
            }
        }
    }

    @Test func theFleetClientReadsTheMonitorsAPI() async throws {
        try await ServedMonitor.with(["tokyo", "dallas", "sydney"]) { monitor in
            try await monitor.push("dallas")
            for number in Int64(1)...8 {
                try await monitor.push("tokyo", seq: number)
                await monitor.wait(20)
            }
            try await HTTPSExchange.connected(addresses: [:], caFile: monitor.certificate) { exchange in
                let client = MonitorClient(name: "localhost:\(monitor.port)", token: monitor.token, exchange: exchange)
                let window = try await client.openMaintenanceWindow(nodes: ["tokyo"], reason: "a test", minutes: 5)
                let (read, real) = (try await client.fleet(), monitor.api.watch.fleet())
                #expect(read.nodes.map(\.name) == real.nodes.map(\.name))
                #expect(read.nodes.map(\.state) == real.nodes.map(\.state.rawValue))
                #expect(read.nodes.map(\.lastBeat) == real.nodes.map(\.lastBeat))
                #expect(read.node("tokyo")?.body == real.nodes.first { $0.name == "tokyo" }?.body)
                #expect(read.incidents.map(\.key) == real.incidents.map(\.key))
                #expect(read.incidents.map(\.severity) == real.incidents.map(\.severity.rawValue))
                #expect(!read.incidents.isEmpty)
                #expect(read.timing.sev2 == real.timing.sev2)
                #expect((read.now, read.isEvaluationPaused) == (real.now, real.evaluationPaused))
                #expect(read.maintenanceWindows == [window])
                try await client.closeMaintenanceWindow(window.id)
                try await client.closeMaintenanceWindow(window.id)
                #expect(try await client.fleet().maintenanceWindows.isEmpty)
            }
        }
    }
}
