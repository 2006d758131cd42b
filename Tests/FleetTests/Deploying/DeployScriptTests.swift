import Fleet
import Foundation
import TestSupport
import Testing

/// The scripts on a node: confirmation, timer, reboot and recovery.
@Suite struct DeployScriptTests {
    private let scratch: Scratch
    private let rig: NodeRig
    private let scripts = DeployScripts(NodeRig.paths)
    private let second: String

    init() throws {
        scratch = try Scratch()
        rig = try NodeRig(scratch.file("node"))
        second = try rig.install("second", health: "ready 2.0")
    }

    /// Runs a script on the rig, whose clock stands at `at`.
    @discardableResult
    private func run(_ script: RemoteScript, _ arguments: [String], at now: Int = 1_800_000_000) async throws
        -> NodeState
    {
        NodeStateText(try await shell(["sh", "-s", "--"] + arguments, input: script.text, now: now)).state
    }

    private func shell(_ words: [String], input: String? = nil, now: Int = 1_800_000_000) async throws -> String {
        var child = ChildProcess(
            "sh", ["-c", "cd \"$0\" && PATH=\"$0/bin:$PATH\" && exec \"$@\"", rig.root] + words, input: input,
            deadline: .seconds(120))
        child.environment = ["RIG_NOW": "\(now)"]
        let outcome = try await SystemProcesses().run(child)
        guard outcome.status == 0 else { throw ChildError.failed("sh", outcome.errors) }
        return outcome.output
    }

    private struct NodeStateText {
        let state: NodeState
        init(_ text: String) { state = (try? NodeState(text, from: "node")) ?? NodeState(.none, current: text) }
    }

    private func fire() async throws {
        try? FileManager.default.removeItem(atPath: "\(rig.root)/units/clavitor-rollback-d1")
        _ = try await shell(["sh", "state/deploy/d1/rollback", "state/deploy/d1", "d1"])
    }

    @Test func aNewNodeHasNoState() async throws {
        #expect(try await run(scripts.state, ["d1"]).phase == .none)
    }

    @Test func beginningTwiceActivatesOnce() async throws {
        let state = try await run(scripts.begin, ["d1", second, "120"])
        #expect(state.phase == .pending)
        #expect(state.activated == 0)
        #expect(state.left == 120)
        #expect(state.current == second)
        #expect(state.previous == rig.system("first"))
        try await run(scripts.begin, ["d1", second, "120"])
        #expect(rig.text("switches") == "test second\n")
        #expect(rig.text("calls") == "systemd-run clavitor-rollback-d1 120\nsystemd-run clavitor-activate-d1 \n")
    }

    @Test func theTimerIsArmedBeforeAnythingIsActivated() async throws {
        // systemd-run fails, so nothing may be activated.
        try NodeRig.program("\(rig.root)/bin/systemd-run", "exit 1")
        await #expect(throws: (any Error).self) { try await run(scripts.begin, ["d1", second, "120"]) }
        #expect(rig.text("switches") == nil)
        #expect(try await run(scripts.state, ["d1"]).phase == .prepared)
    }

    @Test func withoutAPreviousGenerationNothingStarts() async throws {
        try FileManager.default.removeItem(atPath: rig.system("first") + "/bin/switch-to-configuration")
        await #expect(throws: (any Error).self) { try await run(scripts.begin, ["d1", second, "120"]) }
        #expect(rig.text("switches") == nil)
    }

    @Test func confirmationWinsAgainstALaterTimer() async throws {
        try await run(scripts.begin, ["d1", second, "120"])
        #expect(try await run(scripts.confirm, ["d1"]).phase == .kept)
        try await fire()
        #expect(try await run(scripts.state, ["d1"]).phase == .kept)
        #expect(try rig.current == second)
        #expect(try rig.profile == second)
    }

    @Test func theTimerWinsAgainstALaterConfirmation() async throws {
        try await run(scripts.begin, ["d1", second, "120"])
        try await fire()
        #expect(try await run(scripts.confirm, ["d1"]).phase == .restored)
        #expect(try rig.current == rig.system("first"))
        #expect(try rig.profile == rig.system("first"))
    }

