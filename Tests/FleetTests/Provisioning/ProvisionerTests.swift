import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Fleet

/// Plays the new machine and nix: what is asked of them is noted, and each kind of command can be made to fail once.
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
        // age is the real one.
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
            case "nix": return ChildOutcome(status: 0, output: "/nix/store/abc-system\n")
            default: return ChildOutcome(status: 0, output: "")
            }
        }
    }

    private static func kind(_ child: ChildProcess) -> String {
        guard child.executable == "ssh", let script = child.arguments.last else { return child.executable }
        let marks = [
            ("/etc/os-release", "facts"), ("systemd-run --quiet --unit=clavitor-infect", "infect"),
            ("is-failed", "infect-state"), ("did not arrive whole", "secret"), ("switch-to-configuration", "boot"),
            ("systemctl reboot", "reboot"),
        ]
        return marks.first { script.contains($0.0) }?.1 ?? "unknown: \(script)"
    }
}

/// The hub, whose WireGuard says what the test wants.
final class ScriptedHub: RemoteShell {
    let peers: Mutex<String>
    let asked = Mutex(0)
    private let handshake: String

    init(key: String) {
        peers = Mutex(key)
        handshake = "1700000100\n\(key)\t1700000050\n"
    }

    func run(_ command: RemoteCommand, input: String?, deadline: Duration) async throws -> String {
        if command.description.contains("wg show wg0 peers") { return peers.withLock { "other=\n\($0)\n" } }
        // At first there is none.
        let isFirst = asked.withLock { count in
            count += 1
            return count == 1
        }
        return isFirst ? "1700000000\n\(peers.withLock { $0 })\t0\n" : handshake
    }
}

