import Fleet
import Testing

/// Crashes the deploy program at each event, before and after the event is written, and resumes the deploy.
@Suite struct CrashTests {
    struct Crash: CustomTestStringConvertible, Sendable {
        let at: Int
        let written: Bool
        let health: String

        var testDescription: String { "\(written ? "after" : "before") event \(at), \(health)" }
    }

    /// A hub and a spoke, which are two waves.
    private static let text = FleetFixture.text(spokes: [("tokyo", "asia")])

    /// More than there are; a crash that does not happen is reported.
    static let crashes = ["ready 2.0", "it is ill"].flatMap { health in
        // Before the first node is examined both cases are the same.
        (health.hasPrefix("ready") ? 1..<25 : 10..<15).flatMap { at in
            [true, false].map { Crash(at: at, written: $0, health: health) }
        }
    }

    private static func deploy(_ fleet: RigFleet, _ crash: Crash?) async throws -> DeployResult {
        let life = Life()
        if let crash { fleet.journal.kill(life, at: crash.at, written: crash.written) }
        let release = try fleet.release("second", health: crash?.health ?? "ready 2.0")
        let program = fleet.program(life)
        var options = DeployOptions()
        options.soak = 0
        let plan = try DeployPlan(
            id: "d1", try fleet.inventory.nodes.map { .init($0, current: try fleet.rig($0.name).system("first")) },
            release, options)
        let log = program.log(fleet.journal)
        try log.write(plan)
        return try await program.deployer.run(plan, log)
    }

    private static func resume(_ fleet: RigFleet) async throws -> DeployResult {
        let progress = DeployProgress(fleet.journal.events)
        let program = fleet.program()
        let plan = try #require(progress.plan)
        return try await program.deployer.run(plan, after: progress, program.log(fleet.journal, after: progress))
    }

    @Test func anUninterruptedDeployHasThisManyEvents() async throws {
        let fleet = try RigFleet(Self.text)
        #expect(try await Self.deploy(fleet, nil) == .done)
        #expect(fleet.journal.events.count == 25, "\(fleet.journal.events.map(\.kind))")
    }

    @Test(arguments: crashes)
    func theResultIsTheSameWhereverTheProgramCrashes(_ crash: Crash) async throws {
        let fleet = try RigFleet(Self.text)
        await #expect(throws: (any Error).self) { try await Self.deploy(fleet, crash) }
        try #require(fleet.journal.events.last?.kind != .ended || crash.written)
        let result = try await Self.resume(fleet)
        let isGood = crash.health.hasPrefix("ready")
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
        #expect(try fleet.endState() == expected)
        let tests = fleet.rigs.values.compactMap { $0.text("switches") }.joined().split(separator: "\n")
            .filter { $0 == "test second" }
        #expect(tests.count == (isGood ? 2 : 1), "nothing is activated twice")
    }
}
