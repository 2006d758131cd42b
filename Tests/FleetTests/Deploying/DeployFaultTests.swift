import Fleet
import Foundation
import Synchronization
import Testing

/// Faults around a deploy: other operators, suspended laptops, full disks, reboots, and wrong responses of nodes.
@Suite struct DeployFaultTests {
    private let fleet: RigFleet

    init() throws { fleet = try RigFleet(FleetFixture.text()) }

    private func plan(_ id: String, _ release: Release, _ change: (inout DeployOptions) -> Void = { _ in }) throws
        -> DeployPlan
    {
        var options = DeployOptions()
        (options.canary, options.soak) = ("seoul", 5)
        change(&options)
        let candidates = try fleet.inventory.nodes.map {
            DeployPlan.Candidate($0, current: try fleet.rig($0.name).current)
        }
        return try DeployPlan(id: id, candidates, release, options)
    }

    /// Runs `act` during the program's soak time.
    private func deploy(_ act: @escaping @Sendable (DeployPlan) -> Void) async throws -> (DeployResult, String) {
        let program = fleet.program()
        let plan = try plan("d1", try fleet.release("second"))
        let journal = fleet.journal
        let log = DeployLog(journal, now: { program.clock.seconds }) { if $0.kind == .soaking { act(plan) } }
        let result = try await program.deployer.run(plan, log)
        return (result, journal.events.first { $0.kind == .stopping }?.text ?? "")
    }

    private func otherNodesAreUnchanged() throws {
        for name in ["tokyo", "dallas", "zurich"] { #expect(try fleet.rig(name).text("switches") == nil) }
    }

    @Test func aDeployWhoseLockWasTakenOverStops() async throws {
        let hub = try fleet.rig("zurich")
        let (result, why) = try await deploy { _ in
            try? hub.write("deploy=d2\nwho=ben\nhost=desk2\nsince=1800000000\n", to: "state/lock/owner")
        }
        #expect(result == .failed)
        #expect(why.contains("the lock was taken over by ben on desk2"), "\(why)")
        try otherNodesAreUnchanged()
        #expect(hub.exists("state/lock"), "another operator's lock is kept")
    }

    @Test func aDeployWhoseLockWasBrokenStops() async throws {
        let hub = try fleet.rig("zurich")
        let (result, why) = try await deploy { _ in
            try? FileManager.default.removeItem(atPath: "\(hub.root)/state/lock")
        }
        #expect(result == .failed)
        #expect(why.contains("this deploy's lock was broken"), "\(why)")
        try otherNodesAreUnchanged()
    }

    @Test func aCanaryRolledBackByAnotherOperatorStopsTheDeploy() async throws {
        let seoul = try fleet.rig("seoul")
        let (result, why) = try await deploy { _ in
            try? FileManager.default.removeItem(atPath: "\(seoul.root)/current-system")
            try? FileManager.default.createSymbolicLink(
                atPath: "\(seoul.root)/current-system", withDestinationPath: seoul.system("first"))
        }
        #expect(result == .failed)
        #expect(why.contains("it was kept, but runs"), "\(why)")
        try otherNodesAreUnchanged()
    }

    @Test func anIncidentOfTheCanaryStopsTheDeploy() async throws {
        let monitor = fleet.monitor
        let (result, why) = try await deploy { _ in
            monitor.raise(
                .init(id: 1, key: "seoul/memory", node: "seoul", rule: "memory", severity: "sev2", title: "seoul swaps")
            )
        }
        #expect(result == .failed)
        #expect(why.contains("seoul swaps"), "\(why)")
        try otherNodesAreUnchanged()
    }

    private func preflight() async -> Preflight {
        await fleet.program().deployer.preflight(fleet.inventory.nodes, nil, DeployOptions())
    }

    @Test func aNodeOnTrialIsNotDeployedTo() async throws {
        let program = fleet.program()
        let plan = try plan("d1", try fleet.release("second"))
        let seoul = try fleet.inventory.node("seoul")
        let step = try #require(plan.steps.first { $0.node == "seoul" })
        _ = try await program.deployer.calls.ssh.perform(program.deployer.calls.begin(seoul, step, plan))
        let found = await preflight()
        #expect(found.problems.count == 1 && found.problems[0].contains("seoul is on trial in deploy d1"))
        let trial = try #require(found.facts["seoul"]?.trial)
        #expect(trial.deploy == "d1" && trial.left == 120)
        // A reboot has rolled the node back.
        try fleet.rig("seoul").write("boot-2\n", to: "boot_id")
        #expect(await preflight().facts["seoul"]?.trial == nil)
    }

    @Test func aNodeThatBootsTheOldSystemIsDeployedAgain() async throws {
        let seoul = try fleet.rig("seoul")
        try seoul.write("", to: "nix-env-fails")
        #expect(try await deploy { _ in }.0 == .failed)
        try FileManager.default.removeItem(atPath: "\(seoul.root)/nix-env-fails")
        #expect(try seoul.current != seoul.profile)
        let (release, found) = (try fleet.release("second"), await preflight())
        let again = try DeployPlan(id: "d2", found.candidates, release, DeployOptions())
        #expect(!again.unchanged.contains("seoul"))
        let program = fleet.program()
        #expect(try await program.deployer.run(again, program.log(RigJournal())) == .done)
        #expect(try seoul.profile == seoul.system("second"))
    }

    /// A full boot partition: the profile is set, and the boot loader's menu cannot be written.
    @Test func anUnwrittenBootMenuIsWrittenLater() async throws {
        let seoul = try fleet.rig("seoul")
        let release = try fleet.release("second")
        let switching = try String(
            contentsOfFile: "\(release.systems["seoul"] ?? "")/bin/switch-to-configuration", encoding: .utf8)
        try NodeRig.program(
            "\(seoul.system("second"))/bin/switch-to-configuration", "[ \"$1\" != boot ] || exit 1\n\(switching)")
        let program = fleet.program()
        let first = try plan("d1", release) { $0.soak = 0 }
        #expect(try await program.deployer.run(first, program.log(RigJournal())) == .failed)
        #expect(try seoul.profile == seoul.system("second"))
        try NodeRig.program("\(seoul.system("second"))/bin/switch-to-configuration", switching)
        let again = try DeployPlan(id: "d2", await preflight().candidates, release, DeployOptions())
        #expect(!again.unchanged.contains("seoul"))
        #expect(try await fleet.program().deployer.run(again, program.log(RigJournal())) == .done)
        #expect(seoul.text("switches")?.contains("boot second") == true)
    }

    @Test func aDeployRolledBackByAnotherOperatorIsNotResumed() async throws {
        let hub = try fleet.rig("zurich")
        let plan = try plan("d1", try fleet.release("second"))
        let progress = DeployProgress([
            DeployEvent(.planned, plan: plan), DeployEvent(.activating, node: "seoul"),
            DeployEvent(.kept, node: "seoul"),
        ])
        #expect(!hub.exists("state/lock"))
        let program = fleet.program()
        let (journal, deployer) = (fleet.journal, program.deployer)
        await #expect(throws: DeployPreconditionError.takenOver("this deploy's lock was broken and released")) {
            try await deployer.run(plan, after: progress, program.log(journal, after: progress))
        }
        try otherNodesAreUnchanged()
        #expect(DeployProgress(journal.events).isEnded)
    }

