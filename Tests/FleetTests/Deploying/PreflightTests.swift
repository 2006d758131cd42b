import Fleet
import Foundation
import Testing

@Suite struct PreflightTests {
    private func problems(
        _ release: Release? = nil, allowingIll: Bool = false, cutOff: Set<String> = [],
        _ plant: (RigFleet) throws -> Void = { _ in }
    ) async throws -> [String] {
        let fleet = try RigFleet(FleetFixture.text(spokes: [("tokyo", "asia")]))
        try plant(fleet)
        var options = DeployOptions()
        options.allowsUnhealthy = allowingIll
        let program = fleet.program()
        program.processes.cutOff(cutOff)
        return await program.deployer.preflight(fleet.inventory.nodes, release, options).problems
    }

    @Test func aHealthyFleetHasNoProblems() async throws {
        #expect(try await problems() == [])
    }

    @Test func everyProblemIsReported() async throws {
        let reported = try await problems(Release(systems: [:], sizes: ["zurich": 1 << 60])) { fleet in
            try fleet.rig("tokyo").write("failed\n", to: "unit")
            try NodeRig.program(fleet.rig("tokyo").root + "/bin/date", "echo $((RIG_NOW + 6))")
            try fleet.rig("zurich").install("first", health: "no database")
            fleet.monitor.raise(
                .init(id: 1, key: "k", node: "tokyo", rule: "disk", severity: "sev2", title: "tokyo runs out of disk"))
            fleet.monitor.raise(
                .init(
                    id: 2, key: "l", node: "tokyo", rule: "load", severity: "warning", title: "tokyo is slow",
                    inhibitedBy: "silence/1"))
        }
        let words = [
            "tokyo's unit is failed", "tokyo's clock differs from this machine's by 6 s",
            "zurich is not ready: no database",
            "clavitor-soc gc zurich", "open incident: tokyo runs out of disk (sev2)",
        ]
        for word in words { #expect(reported.contains { $0.contains(word) }, "\(word) in \(reported)") }
        #expect(reported.count == words.count)
    }

    @Test func anUnreachableNodeIsReported() async throws {
        #expect(
            try await problems(cutOff: ["tokyo"])
                == ["tokyo cannot be reached: connect to host: Connection timed out"])
    }

    @Test func aMachineWithoutOurSystemIsReported() async throws {
        let reported = try await problems { fleet in
            try FileManager.default.removeItem(atPath: fleet.rig("tokyo").root + "/current-system")
        }
        #expect(reported == ["The output of tokyo is invalid: it does not run a NixOS system"])
    }

    @Test func unhealthyNodesCanBeAllowed() async throws {
        let reported = try await problems(allowingIll: true) { fleet in
            try fleet.rig("tokyo").write("failed\n", to: "unit")
            try fleet.rig("tokyo").install("first", health: "no database")
            try NodeRig.program(fleet.rig("zurich").root + "/bin/date", "echo $((RIG_NOW - 6))")
        }
        #expect(reported == [])
    }
}
