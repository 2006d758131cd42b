import ArgumentParser
import Fleet
import Foundation
import Synchronization
import Testing
import Wire

@testable import clavitor_soc

extension RealMachines {
    /// The deploy runner with real ssh, real TLS to nodes and monitor, and a journal and lock on disk.
    @Suite(.enabled(if: SSHDFleet.isPossible && TLSServer.isPossible))
    struct DeployRunnerTests {
        /// The HTTPS servers of the fleet's machines.
        private final class Outside: Sendable {
            let fleet: SSHDFleet
            let caFile: String
            private let servers: [TLSServer]
            let maintenanceWindows: MaintenanceWindows

            final class MaintenanceWindows: Sendable {
                let open = Mutex<[FleetReport.MaintenanceWindow]>([])
                let opened = Mutex(0)
            }

            init(_ fleet: SSHDFleet) async throws {
                self.fleet = fleet
                let windows = MaintenanceWindows()
                maintenanceWindows = windows
                let rigs = fleet.rigs
                var servers: [TLSServer] = []
                for node in fleet.inventory.nodes {
                    let rig = try fleet.rig(node.name)
                    // The hub's machine has two names and one address here; the monitor below serves it.
                    guard node.role == .spoke else { continue }
                    servers.append(
                        try await TLSServer(name: node.domain, address: node.ipv4, folder: fleet.folder) {
                            Self.answer($0, rig)
                        })
                }
                servers.append(
                    try await TLSServer(
                        name: fleet.inventory.fleet.monitor, address: "127.0.84.1", folder: fleet.folder
                    ) { Self.monitor($0, rigs, windows) })
                self.servers = servers
                caFile = "\(fleet.folder)/all.pem"
                let all = try servers.map { try String(contentsOfFile: $0.caFile, encoding: .utf8) }.joined()
                try Data(all.utf8).write(to: URL(filePath: caFile))
            }

            func stop() async throws { for server in servers { try await server.stop() } }

            private static func answer(_ request: TLSServer.Request, _ rig: NodeRig) -> (status: Int, body: String) {
                switch rig.health {
                case .notReady(let why): return (503, "{\"status\":\"ill\",\"reasons\":[\"\(why)\"]}")
                case .ready(let version):
                    return (200, "{\"origin\":\"x\",\"version\":\"\(version ?? "")\",\"registration\":\"open\"}")
                }
            }

            private static func monitor(
                _ request: TLSServer.Request, _ rigs: [String: NodeRig], _ windows: MaintenanceWindows
            ) -> (status: Int, body: String) {
                guard request.authorization == "Bearer clm_test" else { return (401, "{}") }
                let now = Int64(Date().timeIntervalSince1970 * 1_000)
                let json = { (value: any Encodable) in
                    String(decoding: (try? JSONEncoder().encode(value)) ?? Data(), as: UTF8.self)
                }
                switch request.line.split(separator: " ")[0] {
                case "POST":
                    let window = windows.open.withLock { open in
                        let id = windows.opened.withLock { count in
                            count += 1
                            return Int64(count)
                        }
                        let body = (try? JSONSerialization.jsonObject(with: Data(request.body.utf8))) as? [String: Any]
                        open.append(
                            .init(
                                id: id, nodes: body?["nodes"] as? [String] ?? [],
                                reason: body?["reason"] as? String ?? "",
                                until: now + 600_000))
                        return open[open.count - 1]
                    }
                    return (201, json(window))
                case "DELETE":
                    let id = Int64(request.line.split(separator: "/").last ?? "")
                    windows.open.withLock { $0.removeAll { $0.id == id } }
                    return (204, "")
                default:
                    let nodes = rigs.keys.sorted().map {
                        FleetReport.Node(name: $0, state: "up", lastBeat: now, body: nil)
                    }
                    return (
                        200,
                        json(
                            FleetReport(
                                now: now, isEvaluationPaused: false, timing: .init(sev2: 65_000), nodes: nodes,
                                incidents: [], maintenanceWindows: windows.open.withLock { $0 }))
                    )
                }
            }
        }

        private func withProgram(
            _ words: [String], _ body: (SSHDFleet, Outside, OperatorContext, RolloutOptions) async throws -> Void
        ) async throws {
            let fleet = try await SSHDFleet([("tokyo", "asia"), ("dallas", "america")])
            let outside = try await Outside(fleet)
            let state = "\(fleet.folder)/s"
            try FileManager.default.createDirectory(
                atPath: state, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
            let settings = """
                ssh-key = "\(fleet.folder)/operator.key"
                monitor-token-file = "\(state)/token"
                monitor-ca-file = "\(outside.caFile)"
                ca-file = "\(outside.caFile)"
                """
            try Data(settings.utf8).write(to: URL(filePath: "\(state)/soc.toml"))
            try Data("clm_test\n".utf8).write(to: URL(filePath: "\(state)/token"))
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: "\(state)/token")
            try Data(fleet.inventoryText.utf8).write(to: URL(filePath: "\(fleet.folder)/fleet.toml"))
            let options = try OperatorOptions.parse(["--state", state, "--inventory", "\(fleet.folder)/fleet.toml"])
            let context = try OperatorContext(options, processes: OperatorProcesses(), paths: NodeRig.paths)
            let rollout = try RolloutOptions.parse(["--soak", "0", "--json"] + words)
            do {
                try await body(fleet, outside, context, rollout)
            } catch {
                Issue.record("\(error)")
            }
            await (try? context.ssh)?.disconnect(context.inventory.nodes)
            try await outside.stop()
        }