    /// Confirmation and timer run concurrently: one wins, and the state is consistent.
    @Test func theRaceHasOneWinner() async throws {
        var winners: Set<NodeState.Phase> = []
        for round in 0..<12 {
            let id = "r\(round)"
            let name = try rig.install("s\(round)", health: "ready")
            let before = try rig.current
            try await run(scripts.begin, [id, name, "120"])
            async let timer = shell(["sh", "state/deploy/\(id)/rollback", "state/deploy/\(id)", id])
            async let confirmed = run(scripts.confirm, [id])
            _ = try await (timer, confirmed)
            let state = try await run(scripts.state, [id])
            winners.insert(state.phase)
            switch state.phase {
            case .kept:
                #expect(try rig.current == name)
                #expect(try rig.profile == name)
            case .restored:
                #expect(try rig.current == before)
                #expect(try rig.profile != name)
            default: Issue.record("\(state)")
            }
        }
        #expect(!winners.isEmpty)
    }

    @Test func aRebootReturnsToTheOldSystem() async throws {
        try await run(scripts.begin, ["d1", second, "120"])
        try rig.write("boot-2\n", to: "boot_id")
        try FileManager.default.removeItem(atPath: "\(rig.root)/current-system")
        try FileManager.default.createSymbolicLink(
            atPath: "\(rig.root)/current-system", withDestinationPath: try rig.profile)
        let state = try await run(scripts.confirm, ["d1"])
        #expect(state.phase == .pending)
        #expect(RolloutStep.next(state) == .abort("it rebooted, into the old system"))
        #expect(try await run(scripts.abort, ["d1"]).phase == .restored)
    }

    /// The new system has filled the disk: no log can be written.
    @Test func rollbackWorksOnAFullDisk() async throws {
        try await run(scripts.begin, ["d1", second, "120"])
        for name in ["rollback.log", "activated.new"] {
            try? FileManager.default.removeItem(atPath: "\(rig.root)/state/deploy/d1/\(name)")
            try FileManager.default.createDirectory(
                atPath: "\(rig.root)/state/deploy/d1/\(name)", withIntermediateDirectories: true)
        }
        try FileManager.default.removeItem(atPath: "\(rig.root)/gcroots")
        try await fire()
        let state = try await run(scripts.state, ["d1"])
        #expect(RolloutStep.next(state) == .rolledBack)
        #expect(try rig.current == rig.system("first"))
    }

    @Test func rollbackWorksOnAReadOnlyDisk() async throws {
        try await run(scripts.begin, ["d1", second, "120"])
        try NodeRig.program("\(rig.root)/bin/mv", "echo 'mv: Read-only file system' >&2; exit 1")
        try await fire()
        #expect(try rig.current == rig.system("first"))
        // A confirmed deploy stays confirmed on such a disk.
        try FileManager.default.removeItem(atPath: "\(rig.root)/bin/mv")
        try await run(scripts.begin, ["d2", second, "120"])
        try await run(scripts.confirm, ["d2"])
        try NodeRig.program("\(rig.root)/bin/mv", "exit 1")
        _ = try await shell(["sh", "state/deploy/d2/rollback", "state/deploy/d2", "d2"])
        #expect(try rig.current == second)
    }

    @Test func aRebootBeforeActivationKeepsATimer() async throws {
        let real = try String(contentsOfFile: "\(rig.root)/bin/systemd-run", encoding: .utf8)
        try NodeRig.program(
            "\(rig.root)/bin/systemd-run", "case $* in *clavitor-activate*) exit 1 ;; esac\n\(real)")
        await #expect(throws: (any Error).self) { try await run(scripts.begin, ["d1", second, "120"]) }
        #expect(rig.exists("units/clavitor-rollback-d1"))
        try FileManager.default.removeItem(atPath: "\(rig.root)/units/clavitor-rollback-d1")
        try rig.write("boot-2\n", to: "boot_id")
        try NodeRig.program("\(rig.root)/bin/systemd-run", real)
        let state = try await run(scripts.begin, ["d1", second, "120"])
        #expect(state.phase == .pending && state.current == second && !state.isRebooted)
        #expect(rig.exists("units/clavitor-rollback-d1"))
    }

    @Test func settingTheBootDefaultIsRetried() async throws {
        try await run(scripts.begin, ["d1", second, "120"])
        try rig.write("", to: "nix-env-fails")
        await #expect(throws: (any Error).self) { try await run(scripts.confirm, ["d1"]) }
        #expect(RolloutStep.next(try await run(scripts.state, ["d1"])) == .confirm)
        try FileManager.default.removeItem(atPath: "\(rig.root)/nix-env-fails")
        #expect(try await run(scripts.confirm, ["d1"]).phase == .kept)
    }

