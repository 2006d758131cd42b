import Foundation
import Logging
import Telemetry
import TestSupport
import Testing
import Wire

@Suite(.timeLimit(.minutes(2))) struct PusherTests {
    static let kuma = "https://kuma.example:443"
    static let other = "https://other.example:8443"
    let urls = ["https://kuma.example/api/push/s3cret?status=up&msg=OK&ping="]
    let both = ["https://kuma.example/api/push/s3cret", "https://other.example:8443/api/push/hush"]

    // MARK: Schedule

    @Test func aNodeSendsInItsOwnPhaseEveryThirtySeconds() async throws {
        let rig = try PusherRig()
        let phase = PusherRig.phase()
        try await rig.run(try rig.pusher(to: urls)) { try await rig.beats(1...4, phase: phase) }
        #expect(rig.pushes.map(\.time) == [0, 30_000, 60_000, 90_000, 90_000].map { $0 + phase })
        #expect(rig.pushes.map(\.beat.seq) == [1, 2, 3, 4, 5])
        #expect(rig.pushes.map(\.beat.phase) == [.running, .running, .running, .running, .stopping])
    }

    @Test func jitterDelaysOneHeartbeatOnly() async throws {
        let rig = try PusherRig()
        rig.jitter(400)
        try await rig.run(try rig.pusher(to: urls)) {
            try await rig.asleep(before: 1)
            rig.clock.advance(by: .milliseconds(PusherRig.phase()))
            // Nothing is pushed meanwhile.
            try await Task.sleep(for: .milliseconds(50))
            #expect(rig.pushes.isEmpty)
            rig.jitter(0)
            rig.clock.advance(by: .milliseconds(400))
            try await rig.asleep(before: 2)
            rig.clock.advance(by: .milliseconds(29_600))
            try await rig.asleep(before: 3)
        }
        #expect(rig.pushes.map { $0.time - PusherRig.phase() } == [400, 30_000, 30_000])
    }

    @Test func missedSlotsAreSkipped() async throws {
        let rig = try PusherRig()
        try await rig.run(try rig.pusher(to: urls)) {
            try await rig.beats(1...1, phase: PusherRig.phase())
            rig.clock.advance(by: .seconds(3_610))
            try await rig.asleep(before: 3)
            rig.clock.advance(by: .seconds(20))
            try await rig.asleep(before: 4)
        }
        #expect(rig.pushes.map { $0.time - PusherRig.phase() } == [0, 3_610_000, 3_630_000, 3_630_000])
    }

    // MARK: Requests

    @Test func aRequestedHeartbeatIsSentAtOnce() async throws {
        let rig = try PusherRig()
        try await rig.run(try rig.pusher(to: both)) {
            try await rig.asleep(before: 1)
            rig.requests.request()
            try await eventually("the requested heartbeat") { rig.pushes.count == 2 }
        }
        #expect(rig.pushes.prefix(2).map(\.time) == [0, 0])
        #expect(Set(rig.pushes.prefix(2).map(\.origin)) == [Self.kuma, Self.other])
        #expect(rig.pushes.prefix(2).map(\.beat.phase) == [.running, .running])
    }

    @Test func manyRequestsShareOneHeartbeatASecond() async throws {
        let rig = try PusherRig()
        /// Asleep: the schedule, and the pause after a requested heartbeat.
        func paused(after pushes: Int) async throws {
            try await eventually("\(pushes) pushes, and a pause") {
                rig.log.all.count { $0.message == "heartbeat delivered" } == pushes && rig.clock.sleeping == 2
            }
        }
        try await rig.run(try rig.pusher(to: urls)) {
            try await rig.asleep(before: 1)
            rig.requests.request()
            try await paused(after: 1)
            for _ in 0..<100 { rig.requests.request() }
            rig.clock.advance(by: .seconds(1))
            try await paused(after: 2)
            rig.clock.advance(by: .seconds(3))
            // Nothing is left to send: the next one is due by schedule.
            try await eventually("only the schedule") { rig.clock.sleeping == 1 }
            #expect(rig.pushes.map(\.time) == [0, 1_000])
        }
    }

    @Test func aRequestDuringAPushIsAnsweredAfterIt() async throws {
        let rig = try PusherRig()
        try await rig.run(try rig.pusher(to: urls)) {
            rig.monitor(Self.kuma, .hang)
            try await rig.asleep(before: 1)
            rig.clock.advance(by: .milliseconds(PusherRig.phase()))
            try await eventually("a push in flight") { rig.pushes.count == 1 }
            rig.requests.request()
            rig.monitor(Self.kuma, PusherRig.ok)
            try await eventually("the requested heartbeat") {
                // Asleep: the schedule, the pause, and until it is broken off the push in flight, which may take ten seconds.
                if rig.clock.sleeping == (rig.brokenOff == 0 ? 3 : 2) { rig.clock.advance(by: .seconds(1)) }
                return rig.pushes.count == 2
            }
        }
        #expect(rig.pushes[1].time < PusherRig.phase() + 30_000)
    }

    // MARK: Phases

    @Test func aFleetDoesNotSendInUnison() {
        let phases = (1...300).map { HeartbeatSchedule(node: "node\($0)", interval: .seconds(30)).phase }
        #expect(phases.allSatisfy { (0..<30_000).contains($0) })
        for third in 0..<3 {
            let share = phases.count { $0 / 10_000 == third }
            #expect((60...140).contains(share), "\(share) of 300 in one third")
        }
        // Fixed, so that a new version does not shift a fleet.
        #expect(HeartbeatSchedule(node: "tokyo", interval: .seconds(30)).phase == 10_387)
    }

    @Test(arguments: [(0, 5_000), (4_999, 1), (5_000, 0), (5_001, 29_999), (-1, 5_001), (Int64.max, nil), (.min, nil)])
    func theNextSlotIsWithinOneInterval(_ now: Int64, _ wait: Int64?) {
        // A name with that phase.
        let name = (0...).lazy.map { "n\($0)" }.first {
            HeartbeatSchedule(node: $0, interval: .seconds(30)).phase == 5_000
        }
        let slots = HeartbeatSchedule(node: name ?? "", interval: .seconds(30))
        #expect((0..<30_000).contains(slots.wait(from: now)))
        if let wait { #expect(slots.wait(from: now) == wait) }
    }

    // MARK: Content

    @Test func aStockKumaReadsTheQuery() async throws {
        let rig = try PusherRig()
        rig.monitor(
            Self.kuma, .answer(PushReply(status: 200, body: Array(#"{"ok":true}"#.utf8)), after: .milliseconds(120)))
        try await rig.run(try rig.pusher(to: urls)) {
            try await rig.beats(1...1, phase: PusherRig.phase())
            rig.facts { ($0.readOnly, $0.dbIntegrity) = (true, "page 7 & row 8") }
            try await rig.beats(2...2, phase: PusherRig.phase())
        }
        let base = "https://kuma.example:443/api/push/s3cret?"
        #expect(
            rig.pushes.map(\.address) == [
                base + "status=up&msg=OK&ping=",
                base + "status=down&msg=database%20damaged%3A%20page%207%20%26%20row%208%3B%20read-only&ping=120",
                base + "status=down&msg=stopping&ping=120",
            ])
    }

    @Test func theNextHeartbeatProvesTheLineThatWasAskedFor() async throws {
        let rig = try PusherRig()
        rig.monitor(Self.kuma, .answer(PushReply(status: 200, body: Array(#"{"ok":true,"audit_want":36}"#.utf8))))
        let pusher = try rig.pusher(to: urls) { line in line == 36 ? "hash at 36" : nil }
        try await rig.run(pusher) { try await rig.beats(1...2, phase: PusherRig.phase()) }
        #expect(rig.pushes.prefix(2).map(\.beat.auditAt) == [nil, 36])
        #expect(rig.pushes.prefix(2).map(\.beat.auditAtHash) == [nil, "hash at 36"])
    }

    @Test(arguments: [#"{"ok":true}"#, #"{"ok":true,"audit_want":37}"#, "pong"])
    func withoutAQuestionOrAnAnswerNothingIsProven(_ answer: String) async throws {
        let rig = try PusherRig()
        rig.monitor(Self.kuma, .answer(PushReply(status: 200, body: Array(answer.utf8))))
        let pusher = try rig.pusher(to: urls) { line in line == 36 ? "hash at 36" : nil }
        try await rig.run(pusher) { try await rig.beats(1...2, phase: PusherRig.phase()) }
        #expect(rig.pushes.prefix(2).allSatisfy { $0.beat.auditAt == nil && $0.beat.auditAtHash == nil })
    }

    @Test func theClockOffsetIsInTheNextHeartbeat() async throws {
        let rig = try PusherRig()
        let monitor = PusherRig.epoch + PusherRig.phase() - 5_000
        let answer = Array(#"{"ok":true,"time_ms":\#(monitor)}"#.utf8)
        rig.monitor(Self.kuma, .answer(PushReply(status: 200, body: answer), after: .milliseconds(200)))
        try await rig.run(try rig.pusher(to: urls)) { try await rig.beats(1...2, phase: PusherRig.phase()) }
        // The monitor read its clock 100 ms after the push began, and the node is 5 s ahead of it.
        #expect(rig.pushes.prefix(2).map(\.beat.clockOffsetMS) == [nil, 5_100])
    }

    @Test(
        arguments: [
            // The node's clock is at 22:13:20 plus the phase.
            (#"{"ok":true}"#, "Tue, 14 Nov 2023 22:13:19 GMT", 500), ("pong", "Tue, 14 Nov 2023 22:13:20 GMT", -500),
            (#"{"ok":true,"time_ms":1700000000000}"#, "Tue, 14 Nov 2023 22:00:00 GMT", 0),
            ("", "Thu, 29 Feb 2024 00:00:00 GMT", PusherRig.epoch - 1_709_164_800_500), ("", "yesterday", nil),
            ("", nil, nil),
            ("", "Tue, 14 Nov 2023 25:13:20 GMT", nil), ("", "Tue, 99 Nov 2023 22:13:20 GMT", nil),
            (#"{"ok":true,"time_ms":-9223372036854775808}"#, nil, nil),
        ] as [(String, String?, Int64?)])
    func withoutATimestampTheDateHeaderIsUsed(_ body: String, _ date: String?, _ offset: Int64?) async throws {
        let rig = try PusherRig()
        rig.monitor(Self.kuma, .answer(PushReply(status: 200, date: date, body: Array(body.utf8))))
        let phase = PusherRig.phase()
        try await rig.run(try rig.pusher(to: urls)) { try await rig.beats(1...2, phase: phase) }
        #expect(rig.pushes[1].beat.clockOffsetMS == offset.map { $0 + phase })
        #expect(rig.pushes[1].beat.beatsDropped == 0)
    }

    // MARK: Failures

    struct Failure: CustomTestStringConvertible {
        var testDescription: String
        var behavior: PusherRig.Behavior
        var words: String
    }

    @Test(arguments: [
        Failure(
            testDescription: "unreachable", behavior: .fail(.unreachable("refused")),
            words: "cannot be reached: refused"),
        Failure(
            testDescription: "Kuma's 404",
            behavior: .answer(PushReply(status: 404, body: Array(#"{"ok":false,"msg":"s3cret"}"#.utf8))),
            words: "compare the push URL"),
        Failure(testDescription: "redirect", behavior: .answer(PushReply(status: 302)), words: "not followed"),
        Failure(testDescription: "a server error", behavior: .answer(PushReply(status: 503)), words: "status 503"),
        Failure(
            testDescription: "not ok", behavior: .answer(PushReply(status: 200, body: Array(#"{"ok":false}"#.utf8))),
            words: "did not accept"),
    ])
    func aFailedHeartbeatIsDroppedAndCounted(_ example: Failure) async throws {
        let rig = try PusherRig()
        rig.monitor(Self.kuma, example.behavior)
        try await rig.run(try rig.pusher(to: urls)) {
            try await rig.beats(1...2, phase: PusherRig.phase())
            rig.monitor(Self.kuma, PusherRig.ok)
            try await rig.beats(3...4, phase: PusherRig.phase())
        }
        // One push per heartbeat: nothing was retried or queued.
        #expect(rig.pushes.map(\.beat.seq) == [1, 2, 3, 4, 5])
        #expect(rig.pushes.map(\.beat.beatsDropped) == [0, 1, 2, 2, 2])
        #expect(
            rig.log.lines.map(\.message) == [
                "heartbeat not delivered", "heartbeat not delivered", "heartbeats delivered again",
            ])
        #expect(rig.log.lines.map(\.level) == [.warning, .warning, .notice])
        #expect(rig.log.lines[0].metadata["error"]?.contains(example.words) == true)
        #expect(rig.log.lines[2].metadata == ["target": Self.kuma, "missed": "2"])
        #expect(!rig.log.text.contains("s3cret"))
    }

    @Test func aFailingMonitorDoesNotFillTheJournal() async throws {
        let rig = try PusherRig()
        rig.monitor(Self.kuma, .fail(.unreachable("refused")))
        var settings = HeartbeatPusher<TestClock>.Settings()
        settings.interval = .seconds(300)
        // Six and a half hours.
        try await rig.run(try rig.pusher(to: urls, settings: settings)) {
            try await rig.beats(1...78, phase: PusherRig.phase(interval: 300), interval: 300)
        }
        let counts = rig.log.lines.compactMap { $0.metadata["consecutive"].flatMap(Int.init) }
        #expect(counts == [1, 2, 4, 8, 16, 28, 32, 44, 56, 64, 76])
    }

    @Test func aPushTimesOutAfterTenSeconds() async throws {
        let rig = try PusherRig()
        rig.monitor(Self.kuma, .hang)
        try await rig.run(try rig.pusher(to: urls)) {
            try await rig.beats(1...1, phase: PusherRig.phase())
            try await eventually("pushed") { rig.pushes.count == 1 }
            await rig.clock.sleepers(2)
            rig.clock.advance(by: .milliseconds(9_999))
            // The push is not cancelled meanwhile.
            try await Task.sleep(for: .milliseconds(50))
            #expect(rig.brokenOff == 0)
            rig.clock.advance(by: .milliseconds(1))
            try await eventually("broken off") { rig.brokenOff == 1 }
            rig.monitor(Self.kuma, PusherRig.ok)
            try await rig.beats(2...2, phase: PusherRig.phase())
        }
        #expect(rig.pushes.map(\.beat.beatsDropped) == [0, 1, 1])
        #expect(rig.log.lines.first?.metadata["error"] == "the monitor did not respond in time")
    }

    // MARK: Several targets

    @Test func aSlowTargetDelaysNoOtherAndNoNextHeartbeat() async throws {
        let rig = try PusherRig()
        rig.monitor(Self.kuma, .hang)
        var settings = HeartbeatPusher<TestClock>.Settings()
        // Longer than an interval, so that heartbeats meet a push in flight.
        settings.timeout = .seconds(75)
        try await rig.run(try rig.pusher(to: both, settings: settings)) {
            try await rig.beats(1...3, phase: PusherRig.phase())
            try await eventually("three beats") { rig.pushes(to: Self.other).count == 3 }
            #expect(rig.pushes(to: Self.kuma).count == 1)
            rig.clock.advance(by: .seconds(15))
            try await eventually("given up") { rig.brokenOff == 1 }
            rig.monitor(Self.kuma, PusherRig.ok)
            try await rig.beats(4...4, phase: PusherRig.phase())
        }
        #expect(rig.pushes(to: Self.other).map(\.beat.seq) == [1, 2, 3, 4, 5])
        #expect(rig.pushes(to: Self.other).map { $0.time - PusherRig.phase() } == [0, 30_000, 60_000, 90_000, 90_000])
        #expect(rig.pushes(to: Self.other).map(\.beat.beatsDropped) == [0, 0, 0, 0, 0])
        #expect(rig.pushes(to: Self.kuma).map(\.beat.seq) == [1, 4, 5])
        #expect(rig.pushes(to: Self.kuma).map(\.beat.beatsDropped) == [0, 3, 3])
        #expect(rig.log.lines.allSatisfy { $0.metadata["target"] == Self.kuma })
    }

    // MARK: Stopping

    @Test func aGracefulShutdownIsSentToAllTargets() async throws {
        let rig = try PusherRig()
        try await rig.run(try rig.pusher(to: both)) { try await rig.asleep(before: 1) }
        #expect(rig.pushes.count == 2)
        #expect(rig.pushes.allSatisfy { $0.beat.phase == .stopping && $0.query.status == .down })
        #expect(rig.pushes.allSatisfy { $0.query.message == "stopping" })
        #expect(rig.elapsed == 0)
    }

    @Test func aHangingMonitorDelaysShutdownByThreeSecondsAtMost() async throws {
        let rig = try PusherRig()
        rig.monitor(Self.kuma, .hang)
        try await rig.run(try rig.pusher(to: both)) {
            try await rig.asleep(before: 1)
        } whileStopping: {
            try await eventually("two pushes") { rig.pushes.count == 2 }
            // The timeouts of the last heartbeat and of the push.
            await rig.clock.sleepers(2)
            rig.clock.advance(by: .seconds(3))
        }
        #expect(rig.elapsed == 3_000)
        #expect(rig.brokenOff == 1)
        #expect(rig.log.lines.isEmpty)
    }

    @Test func aPushInFlightIsCancelledForTheLastHeartbeat() async throws {
        let rig = try PusherRig()
        rig.monitor(Self.kuma, .hang)
        try await rig.run(try rig.pusher(to: urls)) {
            try await rig.beats(1...1, phase: PusherRig.phase())
            try await eventually("pushed") { rig.pushes.count == 1 }
            rig.monitor(Self.kuma, PusherRig.ok)
        }
        #expect(rig.pushes.map(\.beat.phase) == [.running, .stopping])
        #expect(rig.brokenOff == 1)
        // Neither failed nor logged, because the node cancelled it.
        #expect(rig.pushes[1].beat.beatsDropped == 0)
        #expect(rig.log.lines.isEmpty)
    }

    @Test func aCancelledProgramSendsNoLastHeartbeat() async throws {
        let rig = try PusherRig()
        let pusher = try rig.pusher(to: urls)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await pusher.run() }
            try await rig.beats(1...1, phase: PusherRig.phase())
            tasks.cancelAll()
            try await tasks.waitForAll()
        }
        #expect(rig.pushes.map(\.beat.phase) == [.running])
    }
}
