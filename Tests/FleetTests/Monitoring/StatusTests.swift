import Fleet
import Foundation
import Synchronization
import Testing

/// Nodes that respond immediately.
struct InstantProcesses: ChildProcesses {
    let silent: Set<String>

    func run(_ child: ChildProcess) async throws -> ChildOutcome {
        guard let dashes = child.arguments.firstIndex(of: "--") else { return ChildOutcome(status: 0, output: "") }
        guard !silent.contains(child.arguments[dashes - 1]) else {
            return ChildOutcome(status: 255, output: "", errors: "ssh: connect to host: No route to host\r\n")
        }
        return ChildOutcome(
            status: 0,
            output: "current=/nix/store/abc-system\ngeneration=3\nfree_kb=1000000\nclock=1800000000\nunit=active\n")
    }
}

@Suite struct StatusTests {
    /// A monitor with the same status for every node.
    private struct CalmMonitor: FleetMonitor {
        var report: FleetReport

        func fleet() async throws -> FleetReport { report }
        func openMaintenanceWindow(nodes: [String], reason: String, minutes: Int) async throws
            -> FleetReport.MaintenanceWindow
        {
            throw MonitorError.badToken
        }
        func closeMaintenanceWindow(_ id: Int64) async throws {}
    }

    private static func gather(
        _ count: Int, silent: Set<String> = [], _ change: (inout FleetReport) -> Void = { _ in }
    ) async throws -> FleetStatus {
        let spokes = (0..<count).map { (name: "n\($0)", region: "r\($0 % 10)") }
        let inventory = try Inventory(toml: FleetFixture.text(spokes: spokes))
        let ssh = SSH(
            inventory, SSHFiles.Paths(directory: "/run/soc", identity: nil), InstantProcesses(silent: silent))
        var report = FleetReport(
            now: 1_000, isEvaluationPaused: false, timing: .init(sev2: 65_000),
            nodes: inventory.nodes.map { .init(name: $0.name, state: "up", lastBeat: 900, body: nil) }, incidents: [],
            maintenanceWindows: [])
        change(&report)
        return await FleetStatus.gather(inventory.nodes, ssh, NodePaths(), monitor: CalmMonitor(report: report))
    }

    @Test func everyNodeHasARow() async throws {
        let status = try await Self.gather(5, silent: ["n3"])
        #expect(status.rows.map(\.node) == ["zurich", "n0", "n1", "n2", "n3", "n4"])
        #expect(status.rows[4].trouble == "n3 cannot be reached: ssh: connect to host: No route to host")
        #expect(status.rows[1].system == "/nix/store/abc-system")
        #expect(!status.isHealthy)
        #expect(try await Self.gather(2).isHealthy)
    }

    /// Scripts rely on the exit code.
    @Test func aPausedMonitorIsUnhealthy() async throws {
        let doubtful = try await Self.gather(2) { $0.isEvaluationPaused = true }
        let ill = try await Self.gather(2) { $0.healthProblems = ["beats are not written: disk full"] }
        let ignorant = try await Self.gather(2) { $0.nodes.removeLast() }
        #expect(!doubtful.isHealthy && !ill.isHealthy && !ignorant.isHealthy)
        #expect(doubtful.monitorTroubles == ["The monitor's evaluation is paused."])
        #expect(ill.monitorTroubles == ["The monitor is unhealthy: beats are not written: disk full"])
        #expect(ignorant.monitorTroubles == ["The monitor does not know n1."])
    }

    @Test func aThousandNodesFitInOneTable() async throws {
        let status = try await Self.gather(1_000)
        #expect(status.rows.count == 1_001)
        #expect(status.isHealthy)
    }
}
