import Fleet
import Foundation
import Testing

@Suite struct PreflightTests {
    private func problems(
        _ release: Release? = nil, allowingIll: Bool = false, cutOff: Set<String> = [],
        _ plant: (RigWorld) throws -> Void = { _ in }
    ) async throws -> [String] {
        let world = try RigWorld(FleetFixture.text(spokes: [("tokyo", "asia")]))
        try plant(world)
        var options = DeployOptions()
        options.allowsUnhealthy = allowingIll
        let program = world.program()
        program.processes.cutOff(cutOff)
        return await program.deployer.preflight(world.inventory.nodes, release, options).problems
    }

    @Test func aFleetThatIsWellHasNone() async throws {
        #expect(try await problems() == [])
    }

    @Test func everythingThatIsWrongIsTold() async throws {
        let told = try await problems(Release(systems: [:], sizes: ["zurich": 1 << 60])) { world in
            try world.rig("tokyo").write("failed\n", to: "unit")
            try NodeRig.program(world.rig("tokyo").root + "/bin/date", "echo $((RIG_NOW + 6))")
            try world.rig("zurich").install("first", health: "no database")
            world.monitor.raise(
                .init(id: 1, key: "k", node: "tokyo", rule: "disk", severity: "sev2", title: "tokyo runs out of disk"))
            world.monitor.raise(
                .init(
                    id: 2, key: "l", node: "tokyo", rule: "load", severity: "warning", title: "tokyo is slow",
                    inhibitedBy: "silence/1"))
        }
        let words = [
            "tokyo's unit is failed", "tokyo's clock differs from this machine's by 6 s",
            "zurich is not ready: no database",
            "clavitor-soc gc zurich", "open incident: tokyo runs out of disk (sev2)",
        ]
        for word in words { #expect(told.contains { $0.contains(word) }, "\(word) in \(told)") }
        #expect(told.count == words.count)
    }

    @Test func aNodeThatDoesNotAnswerIsToldOf() async throws {
        #expect(
            try await problems(cutOff: ["tokyo"])
                == ["tokyo cannot be reached: connect to host: Connection timed out"])
    }

    @Test func aMachineThatIsNotOursIsToldOf() async throws {
        let told = try await problems { world in
            try FileManager.default.removeItem(atPath: world.rig("tokyo").root + "/current-system")
        }
        #expect(told == ["The output of tokyo is invalid: it does not run a NixOS system"])
    }

    @Test func illnessMayBeAllowed() async throws {
        let told = try await problems(allowingIll: true) { world in
            try world.rig("tokyo").write("failed\n", to: "unit")
            try world.rig("tokyo").install("first", health: "no database")
            try NodeRig.program(world.rig("zurich").root + "/bin/date", "echo $((RIG_NOW - 6))")
        }
        #expect(told == [])
    }
}
