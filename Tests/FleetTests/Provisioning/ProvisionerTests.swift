import Fleet
import Foundation
import Synchronization
import TestSupport
import Testing

/// The new machine, nix and the node's program: records commands, and can fail once for a kind of command.
final class ScriptedMachine: ChildProcesses {
    private struct State {
        var asked: [String] = []
        var failing: (kind: String, status: Int32)?
        var isNixOS = false
    }

    private let state = Mutex(State())

    var asked: [String] { state.withLock { $0.asked } }
    func failOnce(_ kind: String, status: Int32 = 1) { state.withLock { $0.failing = (kind, status) } }

    func run(_ child: ChildProcess) async throws -> ChildOutcome {
        // age is the real program.
        if child.executable == "age" { return try await SystemProcesses().run(child) }
        let kind = Self.kind(child)
        return state.withLock { state in
            state.asked.append(kind)
            if let failing = state.failing, failing.kind == kind {
                state.failing = nil
                return ChildOutcome(status: failing.status, output: "", errors: "broken on purpose")
            }
            switch kind {
            case "facts": return ChildOutcome(status: 0, output: HostFactsTests.text)
            case "infect":
                state.isNixOS = true
                return ChildOutcome(status: 0, output: "")
            case "infect-state": return ChildOutcome(status: 0, output: state.isNixOS ? "nixos\n" : "inactive\n")
            case "nix": return ChildOutcome(status: 0, output: "{\"n2\":\"/nix/store/abc-system.drv\"}")
            case "nix-store": return ChildOutcome(status: 0, output: "/nix/store/abc-system\n")
            case "clavitor-node":
                // The backup contains a database.
                if let at = child.arguments.firstIndex(of: "--data") {
                    let path = "\(child.arguments[at + 1])/clavitor.db"
                    _ = FileManager.default.createFile(atPath: path, contents: Data("vaults".utf8))
                }
                return ChildOutcome(status: 0, output: "")
            default: return ChildOutcome(status: 0, output: "")
            }
        }
    }

    private static func kind(_ child: ChildProcess) -> String {
        guard child.executable == "ssh", let script = child.arguments.last else {
            let name = child.executable.split(separator: "/").last.map(String.init) ?? ""
            // Sizes are queried as well; they have no effect here.
            return name == "nix" && child.arguments.contains("path-info") ? "sizes" : name
        }
        let marks = [
            ("/etc/os-release", "facts"), ("systemd-run --quiet --unit=clavitor-infect", "infect"),
            ("is-failed", "infect-state"), ("the vaults were truncated", "vaults"),
            ("the secret was truncated", "secret"), ("switch-to-configuration", "boot"),
            ("systemctl reboot", "reboot"),
        ]
        return marks.first { script.contains($0.0) }?.1 ?? "unknown: \(script)"
    }
}

/// A hub with scripted WireGuard handshakes.
final class ScriptedHub: RemoteShell {
    let peers: Mutex<String>
    let asked = Mutex(0)
    private let handshake: String
    /// The number of responses with a recent handshake of another machine.
    let dead = Mutex(0)

    init(key: String) {
        peers = Mutex(key)
        handshake = "1700000100\n\(key)\t1700000050\n"
    }

    func run(_ command: RemoteCommand, input: String?, deadline: Duration) async throws -> String {
        if command.description.contains("wg show wg0 peers") { return peers.withLock { "other=\n\($0)\n" } }
        let isDead = dead.withLock { count in
            count -= 1
            return count >= 0
        }
        if isDead { return "1700000000\n\(peers.withLock { $0 })\t1699999980\n" }
        // The first response has no handshake.
        let isFirst = asked.withLock { count in
            count += 1
            return count == 1
        }
        return isFirst ? "1700000000\n\(peers.withLock { $0 })\t0\n" : handshake
    }

    func send(_ path: String, to command: RemoteCommand, deadline: Duration) async throws -> String { "" }
}

/// A node that is ready from the second probe on.
final class ScriptedProbe: NodeProbe {
    let looks = Mutex(0)

