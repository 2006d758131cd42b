import Fleet
import Testing

/// The deploying program is killed at each of its events, before and after the event is on the disk, and started again.
@Suite struct CrashTests {
    struct Death: CustomTestStringConvertible, Sendable {
        let at: Int
        let written: Bool
        let health: String

        var testDescription: String { "\(written ? "after" : "before") event \(at), \(health)" }
    }

    /// A hub and a spoke, so that there are two waves.
    private static let text = FleetFixture.text(spokes: [("tokyo", "asia")])

    /// More than there are; a death that does not come is told of.
    static let deaths = ["ready 2.0", "it is ill"].flatMap { health in
        // Until the first node is examined both are the same.
        (health.hasPrefix("ready") ? 1..<25 : 10..<15).flatMap { at in
            [true, false].map { Death(at: at, written: $0, health: health) }
        }
    }

    private static func deploy(_ world: RigWorld, _ death: Death?) async throws -> DeployResult {
        let life = Life()
        if let death { world.journal.kill(life, at: death.at, written: death.written) }
        let release = try world.release("second", health: death?.health ?? "ready 2.0")
        let program = world.program(life)
        var options = DeployOptions()
        options.soak = 0
        let plan = try DeployPlan(
            id: "d1", try world.inventory.nodes.map { .init($0, current: try world.rig($0.name).system("first")) },
            release, options)
        let log = program.log(world.journal)
        try log.write(plan)
        return try await program.deployer.run(plan, log)
    }

    private static func resume(_ world: RigWorld) async throws -> DeployResult {
        let progress = DeployProgress(world.journal.events)
        let program = world.program()
        let plan = try #require(progress.plan)
        return try await program.deployer.run(plan, after: progress, program.log(world.journal, after: progress))
    }

    @Test func anUndisturbedDeployHasSoManyEvents() async throws {
        let world = try RigWorld(Self.text)
        #expect(try await Self.deploy(world, nil) == .done)
        #expect(world.journal.events.count == 25, "\(world.journal.events.map(\.kind))")
    }

    @Test(arguments: deaths)
    func theEndIsTheSameWhereverItDies(_ death: Death) async throws {
        let world = try RigWorld(Self.text)
        await #expect(throws: (any Error).self) { try await Self.deploy(world, death) }
        try #require(world.journal.events.last?.kind != .ended || death.written)
        let result = try await Self.resume(world)
        let isGood = death.health.hasPrefix("ready")
        #expect(result == (isGood ? .done : .rolledBack))
        let expected =
            isGood
            ? [
                "tokyo runs second, boots second", "zurich runs second, boots second",
                "done by ana: [(key: \"tokyo\", value: \"kept\"), (key: \"zurich\", value: \"kept\")]",
            ]
            : [
                "tokyo runs first, boots first", "zurich runs first, boots first",
                "rolledBack by ana: [(key: \"tokyo\", value: \"rolledBack\")]",
            ]
        #expect(try world.endState() == expected)
        let tests = world.rigs.values.compactMap { $0.text("switches") }.joined().split(separator: "\n")
            .filter { $0 == "test second" }
        #expect(tests.count == (isGood ? 2 : 1), "nothing is activated twice")
    }
}
