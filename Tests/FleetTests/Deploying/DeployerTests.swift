import Fleet
import Foundation
import Testing

/// Whole deploys against rigs: the node-side scripts are the real ones, in a real shell.
@Suite struct DeployerTests {
    private func deploy(
        _ world: RigWorld, _ release: Release, _ change: (inout DeployOptions) -> Void = { _ in },
        stopping: @escaping @Sendable () -> Bool = { false }
    ) async throws -> (result: DeployResult, program: RigProgram) {
        let program = world.program()
        var options = DeployOptions()
        options.soak = 3
        change(&options)
        let found = await program.deployer.preflight(world.inventory.nodes, release, options)
        #expect(found.problems == [])
        let plan = try DeployPlan(id: "d1", found.candidates, release, options)
        let log = program.log(world.journal)
        try log.write(plan)
        return (try await program.deployer.run(plan, log, isStopping: stopping), program)
    }

    @Test func everyNodeComesToRunAndToBootTheNewSystem() async throws {
        let world = try RigWorld(FleetFixture.text())
        let (result, program) = try await deploy(world, try world.release("second"))
        #expect(result == .done)
        #expect(
            try world.endState() == [
                "dallas runs second, boots second", "seoul runs second, boots second",
                "tokyo runs second, boots second", "zurich runs second, boots second",
                "done by ana: [(key: \"dallas\", value: \"kept\"), (key: \"seoul\", value: \"kept\"), "
                    + "(key: \"tokyo\", value: \"kept\"), (key: \"zurich\", value: \"kept\")]",
            ])
        for rig in world.rigs.values {
            #expect(rig.text("switches") == "test second\nboot second\n")
        }
        // Whether it may stay is asked and said over connections that were not there before.
        let asked = program.processes.lines.filter { $0.hasSuffix("sh -s -- d1'") }
        #expect(asked.count { $0.contains("ControlPath=none") } >= 12)
        #expect(asked.count { !$0.contains("ControlPath=none") } == 1, "the lock's end alone")
        // What was promised is what ran.
        let plan = try #require(world.journal.events.first?.plan)
        for line in try program.deployer.calls.lines(plan, world.inventory) where !line.hasPrefix("#") {
            let command = line.components(separatedBy: " < ")[0]
            #expect(program.processes.lines.contains(command), "\(command)")
        }
    }

    @Test func aBadVersionStopsAtTheCanary() async throws {
        let world = try RigWorld(FleetFixture.text())
        let (result, _) = try await deploy(world, try world.release("bad", health: "database is not open")) {
            $0.canary = "seoul"
        }
        #expect(result == .rolledBack)
        let state = try world.endState()
        #expect(state.prefix(4).allSatisfy { $0.hasSuffix("runs first, boots first") })
        #expect(state.last == "rolledBack by ana: [(key: \"seoul\", value: \"rolledBack\")]")
        let rig = try world.rig("seoul")
        #expect(rig.text("switches") == "test bad\ntest first\n")
        #expect(try rig.destination("gcroots/clavitor-failed") == rig.system("bad"))
        for name in ["tokyo", "dallas", "zurich"] { #expect(try world.rig(name).text("switches") == nil) }
        let why = try #require(world.journal.events.first { $0.kind == .rolledBack }?.text)
        #expect(why == "seoul: rolled back: database is not open")
    }

    struct Fault: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let word: String
        var status = 0
        var health = "ready 2.0"
        let plant: @Sendable (RigWorld) throws -> Void
    }

    static let faults = [
        Fault(testDescription: "the activation fails", word: "status 4", status: 4) { _ in },
        Fault(testDescription: "another version runs", word: "reports version 1.9", health: "ready 1.9") { _ in },
        Fault(testDescription: "no heartbeat comes", word: "no heartbeat") { $0.monitor.silence(["seoul"]) },
    ]

    @Test(arguments: faults)
    func whatIsNotWellGoesBack(_ fault: Fault) async throws {
        let world = try RigWorld(FleetFixture.text())
        let release = try world.release("second", health: fault.health)
        try world.rig("seoul").install("second", health: fault.health, status: fault.status)
        let (result, _) = try await { () async throws in
            let program = world.program()
            var options = DeployOptions()
            options.canary = "seoul"
            let found = await program.deployer.preflight(world.inventory.nodes, release, options)
            let plan = try DeployPlan(id: "d1", found.candidates, release, options)
            try fault.plant(world)
            return (try await program.deployer.run(plan, program.log(world.journal)), program)
        }()
        #expect(result == .rolledBack)
        #expect(try world.rig("seoul").current == world.rig("seoul").system("first"))
        let why = try #require(world.journal.events.first { $0.kind == .rolledBack }?.text)
        #expect(why.contains(fault.word), "\(why)")
        #expect(world.monitor.maintenanceWindows.isEmpty)
    }

    @Test func aNodeThatIsCutOffGoesBackByItself() async throws {
        let world = try RigWorld(FleetFixture.text())
        let release = try world.release("second")
        let program = world.program()
        var options = DeployOptions()
        options.canary = "seoul"
        let plan = try DeployPlan(
            id: "d1", world.inventory.nodes.map { .init($0, current: try world.rig($0.name).current) }, release, options
        )
        // Gone as soon as it has begun; back when its time is over.
        let clock = program.clock
        program.processes.onScript { node, command in
            guard node == "seoul" else { return }
            let begun = (try? world.rig("seoul").exists("state/deploy/d1/started")) == true
            let isOver = (try? world.rig("seoul").exists("state/deploy/d1/restored")) == true
            program.processes.cutOff(begun && !isOver ? ["seoul"] : [])
        }
        #expect(try await program.deployer.run(plan, program.log(world.journal)) == .rolledBack)
        #expect(clock.seconds >= 1_800_000_000 + 120)
        #expect(try world.rig("seoul").text("switches") == "test second\ntest first\n")
        #expect(try world.rig("seoul").profile.hasSuffix("first"))
        #expect(try world.rig("tokyo").text("switches") == nil)
    }

    @Test func anActivationThatHangsIsEndedByTheTimer() async throws {
        let world = try RigWorld(FleetFixture.text())
        try world.rig("seoul").write("", to: "hang")
        let (result, _) = try await deploy(world, try world.release("second")) { $0.canary = "seoul" }
        #expect(result == .rolledBack)
        #expect(try world.rig("seoul").text("switches") == "test first\n")
        #expect(try world.rig("seoul").text("calls")?.contains("systemctl stop clavitor-activate-d1.service") == true)
    }

    @Test func whoeverRunsItAlreadyIsLeftAlone() async throws {
        let world = try RigWorld(FleetFixture.text())
        let release = Release(systems: try world.rigs.mapValues { try $0.current }, version: "1.0")
        let (result, program) = try await deploy(world, release)
        #expect(result == .noChange)
        #expect(world.rigs.values.allSatisfy { $0.text("switches") == nil })
        #expect(program.processes.lines.count { $0.contains("begin") || $0.contains("copy") } == 0)
    }

    @Test func aSecondOperatorIsToldWhoDeploys() async throws {
        let world = try RigWorld(FleetFixture.text())
        let release = try world.release("second")
        let program = world.program()
        let plan = { (id: String) in
            try DeployPlan(
                id: id, world.inventory.nodes.map { .init($0, current: try world.rig($0.name).current) }, release,
                DeployOptions())
        }
        try await program.deployer.lock(try plan("d1"), isTakingOver: false)
        let refusal = await #expect(throws: DeployPreconditionError.self) {
            try await program.deployer.run(try plan("d2"), program.log(world.journal))
        }
        #expect("\(try #require(refusal))".contains("ana on desk, started 0 minutes ago, deploy d1"))
        #expect(world.rigs.values.allSatisfy { $0.text("switches") == nil })
        #expect(DeployProgress(world.journal.events).isEnded, "there is nothing to resume")
        // The other's unlocking does nothing to this lock; taking over does.
        try await program.deployer.unlock(try plan("d2"))
        #expect(try world.rig("zurich").exists("state/lock"))
        try await program.deployer.lock(try plan("d2"), isTakingOver: true)
        #expect(try world.rig("zurich").text("state/lock/owner")?.contains("deploy=d2") == true)
    }

    @Test func ctrlCFinishesTheNodeInHand() async throws {
        let world = try RigWorld(FleetFixture.text())
        let (result, _) = try await deploy(
            world, try world.release("second"), { $0.canary = "seoul" },
            stopping: { world.journal.events.contains { $0.kind == .activating } })
        #expect(result == .stopped)
        #expect(try world.rig("seoul").profile.hasSuffix("second"))
        #expect(try world.rig("tokyo").text("switches") == nil)
        #expect(try !world.rig("zurich").exists("state/lock"))
    }

    @Test func aCanaryThatFallsIllWhileItIsWatchedEndsTheDeploy() async throws {
        let world = try RigWorld(FleetFixture.text())
        let seoul = try world.rig("seoul")
        let release = try world.release("second")
        let program = world.program()
        var options = DeployOptions()
        (options.canary, options.soak) = ("seoul", 5)
        let plan = try DeployPlan(
            id: "d1", world.inventory.nodes.map { .init($0, current: try world.rig($0.name).current) }, release, options
        )
        let log = DeployLog(world.journal, now: { program.clock.seconds }) { event in
            if event.kind == .soaking { try? seoul.write("out of memory", to: "store/second/health") }
        }
        #expect(try await program.deployer.run(plan, log) == .failed)
        #expect(world.journal.events.contains { $0.text?.contains("clavitor-soc rollback seoul") == true })
        #expect(try world.rig("tokyo").text("switches") == nil)
    }

    @Test func aNodeInHandIsBroughtToItsEndThoughAnotherFailed() async throws {
        let world = try RigWorld(FleetFixture.text())
        let release = try world.release("second")
        let program = world.program()
        let candidates = try world.inventory.nodes.map {
            DeployPlan.Candidate($0, current: try world.rig($0.name).current)
        }
        let plan = try DeployPlan(id: "d1", candidates, release, DeployOptions())
        let dallas = try #require(plan.steps.first { $0.node == "dallas" })
        try await program.deployer.lock(plan, isTakingOver: false)
        // The program died when tokyo had gone back and dallas had just begun.
        _ = try await program.deployer.calls.ssh.perform(
            program.deployer.calls.begin(try world.inventory.node("dallas"), dallas, plan))
        let progress = DeployProgress([
            DeployEvent(.planned, plan: plan), DeployEvent(.activating, node: "dallas"),
            DeployEvent(.rolledBack, node: "tokyo", text: "ill"),
        ])
        let log = program.log(world.journal, after: progress)
        #expect(try await program.deployer.run(plan, after: progress, log) == .rolledBack)
        #expect(try world.rig("dallas").profile.hasSuffix("second"))
        #expect(try world.rig("seoul").text("switches") == nil)
    }

    @Test func aPlanThatTheFleetHasLeftBehindBeginsNothing() async throws {
        let world = try RigWorld(FleetFixture.text())
        let program = world.program()
        let candidates = try world.inventory.nodes.map {
            DeployPlan.Candidate($0, current: try world.rig($0.name).current)
        }
        let stale = try DeployPlan(id: "d0", candidates, try world.release("second"), DeployOptions())
        #expect(try await deploy(world, try world.release("third")) { $0.soak = 0 }.result == .done)
        let progress = DeployProgress([DeployEvent(.planned, plan: stale)])
        let log = program.log(RigJournal(), after: progress)
        #expect(try await program.deployer.run(stale, after: progress, log) == .failed)
        #expect(world.rigs.values.allSatisfy { $0.text("switches") == "test third\nboot third\n" })
    }

    @Test func goingBackIsADeployToo() async throws {
        let world = try RigWorld(FleetFixture.text())
        #expect(try await deploy(world, try world.release("second")).result == .done)
        let program = world.program()
        let found = await program.deployer.preflight(world.inventory.nodes, nil, DeployOptions())
        var options = DeployOptions()
        (options.isRollback, options.soak) = (true, 0)
        let release = Release(systems: found.facts.compactMapValues(\.previous))
        #expect(release.systems.count == 4)
        let plan = try DeployPlan(id: "d2", found.candidates, release, options)
        #expect(try await program.deployer.run(plan, program.log(RigJournal())) == .done)
        for rig in world.rigs.values {
            #expect(try rig.current == rig.system("first"))
            #expect(try rig.profile == rig.system("first"))
        }
        let history = try await program.deployer.history(limit: 5)
        #expect(history.map(\.deploy) == ["d1", "d2"])
        #expect(history.allSatisfy { $0.result == .done && $0.who == "ana" && $0.host == "desk" })
    }
}
