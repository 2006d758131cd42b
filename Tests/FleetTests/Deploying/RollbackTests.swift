import Fleet
import Foundation
import Testing

/// A rollback returns the nodes with the last release to their previous generation.
@Suite struct RollbackTests {
    private let fleet: RigFleet

    init() throws { fleet = try RigFleet(FleetFixture.text()) }

    private func deploy(_ id: String, _ name: String, on names: [String]? = nil) async throws {
        let systems = try fleet.rigs.filter { names?.contains($0.key) ?? true }.mapValues {
            try $0.install(name, health: "ready 1.0")
        }
        #expect(try await perform(id, Release(systems: systems), DeployOptions()) == .done)
    }

    private func perform(_ id: String, _ release: Release, _ options: DeployOptions) async throws -> DeployResult {
        var options = options
        options.soak = 0
        let program = fleet.program()
        let nodes = fleet.inventory.nodes.filter { release.systems[$0.name] != nil }
        let found = await program.deployer.preflight(nodes, release, options)
        #expect(found.problems == [])
        let plan = try DeployPlan(id: id, found.candidates, release, options)
        return try await program.deployer.run(plan, program.log(RigJournal()))
    }

    private var options: DeployOptions {
        var options = DeployOptions()
        (options.isRollback, options.allowsUnhealthy) = (true, true)
        return options
    }

    private func find(cutOff: Set<String> = []) async -> Preflight {
        let program = fleet.program()
        program.processes.cutOff(cutOff)
        return await program.deployer.preflight(fleet.inventory.nodes, nil, options)
    }

    private func rollBack(_ id: String, cutOff: Set<String> = [], isAll: Bool = true) async throws -> Rollback {
        let history = try await fleet.program().deployer.history(limit: 100)
        let rollback = try Rollback(fleet.inventory.nodes, await find(cutOff: cutOff), history, isAll: isAll)
        #expect(try await perform(id, Release(systems: rollback.systems), options) == .done)
        return rollback
    }

    private func running() throws -> [String: String] {
        try fleet.rigs.mapValues {
            #expect(try $0.current == $0.profile)
            return try URL(filePath: $0.current).lastPathComponent
        }
    }

    @Test func eachRollbackGoesFurtherBack() async throws {
        try await deploy("d1", "b")
        try await deploy("d2", "c")
        _ = try await rollBack("d3")
        #expect(Set(try running().values) == ["b"])
        let tokyo = try fleet.rig("tokyo")
        #expect(try tokyo.destination("gcroots/clavitor-failed") == tokyo.system("c"))
        #expect(!tokyo.exists("profiles/system-3-link"))
        // No node has the last release, and no target was given.
        await #expect(throws: DeployPreconditionError.self) { _ = try await rollBack("d4") }
        _ = try await rollBack("d4", isAll: false)
        #expect(Set(try running().values) == ["first"])
        await #expect(throws: DeployPreconditionError.self) { _ = try await rollBack("d5", isAll: false) }
        // The next deploy is rolled back to the generation before it.
        try await deploy("d6", "d")
        _ = try await rollBack("d7")
        #expect(Set(try running().values) == ["first"])
    }

    @Test func allMeansNodesWithTheLastRelease() async throws {
        try await deploy("d1", "b")
        try await deploy("d2", "c", on: ["tokyo", "seoul"])
        let rollback = try await rollBack("d3")
        #expect(rollback.nodes.map(\.name).sorted() == ["seoul", "tokyo"])
        #expect(Set(try running().values) == ["b"])
        // The canary was rolled back by hand: rolling back all nodes does not change it.
        try await deploy("d4", "c")
        let tokyo = ["tokyo": try fleet.rig("tokyo").system("b")]
        #expect(try await perform("d5", Release(systems: tokyo), options) == .done)
        #expect(try await rollBack("d6").nodes.map(\.name).sorted() == ["dallas", "seoul", "zurich"])
        #expect(Set(try running().values) == ["b"])
    }

    @Test func anUnreachableNodeDoesNotBlockOthers() async throws {
        try await deploy("d1", "b")
        let rollback = try await rollBack("d2", cutOff: ["seoul"])
        #expect(rollback.leftOut.contains { $0.contains("seoul cannot be reached") })
        #expect(try running() == ["zurich": "first", "tokyo": "first", "dallas": "first", "seoul": "b"])
        // A named node must be reachable.
        let (nodes, found) = (fleet.inventory.nodes, await find(cutOff: ["seoul"]))
        #expect(throws: DeployPreconditionError.self) { try Rollback(nodes, found, isAll: false) }
    }

    @Test func aReleaseOnUnreachableNodesRollsBackNoOtherNode() async throws {
        try await deploy("d1", "b")
        try await deploy("d2", "c", on: ["tokyo"])
        await #expect(throws: DeployPreconditionError.self) { _ = try await rollBack("d3", cutOff: ["tokyo"]) }
        #expect(try running().filter { $0.key != "tokyo" }.values.allSatisfy { $0 == "b" })
    }

    /// A deploy stopped halfway and was started again.
    @Test func aReleaseOfTwoDeploysIsRolledBackAsOne() async throws {
        try await deploy("d1", "a")
        try await deploy("d2", "b", on: ["tokyo", "seoul"])
        try await deploy("d3", "b")
        #expect(try await rollBack("d4").nodes.count == 4)
        #expect(Set(try running().values) == ["a"])
    }

    @Test func aRollbackWithoutAPreviousGenerationIsRejected() async throws {
        let (nodes, found) = (fleet.inventory.nodes, await find())
        #expect(throws: DeployPreconditionError.self) { try Rollback(nodes, found, isAll: true) }
        #expect(throws: DeployPreconditionError.notReady(["zurich has no generation before the present one"])) {
            try Rollback([nodes[0]], found, isAll: false)
        }
    }

    /// `confirm` was killed between two steps.
    @Test func removingAGenerationIsIdempotent() async throws {
        try await deploy("d1", "b")
        try await deploy("d2", "c")
        let tokyo = try fleet.rig("tokyo")
        try FileManager.default.removeItem(atPath: "\(tokyo.root)/profiles/system")
        try FileManager.default.createSymbolicLink(
            atPath: "\(tokyo.root)/profiles/system", withDestinationPath: "system-2-link")
        // The profile was switched and the rest was not done: the node runs c and boots b.
        let facts = try #require(await find().facts["tokyo"])
        #expect(!facts.isSettled)
        #expect(facts.previous == tokyo.system("b"))
        let systems = ["tokyo": tokyo.system("b")]
        #expect(try await perform("d3", Release(systems: systems), options) == .done)
        #expect(try tokyo.current == tokyo.system("b") && tokyo.profile == tokyo.system("b"))
        #expect(tokyo.exists("profiles/system-1-link") && !tokyo.exists("profiles/system-3-link"))
    }
}