    @Test func factsNameThePreviousGeneration() async throws {
        var facts = try NodeFacts(try await shell(["sh", "-s"], input: scripts.facts.text), from: "node")
        #expect(facts.generation == 1)
        #expect(facts.previous == nil)
        #expect(facts.clock == 1_800_000_000)
        #expect(facts.free > 0)
        try await run(scripts.begin, ["d1", second, "120"])
        try await run(scripts.confirm, ["d1"])
        facts = try NodeFacts(try await shell(["sh", "-s"], input: scripts.facts.text), from: "node")
        #expect(facts.generation == 2)
        #expect(facts.current == second)
        #expect(facts.previous == rig.system("first"))
    }

    @Test func garbageCollectionKeepsUnfinishedDeploys() async throws {
        try await run(scripts.begin, ["d1", second, "120"])
        try await run(scripts.confirm, ["d1"])
        try await run(scripts.begin, ["d2", rig.system("first"), "120"])
        _ = try await shell(["sh", "-s", "--", "failed"], input: MaintenanceScripts(NodeRig.paths).collect.text)
        #expect(!rig.exists("state/deploy/d1"))
        #expect(rig.exists("state/deploy/d2"))
        #expect(rig.text("calls")?.contains("--delete-generations +2") == true)
        // A deploy that is resumed after a crash needs the state of the last one.
        try await run(scripts.confirm, ["d2"])
        _ = try await shell(["sh", "-s"], input: MaintenanceScripts(NodeRig.paths).collect.text)
        #expect(try await run(scripts.state, ["d2"]).phase == .kept)
    }

    @Test func aTruncatedHistoryLineIsSkipped() async throws {
        let hub = HubScripts(NodeRig.paths)
        let line = { (id: String) in
            try DeployRecord(
                deploy: id, who: "ana", host: "desk", ended: 1, result: .done, version: nil, nodes: ["a": "kept"],
                why: nil
            ).line()
        }
        let whole = try line("d2")
        try FileManager.default.createDirectory(atPath: "\(rig.root)/state", withIntermediateDirectories: true)
        for length in stride(from: 1, to: whole.count, by: 7) {
            try rig.write(try line("d1") + "\n" + whole.prefix(length), to: "state/history.jsonl")
            for id in ["d2", "d2", "d3"] {
                _ = try await shell(["sh", "-s", "--", id, try line(id)], input: hub.record.text)
            }
            let read = DeployRecord.read(rig.text("state/history.jsonl") ?? "").map(\.deploy)
            #expect(read == ["d1", "d2", "d3"], "\(length)")
        }
    }

    @Test func aLockThatCouldNotBeWrittenIsNotHeld() async throws {
        let hub = HubScripts(NodeRig.paths)
        try NodeRig.program("\(rig.root)/bin/mv", "exit 1")
        await #expect(throws: (any Error).self) {
            try await shell(["sh", "-s", "--", "d1", "ana", "desk", "1"], input: hub.lock.text)
        }
        #expect(!rig.exists("state/lock"))
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/shellcheck")))
    func shellcheckFindsNothing() async throws {
        let (node, hub, care) = (DeployScripts(NodePaths()), HubScripts(NodePaths()), MaintenanceScripts(NodePaths()))
        let rekey = KeyRotationScripts(NodePaths())
        let inner = [DeployScripts.activate, DeployScripts.rollback, KeyRotationScripts.attempt].map {
            RemoteScript("inner", NodePaths(), $0)
        }
        let all = [
            node.facts, node.hold, node.begin, node.state, node.confirm, node.abort, node.join, rekey.begin,
            rekey.storedKey,
            rekey.addPeer, rekey.removePeer, rekey.removeOthers, rekey.handshakeAge, hub.lock, hub.unlock, hub.owner,
            hub.record, hub.history, care.collect, care.integrity,
        ]
        for script in all + inner {
            // SC2034: a script does not use all variables of the prelude.
            let outcome = try await SystemProcesses().run(
                ChildProcess(
                    "shellcheck", ["--shell=sh", "--exclude=SC2034", "-"], input: script.text, deadline: .seconds(120)))
            #expect(outcome.status == 0, "\(script.name): \(outcome.output)")
        }
    }
}
