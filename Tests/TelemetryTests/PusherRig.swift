import Foundation
import Logging
import ServiceLifecycle
import Synchronization
import Telemetry
import TestSupport
import Testing
import Wire

/// A pusher with a manual clock and a scripted network.
final class PusherRig: Sendable {
    /// Behavior of a monitor.
    enum Behavior: Sendable {
        case answer(PushReply, after: Duration = .zero)
        case fail(PushError)
        /// Never responds.
        case hang
    }

    struct Push: Sendable {
        let origin: String
        let address: String
        let query: PushQuery
        let beat: Heartbeat
        /// Since the test began, in milliseconds.
        let time: Int64
    }

    static let epoch: Int64 = 1_700_000_000_000
    static let ok = Behavior.answer(PushReply(status: 200, body: Array(#"{"ok":true}"#.utf8)))

    let clock = TestClock()
    let log = LogRecorder()
    let requests = HeartbeatRequests()
    let folder: Scratch
    let machine: Machine
    private let state = Mutex(State())

    private struct State {
        var pushes: [Push] = []
        var behavior: [String: Behavior] = [:]
        var facts = NodeFacts(version: "1")
        var draws = 0
        var targets = 0
        var hanging = 0
        var brokenOff = 0
        var jitter: Int64 = 0
    }

    init() throws {
        folder = try Scratch()
        machine = try Fixtures.machine(in: folder)
    }

    var pushes: [Push] { state.withLock { $0.pushes } }
    var brokenOff: Int { state.withLock { $0.brokenOff } }

    func pushes(to origin: String) -> [Push] { pushes.filter { $0.origin == origin } }
    func facts(_ change: @Sendable (inout NodeFacts) -> Void) { state.withLock { change(&$0.facts) } }
    func jitter(_ milliseconds: Int64) { state.withLock { $0.jitter = milliseconds } }
    /// Sets the behavior from now on.
    func monitor(_ origin: String, _ behavior: Behavior) { state.withLock { $0.behavior[origin] = behavior } }

    func target(_ url: String) throws -> PushTarget {
        try PushTarget(file: folder.write("\(url)\n", to: "target-\(UUID().uuidString)"))
    }

    /// Milliseconds since the test began.
    var elapsed: Int64 {
        let components = TestClock.Instant().duration(to: clock.now).components
        return components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
    }

    func pusher(
        to urls: [String], settings: HeartbeatPusher<TestClock>.Settings = .init(),
        prove: @escaping AuditProof = { _ in nil }
    ) throws -> HeartbeatPusher<TestClock> {
        state.withLock { $0.targets = urls.count }
        let now: @Sendable () -> Int64 = { [self] in Self.epoch + elapsed }
        let sampler = Sampler(node: "tokyo", machine: machine, now: now, logger: log.logger) { [self] in
            state.withLock { $0.facts }
        }
        return HeartbeatPusher(
            to: try urls.map { try target($0) }, sampler: sampler, requests: requests, settings: settings, clock: clock,
            now: now,
            random: { [self] range in
                state.withLock { state in
                    state.draws += 1
                    return min(state.jitter, range.upperBound)
                }
            }, prove: prove, logger: log.logger,
            send: { [self] request async throws(PushError) in try await send(request) })
    }

    private func send(_ request: PushRequest) async throws(PushError) -> PushReply {
        let time = elapsed
        guard let beat = try? JSONDecoder().decode(Heartbeat.self, from: Data(request.body)) else {
            throw .notEncoded
        }
        let push = Push(
            origin: request.target.origin, address: request.target.address(request.query), query: request.query,
            beat: beat, time: time)
        let behavior = state.withLock { state in
            state.pushes.append(push)
            let behavior = state.behavior[push.origin] ?? Self.ok
            if case .hang = behavior { state.hanging += 1 }
            return behavior
        }
        switch behavior {
        case .answer(let reply, let duration):
            if duration > .zero { clock.advance(by: duration) }
            return reply
        case .fail(let error): throw error
        case .hang:
            await cancelled()
            state.withLock { ($0.brokenOff, $0.hanging) = ($0.brokenOff + 1, $0.hanging - 1) }
            throw .unreachable("broken off")
        }
    }

    // MARK: Time

    /// Waits until the pusher has scheduled that heartbeat, and all earlier pushes have ended or hang. A push ends with
    /// a log line, after which it touches neither clock nor counters.
    func asleep(before beat: Int) async throws {
        try await eventually("beat \(beat) planned") { state.withLock { $0.draws } >= beat }
        try await eventually("beats before \(beat) ended") {
            let lines = log.all.filter { ["heartbeat delivered", "heartbeat not delivered"].contains($0.message) }
            let refused = lines.count { $0.metadata["error"] == "\(PushError.previousInFlight)" }
            return state.withLock { state in
                let begun = state.pushes.count + refused
                return begun >= state.targets * (beat - 1) && lines.count >= begun - state.hanging
            }
        }
        await clock.sleepers()
    }

    /// Lets numbered heartbeats pass.
    func beats(_ numbers: ClosedRange<Int>, phase: Int64, interval: Int64 = 30) async throws {
        for number in numbers {
            try await asleep(before: number)
            clock.advance(by: .milliseconds(phase + Int64(number - 1) * interval * 1000 - elapsed))
        }
        try await asleep(before: numbers.upperBound + 1)
    }

    /// Time of a node's first heartbeat, from the start of the test.
    static func phase(interval: Int64 = 30) -> Int64 {
        HeartbeatSchedule(node: "tokyo", interval: .seconds(interval)).wait(from: epoch)
    }

    /// Runs the pusher as a service, and shuts it down.
    func run(
        _ pusher: HeartbeatPusher<TestClock>, _ body: () async throws -> Void,
        whileStopping: () async throws -> Void = {}
    ) async throws {
        let group = ServiceGroup(services: [pusher], logger: Logger(label: "group") { _ in SwiftLogNoOpLogHandler() })
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            try await body()
            await group.triggerGracefulShutdown()
            try await whileStopping()
            try await tasks.waitForAll()
        }
    }
}