    func health(of node: Node) async -> NodeHealth {
        let count = looks.withLock { count in
            count += 1
            return count
        }
        return count > 1 ? .ready(version: nil) : .notReady("no certificate yet")
    }
}

@Suite(.timeLimit(.minutes(3))) struct ProvisionerTests {
    static let all: [ProvisionPlan.Step] = [
        .readiness, .check, .build, .convert, .system, .secrets, .tunnel, .serving, .heartbeat,
    ]
    let scratch: Scratch
    let inventory: Inventory
    let node: Node
    let secrets: SecretStore
    let machine = ScriptedMachine()
    let probe = ScriptedProbe()
    let flake: Flake
    let hub: ScriptedHub
    let hostKey: HostKey
    let sha256: String

    init() async throws {
        scratch = try Scratch()
        let age = try AgeKey(in: scratch).program()
        let keys = KeyStore(try LocalSecretStore(scratch.file("keys"), age: age))
        let publicKey = try await keys.generate(try sampleFleet(2).nodes[1])
        inventory = try sampleFleet(2) { $0[1].publicKey = publicKey }
        node = inventory.nodes[1]
        secrets = SecretStore(scratch.file("secrets"), age: age, keys: keys)
        try await secrets.set(.pushURL, of: node, to: SecretStoreTests.url)
        try await secrets.set(.rootKey, of: node, to: "1 clv_root_x")
        try await secrets.set(.monitorCA, of: node, to: "-----BEGIN CERTIFICATE-----")
        hub = ScriptedHub(key: publicKey)
        hostKey = try HostKey(BreakGlassEditTests.key)
        try scratch.write(Array("echo infected\n".utf8), to: "infect")
        sha256 = String(
            try await Tool("/usr/bin/sha256sum", [scratch.file("infect")]).output.prefix { $0 != " " })
        try scratch.write(Array("{}".utf8), to: "flake.nix")
        try scratch.write(Array(FlakeLockTests.text.utf8), to: "flake.lock")
        flake = try Flake(scratch.path, dist: scratch.path)
    }

    private var journal: ProvisionJournal { ProvisionJournal(folder: scratch.path, node: "n2") }

    private func plan(restoring: Bool = false) throws -> ProvisionPlan {
        ProvisionPlan(
            node, try InfectScript(scratch.file("infect"), sha256: sha256, channel: "nixos-26.05"), flake: flake,
            hostKey: hostKey, backup: restoring ? VaultBackup(path: "b.db.age", identity: "key") : nil,
            done: try journal.done(on: hostKey))
    }

    private func run(_ plan: ProvisionPlan) async throws {
        let clock = TestClock()
        let first = BootstrapShell(
            node, identity: nil, knownHosts: scratch.file("known_hosts"), processes: machine)
        let provisioner = Provisioner(
            plan, inventory: inventory, journal: journal, first: first, hub: hub, secrets: secrets, monitor: nil,
            probe: probe, processes: machine, folder: scratch.file("restore"), clock: clock,
            now: { 1_700_000_000 })
        // Sleeping tasks are woken immediately.
        let waking = Task {
            while !Task.isCancelled {
                clock.advance(by: .seconds(10))
                await Task.yield()
            }
        }
        defer { waking.cancel() }
        try await provisioner.run { _ in }
    }

    @Test func everyStepRunsInOrder() async throws {
        let plan = try plan()
        #expect(plan.steps == Self.all)
        try await run(plan)
        #expect(
            machine.asked == [
                "facts", "nix", "nix-store", "sizes", "infect", "infect-state", "nix", "nix-store", "sizes",
                "nix-copy-closure", "boot", "secret", "secret", "secret", "secret", "reboot",
            ])
        #expect(probe.looks.withLock { $0 } == 2)
        #expect(try journal.done(on: hostKey) == Set(Self.all))
        #expect(try self.plan().steps.isEmpty)
    }

    /// A failed build must not cost the machine its disk.
    @Test(arguments: ["nix", "nix-store"])
    func theMachineIsNotTouchedBeforeItsSystemIsBuilt(_ kind: String) async throws {
        machine.failOnce(kind)
        await #expect(throws: FlakePreconditionError.self) { try await run(try plan()) }
        #expect(!machine.asked.contains("infect") && !machine.asked.contains("secret"))
    }

    @Test func vaultsAreRestoredBeforeTheNodeStarts() async throws {
        try await run(try plan(restoring: true))
        let asked = machine.asked.filter { ["boot", "clavitor-node", "vaults", "secret", "reboot"].contains($0) }
        #expect(asked == ["boot", "clavitor-node", "vaults", "secret", "secret", "secret", "secret", "reboot"])
        #expect(!FileManager.default.fileExists(atPath: scratch.file("restore")))
        // No argument contained the root key or the identity.
        #expect(try journal.done(on: hostKey).contains(.restore))
    }

    @Test func withoutALockNothingIsChanged() async throws {
        try FileManager.default.removeItem(atPath: scratch.file("flake.lock"))
        await #expect(throws: FlakePreconditionError.noLock(flake.lockPath)) { try await run(try plan()) }
        #expect(!machine.asked.contains("infect"))
    }

    @Test(arguments: ["facts", "infect", "secret", "nix", "nix-copy-closure", "boot", "reboot"])
    func aFailedRunIsResumed(_ kind: String) async throws {
        machine.failOnce(kind)
        await #expect(throws: (any Error).self) { try await run(try plan()) }
        let before = machine.asked
        hub.asked.withLock { $0 = 0 }
        try await run(try plan())
        #expect(try journal.done(on: hostKey) == Set(Self.all))
        #expect(machine.asked.dropFirst(before.count).contains(kind))
        // Finished steps are not repeated: the disk is replaced once.
        if !["facts", "infect", "nix"].contains(kind) {
            #expect(!machine.asked.dropFirst(before.count).contains("infect"))
        }
        if kind == "reboot" { #expect(!machine.asked.dropFirst(before.count).contains("nix")) }
    }

    /// The machine went down before its response arrived, and its port is closed at the next attempt.
    @Test func aLostResponseToTheRebootIsIgnored() async throws {
        machine.failOnce("reboot", status: 255)
        try await run(try plan())
        #expect(try journal.done(on: hostKey) == Set(Self.all))
    }

    /// The program was killed after its request: the port is closed by now, and the hub has a handshake.
    @Test func aRebootedNodeIsAwaited() async throws {
        for step in Self.all.dropLast(3) { try journal.add(step, on: hostKey, at: 1) }
        hub.asked.withLock { $0 = 1 }
        machine.failOnce("reboot", status: 255)
        try await run(try plan())
        #expect(machine.asked == ["reboot"])
        #expect(try journal.done(on: hostKey) == Set(Self.all))
    }

    /// The old machine had a handshake a minute ago, which is not one of its replacement.
    @Test func aHandshakeOfTheOldMachineIsIgnored() async throws {
        hub.dead.withLock { $0 = 4 }
        try await run(try plan())
        #expect(machine.asked.last == "reboot")
        #expect(hub.dead.withLock { $0 } < 0)
    }

    @Test func anotherMachineRestartsProvisioning() async throws {
        try await run(try plan())
        let other = try HostKey("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGjvxkY4IkHBkP8VHGCIYsfO1xsLW0SvjPXD2yyHiJzv")
        #expect(try journal.done(on: other).isEmpty)
    }

    @Test func anUnreviewedScriptIsNotRun() throws {
        let other = String(repeating: "0", count: 64)
        #expect(throws: ProvisionPreconditionError.self) {
            try InfectScript(scratch.file("infect"), sha256: other, channel: "nixos-26.05")
        }
    }

    @Test func missingRequirementsAreReportedFirst() async throws {
        hub.peers.withLock { $0 = "somebody=" }
        try FileManager.default.removeItem(atPath: scratch.file("secrets/n2/push-url.age"))
        await #expect(
            throws: ProvisionPreconditionError.notReady(
                "n2", ["push-url is not set", "the hub does not know its key: deploy the hub first"])
        ) { try await run(try plan()) }
        #expect(machine.asked.isEmpty)
    }
}
