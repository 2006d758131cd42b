import Foundation
import Synchronization
import Testing

@testable import Fleet

/// Nodes that answer at once, so that what is left is this program's own work.
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
    private static func gather(_ count: Int, silent: Set<String> = []) async throws -> FleetStatus {
        let spokes = (0..<count).map { (name: "n\($0)", region: "r\($0 % 10)") }
        let inventory = try Inventory(toml: FleetFixture.text(spokes: spokes))
        let ssh = SSH(
            inventory, SSHFiles.Places(directory: "/run/soc", identity: nil), InstantProcesses(silent: silent))
        let monitor = RigMonitor()
        return await FleetStatus.gather(inventory.nodes, ssh, NodePaths(), monitor: monitor.client(Life()))
    }

    @Test func everyNodeHasARowWhetherItAnswersOrNot() async throws {
        let status = try await Self.gather(5, silent: ["n3"])
        #expect(status.rows.map(\.node) == ["zurich", "n0", "n1", "n2", "n3", "n4"])
        #expect(status.rows[4].trouble == "n3 cannot be reached: ssh: connect to host: No route to host")
        #expect(status.rows[1].system == "/nix/store/abc-system")
        #expect(!status.isWell)
        #expect(try await Self.gather(2).isWell)
    }

    @Test func aThousandNodesAreOneTable() async throws {
        let status = try await Self.gather(1_000)
        #expect(status.rows.count == 1_001)
        #expect(status.isWell)
    }
}
