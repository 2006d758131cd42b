import Fleet
import Foundation
import Testing

/// Complete deploys to rigs, which run the real scripts in a real shell.
@Suite struct DeployerTests {
    private func deploy(
        _ fleet: RigFleet, _ release: Release, _ change: (inout DeployOptions) -> Void = { _ in },
        stopping: @escaping @Sendable () -> Bool = { false }
    ) async throws -> (result: DeployResult, program: RigProgram) {
        let program = fleet.program()
        var options = DeployOptions()
        options.soak = 3
        change(&options)
        let found = await program.deployer.preflight(fleet.inventory.nodes, release, options)
        #expect(found.problems == [])
        let plan = try DeployPlan(id: "d1", found.candidates, release, options)
        let log = program.log(fleet.journal)
        try log.write(plan)
        return (try await program.deployer.run(plan, log, isStopping: stopping), program)
    }

    @Test func everyNodeRunsAndBootsTheNewSystem() async throws {
        let fleet = try RigFleet(FleetFixture.text())
        let (result, program) = try await deploy(fleet, try fleet.release("second"))
        #expect(result == .done)
        #expect(
            try fleet.endState() == [
                "dallas runs second, boots second", "seoul runs second, boots second",
                "tokyo runs second, boots second", "zurich runs second, boots second",
                "done by ana: [(key: \"dallas\", value: \"kept\"), (key: \"seoul\", value: \"kept\"), "
                    + "(key: \"tokyo\", value: \"kept\"), (key: \"zurich\", value: \"kept\")]",
            ])
        for rig in fleet.rigs.values {
            #expect(rig.text("switches") == "test second\nboot second\n")
        }
        // State is read and confirmed over new connections.
        let asked = program.processes.lines.filter { $0.hasSuffix("sh -s -- d1'") }
        #expect(asked.count { $0.contains("ControlPath=none") } >= 12)
        #expect(asked.count { !$0.contains("ControlPath=none") } == 1, "only unlocking uses the shared connection")
        // The printed commands are those that ran.
        let plan = try #require(fleet.journal.events.first?.plan)
        for line in try program.deployer.calls.lines(plan, fleet.inventory) where !line.hasPrefix("#") {
            let command = line.components(separatedBy: " < ")[0]
            #expect(program.processes.lines.contains(command), "\(command)")
        }
    }

    @Test func aBadVersionStopsAtTheCanary() async throws {
        let fleet = try RigFleet(FleetFixture.text())
        let (result, _) = try await deploy(fleet, try fleet.release("bad", health: "database is not open")) {
            $0.canary = "seoul"
        }
        #expect(result == .rolledBack)
        let state = try fleet.endState()
        #expect(state.prefix(4).allSatisfy { $0.hasSuffix("runs first, boots first") })
        #expect(state.last == "rolledBack by ana: [(key: \"seoul\", value: \"rolledBack\")]")
        let rig = try fleet.rig("seoul")
        #expect(rig.text("switches") == "test bad\ntest first\n")
        #expect(try rig.destination("gcroots/clavitor-failed") == rig.system("bad"))
        for name in ["tokyo", "dallas", "zurich"] { #expect(try fleet.rig(name).text("switches") == nil) }
        let why = try #require(fleet.journal.events.first { $0.kind == .rolledBack }?.text)
        #expect(why == "seoul: rolled back: database is not open")
    }

    struct Fault: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let word: String
        var status = 0
        var health = "ready 2.0"
        let plant: @Sendable (RigFleet) throws -> Void
    }

    static let faults = [
        Fault(testDescription: "the activation fails", word: "status 4", status: 4) { _ in },
        Fault(testDescription: "another version runs", word: "reports version 1.9", health: "ready 1.9") { _ in },
        Fault(testDescription: "no heartbeat arrives", word: "no heartbeat") { $0.monitor.silence(["seoul"]) },
    ]

    @Test(arguments: faults)
    func anUnhealthyNodeIsRolledBack(_ fault: Fault) async throws {
        let fleet = try RigFleet(FleetFixture.text())
        let release = try fleet.release("second", health: fault.health)
        try fleet.rig("seoul").install("second", health: fault.health, status: fault.status)
        let (result, _) = try await { () async throws in
            let program = fleet.program()
            var options = DeployOptions()
            options.canary = "seoul"
            let found = await program.deployer.preflight(fleet.inventory.nodes, release, options)
            let plan = try DeployPlan(id: "d1", found.candidates, release, options)
            try fault.plant(fleet)
            return (try await program.deployer.run(plan, program.log(fleet.journal)), program)
        }()
        #expect(result == .rolledBack)
        #expect(try fleet.rig("seoul").current == fleet.rig("seoul").system("first"))
        let why = try #require(fleet.journal.events.first { $0.kind == .rolledBack }?.text)
        #expect(why.contains(fault.word), "\(why)")
        #expect(fleet.monitor.maintenanceWindows.isEmpty)
    }

    @Test func anUnreachableNodeRollsBackItself() async throws {
        let fleet = try RigFleet(FleetFixture.text())
        let release = try fleet.release("second")
        let program = fleet.program()
        var options = DeployOptions()
        options.canary = "seoul"
        let plan = try DeployPlan(
            id: "d1", fleet.inventory.nodes.map { .init($0, current: try fleet.rig($0.name).current) }, release, options
        )
        // The node is unreachable from the start of the activation until the deadline.
        let clock = program.clock
        program.processes.onScript { node, command in
            guard node == "seoul" else { return }
            let begun = (try? fleet.rig("seoul").exists("state/deploy/d1/started")) == true
            let isOver = (try? fleet.rig("seoul").exists("state/deploy/d1/restored")) == true
            program.processes.cutOff(begun && !isOver ? ["seoul"] : [])
        }
        #expect(try await program.deployer.run(plan, program.log(fleet.journal)) == .rolledBack)
        #expect(clock.seconds >= 1_800_000_000 + 120)
        #expect(try fleet.rig("seoul").text("switches") == "test second\ntest first\n")
        #expect(try fleet.rig("seoul").profile.hasSuffix("first"))
        #expect(try fleet.rig("tokyo").text("switches") == nil)
    }

    @Test func aHangingActivationIsEndedByTheTimer() async throws {
        let fleet = try RigFleet(FleetFixture.text())
        try fleet.rig("seoul").write("", to: "hang")
        let (result, _) = try await deploy(fleet, try fleet.release("second")) { $0.canary = "seoul" }
        #expect(result == .rolledBack)
        #expect(try fleet.rig("seoul").text("switches") == "test first\n")
        #expect(try fleet.rig("seoul").text("calls")?.contains("systemctl stop clavitor-activate-d1.service") == true)
    }

    @Test func aNodeThatRunsTheSystemIsSkipped() async throws {
        let fleet = try RigFleet(FleetFixture.text())
        let release = Release(systems: try fleet.rigs.mapValues { try $0.current }, version: "1.0")
        let (result, program) = try await deploy(fleet, release)
        #expect(result == .noChange)
        #expect(fleet.rigs.values.allSatisfy { $0.text("switches") == nil })
        #expect(program.processes.lines.count { $0.contains("begin") || $0.contains("copy") } == 0)
    }

    @Test func aSecondOperatorSeesTheLockHolder() async throws {
        let fleet = try RigFleet(FleetFixture.text())
        let release = try fleet.release("second")
        let program = fleet.program()
        let plan = { (id: String) in
            try DeployPlan(
                id: id, fleet.inventory.nodes.map { .init($0, current: try fleet.rig($0.name).current) }, release,
                DeployOptions())
        }
        try await program.deployer.lock(try plan("d1"), isTakingOver: false)
        let refusal = await #expect(throws: DeployPreconditionError.self) {
            try await program.deployer.run(try plan("d2"), program.log(fleet.journal))
        }
        #expect("\(try #require(refusal))".contains("ana on desk, started 0 minutes ago, deploy d1"))
        #expect(fleet.rigs.values.allSatisfy { $0.text("switches") == nil })
        #expect(DeployProgress(fleet.journal.events).isEnded, "there is nothing to resume")
        // Another operator cannot release this lock, but can take it over.
        try await program.deployer.unlock(try plan("d2"))
        #expect(try fleet.rig("zurich").exists("state/lock"))
        try await program.deployer.lock(try plan("d2"), isTakingOver: true)
        #expect(try fleet.rig("zurich").text("state/lock/owner")?.contains("deploy=d2") == true)
    }

    @Test func anInterruptFinishesTheCurrentNode() async throws {
        let fleet = try RigFleet(FleetFixture.text())
        let (result, _) = try await deploy(
            fleet, try fleet.release("second"), { $0.canary = "seoul" },
            stopping: { fleet.journal.events.contains { $0.kind == .activating } })
        #expect(result == .stopped)
        #expect(try fleet.rig("seoul").profile.hasSuffix("second"))
        #expect(try fleet.rig("tokyo").text("switches") == nil)
        #expect(try !fleet.rig("zurich").exists("state/lock"))
    }

    @Test func aCanaryThatBecomesUnhealthyEndsTheDeploy() async throws {
        let fleet = try RigFleet(FleetFixture.text())
        let seoul = try fleet.rig("seoul")
        let release = try fleet.release("second")
        let program = fleet.program()
        var options = DeployOptions()
        (options.canary, options.soak) = ("seoul", 5)
        let plan = try DeployPlan(
            id: "d1", fleet.inventory.nodes.map { .init($0, current: try fleet.rig($0.name).current) }, release, options
        )
        let log = DeployLog(fleet.journal, now: { program.clock.seconds }) { event in
            if event.kind == .soaking { try? seoul.write("out of memory", to: "store/second/health") }
        }
        #expect(try await program.deployer.run(plan, log) == .failed)
        #expect(fleet.journal.events.contains { $0.text?.contains("clavitor-soc rollback seoul") == true })
        #expect(try fleet.rig("tokyo").text("switches") == nil)
    }

    @Test func aStartedNodeIsFinishedThoughAnotherFailed() async throws {
        let fleet = try RigFleet(FleetFixture.text())
        let release = try fleet.release("second")
        let program = fleet.program()
        let candidates = try fleet.inventory.nodes.map {
            DeployPlan.Candidate($0, current: try fleet.rig($0.name).current)
        }
        let plan = try DeployPlan(id: "d1", candidates, release, DeployOptions())
        let dallas = try #require(plan.steps.first { $0.node == "dallas" })
        try await program.deployer.lock(plan, isTakingOver: false)
        // The program crashed when tokyo was rolled back and dallas had just started.
        _ = try await program.deployer.calls.ssh.perform(
            program.deployer.calls.begin(try fleet.inventory.node("dallas"), dallas, plan))
        let progress = DeployProgress([
            DeployEvent(.planned, plan: plan), DeployEvent(.activating, node: "dallas"),
            DeployEvent(.rolledBack, node: "tokyo", text: "ill"),
        ])
        let log = program.log(fleet.journal, after: progress)
        #expect(try await program.deployer.run(plan, after: progress, log) == .rolledBack)
        #expect(try fleet.rig("dallas").profile.hasSuffix("second"))
        #expect(try fleet.rig("seoul").text("switches") == nil)
    }

    @Test func anOutdatedPlanStartsNothing() async throws {
        let fleet = try RigFleet(FleetFixture.text())
        let program = fleet.program()
        let candidates = try fleet.inventory.nodes.map {
            DeployPlan.Candidate($0, current: try fleet.rig($0.name).current)
        }
        let stale = try DeployPlan(id: "d0", candidates, try fleet.release("second"), DeployOptions())
        #expect(try await deploy(fleet, try fleet.release("third")) { $0.soak = 0 }.result == .done)
        let progress = DeployProgress([DeployEvent(.planned, plan: stale)])
        let log = program.log(RigJournal(), after: progress)
        #expect(try await program.deployer.run(stale, after: progress, log) == .failed)
        #expect(fleet.rigs.values.allSatisfy { $0.text("switches") == "test third\nboot third\n" })
    }

    @Test func aRollbackIsADeploy() async throws {
        let fleet = try RigFleet(FleetFixture.text())
        #expect(try await deploy(fleet, try fleet.release("second")).result == .done)
        let program = fleet.program()
        let found = await program.deployer.preflight(fleet.inventory.nodes, nil, DeployOptions())
        var options = DeployOptions()
        (options.isRollback, options.soak) = (true, 0)
        let release = Release(systems: found.facts.compactMapValues(\.previous))
        #expect(release.systems.count == 4)
        let plan = try DeployPlan(id: "d2", found.candidates, release, options)
        #expect(try await program.deployer.run(plan, program.log(RigJournal())) == .done)
        for rig in fleet.rigs.values {
            #expect(try rig.current == rig.system("first"))
            #expect(try rig.profile == rig.system("first"))
        }
        let history = try await program.deployer.history(limit: 5)
        #expect(history.map(\.deploy) == ["d1", "d2"])
        #expect(history.allSatisfy { $0.result == .done && $0.who == "ana" && $0.host == "desk" })
    }
}
