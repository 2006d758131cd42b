import Fleet
import Foundation
import TestSupport
import Testing

extension RealMachines {
    /// Uses real ssh and sshd, through the hub.
    @Suite(.enabled(if: SSHDFleet.isPossible))
    struct SSHDTests {
        private static let spokes = [("tokyo", "asia"), ("dallas", "america")].map { (name: $0.0, region: $0.1) }

        private func ssh(_ fleet: SSHDFleet) throws -> SSH {
            let ssh = SSH(fleet.inventory, fleet.paths, OperatorProcesses())
            try ssh.prepare()
            return ssh
        }

        @Test func commandsArriveUnchanged() async throws {
            let fleet = try await SSHDFleet(Self.spokes)
            let ssh = try ssh(fleet)
            for node in fleet.inventory.nodes {
                let words = ["it's", "$HOME `id` \\", "", "a\nb", "*", "日本", "\"", "-n"]
                for fresh in [true, false] {
                    let said = try await ssh.run(node, RemoteCommand(["printf", "%s\\001"] + words), fresh: fresh)
                    #expect(said == words.map { $0 + "\u{1}" }.joined())
                }
                #expect(try await ssh.run(node, RemoteCommand(["cat", "unit"])) == "active\n")
                #expect(try await ssh.run(node, RemoteCommand(["cat"]), input: "over\n") == "over\n")
            }
            let failed = await #expect(throws: SSHError.self) {
                try await ssh.run(
                    try fleet.inventory.node("tokyo"), RemoteCommand(["sh", "-c", "echo why >&2; exit 7"]))
            }
            #expect(failed == .failed("tokyo", 7, "why"))
            await ssh.disconnect(fleet.inventory.nodes)
        }