@Suite(.timeLimit(.minutes(3))) struct ProvisionerTests {
    static let all: [ProvisionPlan.Step] = [
        .readiness, .check, .convert, .secrets, .system, .tunnel, .heartbeat,
    ]
    let scratch: Scratch
    let inventory: Inventory
    let node: Node
    let secrets: SecretStore
    let machine = ScriptedMachine()
    let hub: ScriptedHub
    let hostKey: HostKey
    let sha256: String

    init() async throws {
        scratch = try Scratch()
        let age = try AgeKey(in: scratch).program()
        let keys = KeyStore(try SecretChest(scratch.file("keys"), age: age))
        let publicKey = try await keys.generate(try sampleFleet(2).nodes[1])
        inventory = try sampleFleet(2) { $0[1].publicKey = publicKey }
        node = inventory.nodes[1]
        secrets = SecretStore(scratch.file("secrets"), age: age, keys: keys)
        try await secrets.set(.pushURL, of: node, to: SecretStoreTests.url)
        try await secrets.set(.rootKey, of: node, to: "root")
        try await secrets.set(.monitorCA, of: node, to: "-----BEGIN CERTIFICATE-----")
        hub = ScriptedHub(key: publicKey)
        hostKey = try HostKey(BreakGlassEditTests.key)
        try scratch.write(Array("echo infected\n".utf8), to: "infect")
        sha256 = String(
            try output(of: "/usr/bin/sha256sum", [scratch.file("infect")]).prefix { $0 != " " })
    }

    private var journal: ProvisionJournal { ProvisionJournal(folder: scratch.path, node: "n2") }

    private func plan(sha256 other: String? = nil) throws -> ProvisionPlan {
        ProvisionPlan(
            node,
            method: .infect(script: scratch.file("infect"), sha256: other ?? sha256, channel: "nixos-25.05"),
            flake: "./nix", hostKey: hostKey, done: try journal.done(on: hostKey))
    }

    private func run(_ plan: ProvisionPlan) async throws {
        let clock = TestClock()
        let first = FirstShell(
            node, identity: nil, knownHosts: scratch.file("known_hosts"), processes: machine)
        let provisioner = Provisioner(
            plan, inventory: inventory, journal: journal, first: first, hub: hub, secrets: secrets, monitor: nil,
            processes: machine, clock: clock, now: { 1_700_000_000 })
        // Waiting costs no time here: whoever sleeps is woken.
        let waking = Task {
            while !Task.isCancelled {
                clock.advance(by: .seconds(10))
                await Task.yield()
            }
        }
        defer { waking.cancel() }
        try await provisioner.run { _ in }
    }

    @Test func everyStepIsDoneInOrder() async throws {
        let plan = try plan()
        #expect(plan.steps == Self.all)
        try await run(plan)
        #expect(
            machine.asked == [
                "facts", "infect", "infect-state", "secret", "secret", "secret", "secret", "nix", "nix-copy-closure",
                "boot", "reboot",
            ])
        #expect(try journal.done(on: hostKey) == Set(Self.all))
        #expect(try self.plan().steps.isEmpty)
    }

    @Test(arguments: ["facts", "infect", "secret", "nix", "nix-copy-closure", "boot", "reboot"])
    func afterAFailureItGoesOnWhereItStopped(_ kind: String) async throws {
        machine.failOnce(kind)
        await #expect(throws: (any Error).self) { try await run(try plan()) }
        let before = machine.asked
        hub.asked.withLock { $0 = 0 }
        try await run(try plan())
        #expect(try journal.done(on: hostKey) == Set(Self.all))
        #expect(machine.asked.dropFirst(before.count).contains(kind))
        // What was done is not done again: the disk is replaced once.
        if !["facts", "infect"].contains(kind) { #expect(!machine.asked.dropFirst(before.count).contains("infect")) }
        if kind == "reboot" { #expect(!machine.asked.dropFirst(before.count).contains("nix")) }
    }

    /// The machine went down before its answer arrived, and its port is shut when it is asked again.
    @Test func thatTheRebootIsNotAnsweredStopsNothing() async throws {
        machine.failOnce("reboot", status: 255)
        try await run(try plan())
        #expect(try journal.done(on: hostKey) == Set(Self.all))
    }

    /// The program was killed after it had asked: who has a handshake is not rebooted again.
    @Test func aNodeThatTheHubHearsIsNotRebooted() async throws {
        for step in Self.all.dropLast(2) { try journal.add(step, on: hostKey, at: 1) }
        hub.asked.withLock { $0 = 1 }
        try await run(try plan())
        #expect(machine.asked == [])
    }

    @Test func anotherMachineBeginsAnew() async throws {
        try await run(try plan())
        let other = try HostKey("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGjvxkY4IkHBkP8VHGCIYsfO1xsLW0SvjPXD2yyHiJzv")
        #expect(try journal.done(on: other).isEmpty)
    }

    @Test func aScriptThatNobodyReadIsNotRun() async throws {
        let other = String(repeating: "0", count: 64)
        await #expect(throws: ProvisionRefusal.self) { try await run(try plan(sha256: other)) }
        #expect(throws: ProvisionRefusal.self) { try plan(sha256: other).method.check() }
        try plan().method.check()
        #expect(!machine.asked.contains("infect"))
    }

    @Test func whatIsMissingIsSaidBeforeAnythingIsTouched() async throws {
        hub.peers.withLock { $0 = "somebody=" }
        try FileManager.default.removeItem(atPath: scratch.file("secrets/n2/push-url.age"))
        await #expect(
            throws: ProvisionRefusal.notReady(
                "n2", ["push-url is not set", "the hub does not know its key: deploy the hub first"])
        ) { try await run(try plan()) }
        #expect(machine.asked.isEmpty)
    }

    @Test func nixosAnywhereTakesTheSecretsAlong() throws {
        let plan = ProvisionPlan(node, method: .anywhere, flake: "./nix", hostKey: hostKey)
        #expect(plan.steps == [.readiness, .check, .convert, .tunnel, .heartbeat])
        #expect(plan.lines[2].contains("EVERYTHING ON THE DISK IS REPLACED"))
    }
}