        private func perform(
            _ context: OperatorContext, _ rollout: RolloutOptions, _ release: Release, resuming: Bool = false
        ) async throws {
            try await context.connected { probe, monitor in
                let performance = try DeployRunner(context, rollout, context.deployer(probe, monitor), monitor)
                if resuming { return try await performance.resume() }
                // The hub's own node shares its address with the monitor here.
                try await performance.perform(release, on: context.inventory.spokes, rollout.deployOptions)
            }
        }

        @Test func exitCodesDistinguishGoodAndBadReleases() async throws {
            try await withProgram(["--canary", "tokyo"]) { fleet, outside, context, rollout in
                let good = try fleet.rigs.mapValues { try $0.install("second", health: "ready 2.0") }
                try await perform(context, rollout, Release(systems: good, version: "2.0"))
                for name in ["tokyo", "dallas"] { #expect(try fleet.rig(name).profile.hasSuffix("second")) }
                #expect(outside.maintenanceWindows.open.withLock { $0 }.isEmpty)
                #expect(outside.maintenanceWindows.opened.withLock { $0 } == 2)

                // A second run has nothing to do.
                let lock = "\(context.state)/deploys/lock"
                try FileManager.default.removeItem(atPath: lock)
                try await perform(context, rollout, Release(systems: good, version: "2.0"))
                #expect(outside.maintenanceWindows.opened.withLock { $0 } == 2)

                try FileManager.default.removeItem(atPath: lock)
                let bad = try fleet.rigs.mapValues { try $0.install("third", health: "no database", status: 4) }
                await #expect(throws: ExitCode(1)) {
                    try await perform(context, rollout, Release(systems: bad, version: "3.0"))
                }
                for name in ["tokyo", "dallas"] { #expect(try fleet.rig(name).current.hasSuffix("second")) }
                let history = fleet.rigs["zurich"]?.text("state/history.jsonl")
                #expect(DeployRecord.read(history ?? "").map(\.result) == [.done, .rolledBack])

                // A finished deploy cannot be resumed.
                try FileManager.default.removeItem(atPath: lock)
                await #expect(throws: DeployPreconditionError.self) {
                    try await perform(context, rollout, Release(systems: [:]), resuming: true)
                }
            }
        }

        @Test func aDeployIsResumedAfterACrash() async throws {
            try await withProgram([]) { fleet, outside, context, rollout in
                let systems = try fleet.rigs.mapValues { try $0.install("second", health: "ready 2.0") }
                let plan = try DeployPlan(
                    id: "20261121T080000Z-0001",
                    try context.inventory.spokes.map { .init($0, current: try fleet.rig($0.name).current) },
                    Release(systems: systems, version: "2.0"), rollout.deployOptions)
                // The program crashed while it wrote a line.
                let folder = "\(context.state)/deploys"
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
                let planned = try JournalFile.text(DeployEvent(.planned, at: 1, plan: plan))
                try Data("\(planned)\n{\"kind\":\"lock".utf8).write(to: URL(filePath: "\(folder)/\(plan.id).jsonl"))
                try await perform(context, rollout, Release(systems: [:]), resuming: true)
                for name in ["tokyo", "dallas"] { #expect(try fleet.rig(name).profile.hasSuffix("second")) }
                let events = try JournalFile.read("\(folder)/\(plan.id).jsonl")
                #expect(events.first?.kind == .planned)
                #expect(events.last?.kind == .ended)
                #expect(outside.maintenanceWindows.open.withLock { $0 }.isEmpty)
            }
        }

        @Test func aFailedPreflightRejectsTheDeploy() async throws {
            try await withProgram([]) { fleet, outside, context, rollout in
                try fleet.rig("tokyo").write("failed\n", to: "unit")
                try fleet.rig("dallas").install("first", health: "disk is full")
                let systems = try fleet.rigs.mapValues { try $0.install("second", health: "ready 2.0") }
                let refusal = await #expect(throws: DeployPreconditionError.self) {
                    try await perform(context, rollout, Release(systems: systems, sizes: ["dallas": 1 << 60]))
                }
                let reported = "\(try #require(refusal))"
                for word in [
                    "tokyo's unit is failed", "dallas is not ready: /readyz answers 503: disk is full", "MiB free",
                ] {
                    #expect(reported.contains(word), "\(reported)")
                }
                #expect(outside.maintenanceWindows.opened.withLock { $0 } == 0)
                #expect(fleet.rigs.values.allSatisfy { !$0.exists("state") })
            }
        }
    }
}