        @Test func anotherHostKeyIsRefused() async throws {
            let fleet = try await SSHDFleet(Self.spokes, wrongKey: "tokyo")
            let ssh = try ssh(fleet)
            let error = await #expect(throws: SSHError.self) {
                try await ssh.run(try fleet.inventory.node("tokyo"), RemoteCommand(["touch", "was-here"]))
            }
            #expect(error == .wrongHostKey("tokyo"))
            #expect(try !fleet.rig("tokyo").exists("was-here"))
            await ssh.disconnect(fleet.inventory.nodes)
        }

        /// Connections to a spoke pass through the hub, whose faults are reported for the hub.
        @Test func aFaultOfTheHubIsReportedForTheHub() async throws {
            let forged = try await SSHDFleet(Self.spokes, wrongKey: "zurich")
            let changed = await #expect(throws: SSHError.self) {
                try await ssh(forged).run(try forged.inventory.node("tokyo"), RemoteCommand(["true"]))
            }
            #expect(changed == .wrongHostKey("zurich"))
        }

        @Test func anUnreachableHubIsReportedForEverySpoke() async throws {
            let fleet = try await SSHDFleet(Self.spokes)
            let tokyo = try fleet.inventory.node("tokyo")
            fleet.stop("zurich")
            let gone = await #expect(throws: SSHError.self) { try await ssh(fleet).run(tokyo, RemoteCommand(["true"])) }
            let said = "\(try #require(gone))"
            #expect(said.hasPrefix("tokyo cannot be reached because zurich, the hub, cannot: "), "\(said)")
            #expect(said.contains("refused"))
            // The other nodes are not tried one after another.
            let status = await FleetStatus.gather(
                fleet.inventory.nodes, try ssh(fleet), NodeRig.paths, monitor: nil)
            #expect(status.rows.map { $0.trouble?.contains("not queried") } == [false, true, true])
        }

        @Test func aKeyThatSSHRejectsIsNamed() async throws {
            let fleet = try await SSHDFleet(Self.spokes)
            let key = try #require(fleet.paths.identity)
            func ask(_ paths: SSHFiles.Paths) throws -> SSHError? {
                let ssh = SSH(fleet.inventory, paths, OperatorProcesses())
                do { try ssh.prepare() } catch let error as SSHError { return error }
                return nil
            }
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: key)
            let open = try #require(try ask(fleet.paths))
            #expect("\(open)".contains(key) && "\(open)".contains("chmod 600") && open.isPreconditionError, "\(open)")
            var paths = fleet.paths
            paths.identity = "\(fleet.folder)/none"
            let missing = try #require(try ask(paths))
            #expect("\(missing)".contains("\(fleet.folder)/none") && missing.isPreconditionError, "\(missing)")
        }

        @Test func anOpenConnectionIsNotUsedForAnotherPinnedKey() async throws {
            let fleet = try await SSHDFleet(Self.spokes)
            let (before, tokyo) = (try ssh(fleet), try fleet.inventory.node("tokyo"))
            _ = try await before.run(tokyo, RemoteCommand(["true"]))
            let dallas = try fleet.inventory.node("dallas")
            let text = fleet.inventoryText.replacing(tokyo.hostKey, with: dallas.hostKey)
            let after = SSH(try Inventory(toml: text), fleet.paths, OperatorProcesses())
            try after.prepare()
            let error = await #expect(throws: SSHError.self) {
                try await after.run(try after.inventory.node("tokyo"), RemoteCommand(["touch", "was-here"]))
            }
            #expect(error == .wrongHostKey("tokyo"))
            #expect(try !fleet.rig("tokyo").exists("was-here"))
            await after.disconnect(fleet.inventory.nodes)
            try before.prepare()
            await before.disconnect(fleet.inventory.nodes)
        }

        /// Uses the real nix-copy-closure, which starts nix-store on the node.
        @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/nix-copy-closure")))
        func aClosureIsCopiedOverTheSameConnection() async throws {
            let fleet = try await SSHDFleet(Self.spokes)
            let ssh = try ssh(fleet)
            let added = try await SystemProcesses().run(
                ChildProcess("nix-store", ["--add", "\(fleet.folder)/tokyo/unit"], deadline: .seconds(120)))
            let path = try #require(added.output.split(separator: "\n").last.map(String.init), "\(added.errors)")
            let step = DeployPlan.Step(node: "tokyo", target: path, previous: "/old")
            let copied = try await SystemProcesses().run(DeployCommands(ssh, NodeRig.paths).copy(step))
            #expect(copied.status == 0, "\(copied.errors)")
            // Only our own host key file is used.
            fleet.stop("tokyo")
            let again = try await SystemProcesses().run(DeployCommands(ssh, NodeRig.paths).copy(step))
            #expect(again.status != 0)
            await ssh.disconnect(fleet.inventory.nodes)
        }

        private struct Deploy {
            let result: DeployResult
            let events: [DeployEvent]
        }

        private func deploy(
            _ fleet: SSHDFleet, window: Int, patience: Int, canary: String = "tokyo",
            _ install: (NodeRig) throws -> String
        ) async throws -> Deploy {
            let ssh = try ssh(fleet)
            let now: @Sendable () -> Int64 = { Int64(Date().timeIntervalSince1970) }
            let deployer = Deployer(
                fleet.inventory, DeployCommands(ssh, NodeRig.paths), OperatorProcesses(), monitor: nil,
                probe: RigProbe(rigs: fleet.rigs), author: DeployAuthor(name: "ana", host: "desk"),
                clock: ContinuousClock(), now: now)
            var options = DeployOptions()
            (options.window, options.healthTimeout, options.soak, options.canary) = (window, patience, 0, canary)
            let release = Release(systems: try fleet.rigs.mapValues(install), version: "2.0")
            let found = await deployer.preflight(fleet.inventory.nodes, release, options)
            try #require(found.problems == [])
            let plan = try DeployPlan(id: "d1", found.candidates, release, options)
            let path = "\(fleet.folder)/d1.jsonl"
            let log = DeployLog(try JournalFile(path), now: now)
            try log.write(plan)
            let result = try await deployer.run(plan, log)
            await ssh.disconnect(fleet.inventory.nodes)
            return Deploy(result: result, events: try JournalFile.read(path))
        }

        /// Acts as soon as the file exists.
        private func whenExists(_ rig: NodeRig, _ name: String, _ action: () throws -> Void) async throws {
            try await eventually("\(name) exists") { rig.exists(name) }
            try action()
        }

        @Test func aDeploySurvivesADisconnectDuringActivation() async throws {
            let fleet = try await SSHDFleet(Self.spokes)
            let tokyo = try fleet.rig("tokyo")
            async let deployed = deploy(fleet, window: 60, patience: 50) {
                try $0.install("second", health: "ready 2.0", delay: 1)
            }
            try await whenExists(tokyo, "state/deploy/d1/started") { fleet.stop("tokyo") }
            try await whenExists(tokyo, "state/deploy/d1/activated") { try fleet.start("tokyo") }
            let deploy = try await deployed
            #expect(deploy.result == .done, "\(deploy.events)")
            for rig in fleet.rigs.values {
                #expect(try rig.profile == rig.system("second"))
                #expect(try rig.current == rig.system("second"))
                // The timer was stopped and removed.
                #expect(try FileManager.default.contentsOfDirectory(atPath: "\(rig.root)/units").isEmpty)
            }
            #expect(try fleet.rig("zurich").text("state/history.jsonl")?.contains("\"result\":\"done\"") == true)
        }

        @Test func anUnreachableNodeRollsBackItself() async throws {
            let fleet = try await SSHDFleet(Self.spokes)
            let tokyo = try fleet.rig("tokyo")
            async let deployed = deploy(fleet, window: 5, patience: 4) {
                try $0.install("second", health: "ready 2.0")
            }
            try await whenExists(tokyo, "state/deploy/d1/started") { fleet.stop("tokyo") }
            try await whenExists(tokyo, "state/deploy/d1/restored") { try fleet.start("tokyo") }
            let deploy = try await deployed
            #expect(deploy.result == .rolledBack)
            #expect(tokyo.text("switches") == "test second\ntest first\n")
            #expect(try tokyo.profile == tokyo.system("first"))
            #expect(try fleet.rig("dallas").text("switches") == nil)
        }

        @Test func aHangingActivationIsEndedByTheNode() async throws {
            let fleet = try await SSHDFleet(Self.spokes)
            let deploy = try await deploy(fleet, window: 4, patience: 3) {
                try $0.install("second", health: "ready 2.0", delay: 600)
            }
            #expect(deploy.result == .rolledBack, "\(deploy.events)")
            let tokyo = try fleet.rig("tokyo")
            #expect(tokyo.text("switches") == "test second\ntest first\n")
            #expect(try tokyo.current == tokyo.system("first"))
            #expect(!tokyo.exists("state/deploy/d1/activated"))
        }

        @Test func aBadVersionStopsAtTheCanary() async throws {
            let fleet = try await SSHDFleet(Self.spokes)
            let deploy = try await deploy(fleet, window: 30, patience: 3) {
                try $0.install("bad", health: "the database does not open")
            }
            #expect(deploy.result == .rolledBack)
            let tokyo = try fleet.rig("tokyo")
            #expect(tokyo.text("switches") == "test bad\ntest first\n")
            #expect(try tokyo.destination("gcroots/clavitor-failed") == tokyo.system("bad"))
            for name in ["dallas", "zurich"] { #expect(try fleet.rig(name).text("switches") == nil) }
            let why = deploy.events.first { $0.kind == .rolledBack }?.text
            #expect(why == "tokyo: rolled back: the database does not open")
        }
    }
}
