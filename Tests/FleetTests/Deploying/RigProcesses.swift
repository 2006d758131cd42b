import Fleet
import Foundation
import Synchronization

/// `ssh` and `nix-copy-closure` to rigs without a network: the scripts run in a real `sh` in the rig's directory.
final class RigProcesses: ChildProcesses {
    let rigs: [String: NodeRig]
    private let clock: RigClock
    private let state = Mutex(State())

    private struct State {
        var unreachable: Set<String> = []
        var lines: [String] = []
        var onScript: (@Sendable (_ node: String, _ command: String) -> Void)?
    }

    init(_ rigs: [String: NodeRig], _ clock: RigClock) {
        self.rigs = rigs
        self.clock = clock
    }

    /// Command lines in order.
    var lines: [String] { state.withLock { $0.lines } }

    func cutOff(_ nodes: Set<String>) { state.withLock { $0.unreachable = nodes } }

    /// Called before each command on a node.
    func onScript(_ body: @escaping @Sendable (_ node: String, _ command: String) -> Void) {
        state.withLock { $0.onScript = body }
    }

    func run(_ child: ChildProcess) async throws -> ChildOutcome {
        try clock.life.check()
        state.withLock { $0.lines.append("\(child)") }
        switch child.executable {
        case "ssh": return try await ssh(child)
        case "nix-copy-closure":
            guard let target = child.arguments.last, FileManager.default.fileExists(atPath: target) else {
                return ChildOutcome(status: 1, output: "", errors: "error: path is not valid")
            }
            return ChildOutcome(status: 0, output: "")
        default: return ChildOutcome(status: 127, output: "", errors: "not on this rig: \(child.executable)")
        }
    }

    private func ssh(_ child: ChildProcess) async throws -> ChildOutcome {
        guard let dashes = child.arguments.firstIndex(of: "--"), let rig = rigs[child.arguments[dashes - 1]] else {
            return ChildOutcome(status: 0, output: "")
        }
        let (name, command) = (child.arguments[dashes - 1], child.arguments[dashes + 1])
        let hook = state.withLock { $0.onScript }
        hook?(name, "\(command)")
        try await fire(rig)
        guard !state.withLock({ $0.unreachable.contains(name) }) else {
            return ChildOutcome(status: 255, output: "", errors: "connect to host: Connection timed out\n")
        }
        return try await shell(command, in: rig, input: child.input)
    }

    /// Runs the timers that are due by the test's clock, also on unreachable rigs.
    func fire(_ rig: NodeRig) async throws {
        for unit in try FileManager.default.contentsOfDirectory(atPath: "\(rig.root)/units") {
            guard let text = rig.text("units/\(unit)"), let space = text.firstIndex(of: " "),
                let due = Int64(text[..<space]), due <= clock.seconds
            else { continue }
            try FileManager.default.removeItem(atPath: "\(rig.root)/units/\(unit)")
            _ = try await shell(String(text[text.index(after: space)...]), in: rig, input: nil)
        }
    }

    private func shell(_ command: String, in rig: NodeRig, input: String?) async throws -> ChildOutcome {
        var child = ChildProcess(
            "sh", ["-c", "cd \"$1\" && PATH=\"$1/bin:$PATH\" && eval \"$2\"", "sh", rig.root, command], input: input,
            deadline: .seconds(120))
        child.environment = ["RIG_NOW": "\(clock.seconds)"]
        return try await SystemProcesses().run(child)
    }
}

/// Whether the deploy program runs. After a kill each of its operations fails.
final class Life: Sendable {
    struct Killed: Error {}

    private let isOver = Mutex(false)

    func end() { isOver.withLock { $0 = true } }

    func check() throws {
        if isOver.withLock({ $0 }) { throw Killed() }
    }
}

/// A clock that only sleeping advances.
final class RigClock: Clock, Sendable {
    typealias Instant = ContinuousClock.Instant

    let life: Life
    private let start = ContinuousClock().now
    private let passed: Passed

    /// The time that has passed, which a restarted program shares.
    final class Passed: Sendable {
        let duration = Mutex(Duration.zero)
    }

    init(_ life: Life = Life(), passed: Passed = Passed()) {
        self.life = life
        self.passed = passed
    }

    /// Unix seconds.
    var seconds: Int64 { 1_800_000_000 + passed.duration.withLock { $0 }.components.seconds }

    var now: Instant { start.advanced(by: passed.duration.withLock { $0 }) }
    var minimumResolution: Duration { .zero }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        try life.check()
        await Task.yield()
        let target = start.duration(to: deadline)
        passed.duration.withLock { $0 = max($0, target) }
    }
}