    @Test func theLockIsCheckedBeforeTheFirstWave() async throws {
        let hub = try fleet.rig("zurich")
        let program = fleet.program()
        let plan = try plan("d1", try fleet.release("second"))
        let journal = fleet.journal
        // Copying has taken an hour.
        let log = DeployLog(journal, now: { program.clock.seconds }) {
            if $0.kind == .copied { try? hub.write("deploy=d2\nwho=ben\nhost=x\nsince=1\n", to: "state/lock/owner") }
        }
        #expect(try await program.deployer.run(plan, log) == .failed)
        #expect(fleet.rigs.values.allSatisfy { $0.text("switches") == nil })
    }

    @Test func anUnrecordedRollbackEndsTheTrial() async throws {
        let program = fleet.program()
        let plan = try plan("d1", try fleet.release("second"))
        let seoul = try fleet.inventory.node("seoul")
        let step = try #require(plan.steps.first { $0.node == "seoul" })
        _ = try await program.deployer.calls.ssh.perform(program.deployer.calls.begin(seoul, step, plan))
        let rig = try fleet.rig("seoul")
        try FileManager.default.removeItem(atPath: "\(rig.root)/units/clavitor-rollback-d1")
        try rig.write("1799999000\n", to: "state/deploy/d1/deadline")
        #expect(await preflight().problems.contains { $0.contains("should have been rolled back by now") })
        try FileManager.default.removeItem(atPath: "\(rig.root)/current-system")
        try FileManager.default.createSymbolicLink(
            atPath: "\(rig.root)/current-system", withDestinationPath: rig.system("first"))
        #expect(await preflight().facts["seoul"]?.trial == nil)
    }

    @Test func aRejectedResumeCanBeRetried() async throws {
        let hub = try fleet.rig("zurich")
        let plan = try plan("d1", try fleet.release("second"))
        let progress = DeployProgress([DeployEvent(.planned, plan: plan)])
        try FileManager.default.createDirectory(atPath: "\(hub.root)/state/lock", withIntermediateDirectories: true)
        try hub.write("deploy=d0\nwho=ben\nhost=x\nsince=-9223372036854775808\n", to: "state/lock/owner")
        let program = fleet.program()
        let (journal, deployer) = (fleet.journal, program.deployer)
        await #expect(throws: DeployPreconditionError.self) {
            try await deployer.run(plan, after: progress, program.log(journal, after: progress))
        }
        #expect(!DeployProgress(journal.events).isEnded)
    }

    @Test func aClockSetByAnActivationDoesNotShortenTheTrial() async throws {
        let seoul = try fleet.rig("seoul")
        let release = try fleet.release("second", health: "starting")
        let program = fleet.program()
        let plan = try plan("d1", release) { $0.soak = 0 }
        let (journal, clock) = (fleet.journal, program.clock)
        let log = DeployLog(journal, now: { clock.seconds }) { event in
            guard event.kind == .checking, event.node == "seoul" else { return }
            // The clock jumps by ten minutes, and the node is healthy a few checks later.
            try? seoul.write("1799999000\n", to: "state/deploy/d1/deadline")
        }
        let looks = Mutex(0)
        let rigs = fleet.rigs
        program.processes.onScript { node, _ in
            guard node == "seoul",
                looks.withLock({
                    $0 += 1; return $0
                }) == 12
            else { return }
            for rig in rigs.values { try? rig.write("ready 2.0", to: "store/second/health") }
        }
        #expect(try await program.deployer.run(plan, log) == .done)
    }
}
