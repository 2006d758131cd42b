import Foundation
import Monitor
import SQLite
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2))) struct DeliveryTests {
    @Test func whatIsPutInLeavesAtOnceAndOnce() async throws {
        let rig = try NotifyingRig()
        try await rig.delivering {
            await rig.clock.sleepers(1)
            try await rig.put(1)
            try await rig.until { $0.first?.isDelivered == true }
            try await rig.put(2)
            try await rig.until { $0.allSatisfy(\.isDelivered) }
        }
        #expect(rig.network.requests.map(\.incidents) == [[1], [2]])
        #expect(Set(rig.network.requests.map { $0.header("Idempotency-Key") }).count == 2)
    }

    @Test func anEndpointThatIsDownForAnHourLosesNothing() async throws {
        let rig = try NotifyingRig()
        let isDown = Mutex(true)
        rig.network.answers { _, _ in
            if isDown.withLock({ $0 }) { throw URLError(.cannotConnectToHost) }
            return WebAnswer(status: 204)
        }
        for id in 1...3 { try await rig.put(Int64(id)) }
        var waits: [Int64] = []
        try await rig.delivering {
            var attempts = 0
            while rig.now - NotifyingRig.start < 3_600_000 {
                attempts += 1
                let rows = try await rig.until { $0.first?.attempts == attempts }
                let next = try #require(rows.first?.nextAttempt)
                waits.append((next - rig.now) / 1_000)
                await advance(rig, to: next)
            }
            // The hour is over, and the next attempt has just begun to fail.
            let rows = try await rig.until { $0.first?.attempts == attempts + 1 }
            isDown.withLock { $0 = false }
            await advance(rig, to: try #require(rows.first?.nextAttempt))
            try await rig.until { $0.allSatisfy(\.isDelivered) }
            let figures = try await #require(try rig.delivery().figures()["hook"])
            #expect(figures.waiting == 0)
        }
        #expect(waits.prefix(10) == [5, 10, 20, 40, 80, 160, 320, 640, 900, 900])
        let arrived = rig.network.requests.suffix(3)
        #expect(arrived.map(\.incidents) == [[1], [2], [3]], "in their order")
        #expect(rig.network.requests.dropLast(3).allSatisfy { $0.incidents == [1] }, "one in flight, the oldest")
        #expect(Set(rig.network.requests.dropLast(2).map { $0.header("Idempotency-Key") }).count == 1)
        #expect(rig.log.all.filter { $0.contains("not taken") }.count == 1, "not a line for each attempt")
    }

    /// What the endpoint cannot digest must not silence everything after it; about the same incident the order holds.
    @Test func aMessageThatAlwaysFailsLetsOthersPass() async throws {
        let rig = try NotifyingRig()
        rig.network.answers { request, _ in WebAnswer(status: request.incidents == [1] ? 500 : 204) }
        for id in [1, 2, 1, 3] as [Int64] {
            try await rig.put(id)
            rig.clock.advance(by: .milliseconds(1))
        }
        try await rig.delivering {
            for attempts in 1..<3 {
                let rows = try await rig.until { $0.first?.attempts == attempts }
                #expect(rows.dropFirst().allSatisfy { $0.attempts == 0 })
                await advance(rig, to: try #require(rows.first?.nextAttempt))
            }
            let rows = try await rig.until { $0.count { $0.isDelivered } == 2 }
            #expect(rows.map(\.isDelivered) == [false, true, false, true])
            rig.network.answers { _, _ in WebAnswer(status: 204) }
            await advance(rig, to: try #require(rows.first?.nextAttempt))
            try await rig.until { $0.allSatisfy(\.isDelivered) }
        }
        #expect(rig.network.requests.map(\.incidents) == [[1], [1], [1], [2], [3], [1], [1]])
    }

    /// Wakes the channel only when it sleeps: housekeeping does too, and an attempt under way watches its time.
    private func advance(_ rig: NotifyingRig, to time: Int64) async {
        var left = time - rig.now
        while left > 0 {
            await rig.clock.sleepers(2)
            let step = min(left, 60_000)
            rig.clock.advance(by: .milliseconds(step))
            left -= step
        }
    }

    @Test func aSlowEndpointDelaysNoOther() async throws {
        let rig = try NotifyingRig(hooks: ["slow", "quick"])
        rig.network.answers { request, _ in
            if request.url.exposed.contains("slow") { try await Task.sleep(for: .seconds(3_600)) }
            return WebAnswer(status: 200)
        }
        try await rig.put(1, to: "slow")
        try await rig.put(2, to: "quick")
        try await rig.delivering {
            try await rig.until { $0.last?.isDelivered == true }
            #expect(try await rig.outbox.waiting()["slow"]?.count == 1)
            await rig.clock.sleepers(2)
            rig.clock.advance(by: .seconds(10))
            let rows = try await rig.until { $0.first?.attempts == 1 }
            #expect(rows.first?.lastError == "slow: no answer within 10 s")
        }
    }

    struct Refusal: CustomTestStringConvertible {
        let testDescription: String
        let answer: WebAnswer
        /// Seconds until the next attempt after the first one.
        let wait: Int64
        /// Attempts until it is given up; nil when it would take days.
        var attempts: Int?
    }

    @Test(arguments: [
        Refusal(testDescription: "500 is tried again", answer: WebAnswer(status: 500), wait: 5),
        Refusal(
            testDescription: "429 says how long to wait", answer: WebAnswer(status: 429, retryAfter: "120"), wait: 120),
        Refusal(
            testDescription: "503 says until when to wait",
            answer: WebAnswer(status: 503, retryAfter: "Fri, 01 Mar 2024 17:10:00 GMT"), wait: 600),
        Refusal(
            testDescription: "a Retry-After below our own wait changes nothing",
            answer: WebAnswer(status: 429, retryAfter: "1"), wait: 5),
        Refusal(
            testDescription: "a year is too long", answer: WebAnswer(status: 429, retryAfter: "31536000"), wait: 900),
        Refusal(testDescription: "408 is tried again", answer: WebAnswer(status: 408), wait: 5),
        Refusal(testDescription: "404 three times", answer: WebAnswer(status: 404), wait: 5, attempts: 3),
        Refusal(
            testDescription: "a redirect is not followed", answer: WebAnswer(status: 302), wait: 5, attempts: 3),
    ])
    func followsTheAnswer(_ example: Refusal) async throws {
        let rig = try NotifyingRig()
        rig.network.answers { _, _ in example.answer }
        try await rig.put(1)
        try await rig.delivering {
            var rows = try await rig.until { $0.first?.attempts == 1 }
            #expect(try #require(rows.first?.nextAttempt) - rig.now == example.wait * 1_000)
            #expect(rows.first?.lastError == "hook: hook.example answered \(example.answer.status)")
            guard let attempts = example.attempts else { return }
            for attempt in 2...attempts {
                await advance(rig, to: try #require(rows.first?.nextAttempt))
                rows = try await rig.until { $0.first?.attempts == attempt }
            }
            #expect(rows.first?.isFailed == true)
            // What stands behind it is not held up by it.
            rig.network.answers { _, _ in WebAnswer(status: 200) }
            try await rig.put(2)
            try await rig.until { $0.last?.isDelivered == true }
        }
    }

    @Test func afterThreeDaysItIsGivenUpAndShown() async throws {
        let rig = try NotifyingRig()
        rig.network.answers { _, _ in WebAnswer(status: 500) }
        try await rig.put(1)
        rig.clock.advance(by: .seconds(3 * 86_400 - 60))
        try await rig.delivering {
            var rows = try await rig.until { $0.first?.attempts == 1 }
            await advance(rig, to: try #require(rows.first?.nextAttempt))
            rows = try await rig.until { $0.first?.attempts == 2 }
            await rig.clock.sleepers(2)
            rig.clock.advance(by: .seconds(60))
            rows = try await rig.until { $0.first?.isFailed == true }
            #expect(rows.first?.lastError == "hook: hook.example answered 500")
        }
    }

    @Test func aMessageThatWasSentAndNotMarkedIsSentAgainUnderTheSameKey() async throws {
        let rig = try NotifyingRig()
        let killer = try Connection(path: rig.folder.path("monitor.db"), access: .readWrite)
        // The kill falls between the answer and the mark.
        try killer.script(
            """
            CREATE TRIGGER killed BEFORE UPDATE OF delivered_at ON notification
            BEGIN SELECT RAISE(ABORT, 'killed'); END
            """)
        try await rig.put(1)
        try await rig.delivering {
            for _ in 0..<4_000 where rig.network.requests.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
            for _ in 0..<4_000 where rig.log.all.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
            await rig.clock.sleepers(2)
            rig.clock.advance(by: .seconds(5))
            await rig.clock.sleepers(2)
        }
        #expect(rig.network.requests.count == 1, "not sent again while only the mark fails")
        #expect(rig.log.all.filter { $0.contains("the outbox cannot be used") }.count == 1)
        try killer.script("DROP TRIGGER killed")
        let after = try NotifyingRig(in: rig.folder)
        try await after.delivering { try await after.until { $0.first?.isDelivered == true } }
        #expect(after.network.requests.count == 1)
        #expect(
            after.network.requests[0].header("Idempotency-Key") == rig.network.requests[0].header("Idempotency-Key"))
        #expect(after.network.requests[0].body == rig.network.requests[0].body)
    }

    @Test func aStoreThatFailsIsTriedAgainAndSpokenOfOnce() async throws {
        let rig = try NotifyingRig()
        let other = try Connection(path: rig.folder.path("monitor.db"), access: .readWrite)
        try await rig.put(1)
        try other.script("ALTER TABLE notification RENAME TO elsewhere")
        try await rig.delivering {
            for _ in 0..<5 {
                await rig.clock.sleepers(2)
                rig.clock.advance(by: .seconds(5))
            }
            await rig.clock.sleepers(2)
            #expect(rig.network.requests.isEmpty)
            try other.script("ALTER TABLE elsewhere RENAME TO notification")
            rig.clock.advance(by: .seconds(5))
            try await rig.until { $0.first?.isDelivered == true }
            for _ in 0..<4_000 where rig.log.all.count < 2 { try await Task.sleep(for: .milliseconds(5)) }
        }
        #expect(rig.log.all.filter { $0.contains("cannot be used") }.count == 1)
        #expect(rig.log.all.filter { $0.contains("can be used again") }.count == 1)
    }

    @Test func aNewAlarmDoesNotWaitForAnOldOnesTurn() async throws {
        let rig = try NotifyingRig()
        rig.network.answers { _, _ in throw CancellationError() }
        try await rig.put(1)
        try await rig.delivering {
            // Until it is tried again so seldom that nobody can wait for it.
            for attempt in 1...9 {
                let rows = try await rig.until { $0.first?.attempts == attempt }
                if attempt < 9 { await advance(rig, to: try #require(rows.first?.nextAttempt)) }
            }
            let rows = try await rig.outbox.list()
            #expect(rows.first?.nextAttempt == rig.now + 900_000)
            rig.network.answers { _, _ in WebAnswer(status: 200) }
            await rig.clock.sleepers(2)
            rig.clock.advance(by: .seconds(40))
            try await rig.put(2)
            try await rig.until { $0.count == 2 && $0.allSatisfy(\.isDelivered) }
        }
    }

    @Test func aClockThatWasSetBackHoldsNothingUp() async throws {
        let rig = try NotifyingRig()
        try await rig.put(1)
        let other = try Connection(path: rig.folder.path("monitor.db"), access: .readWrite)
        try other.run("UPDATE notification SET next_attempt = next_attempt + 86400000")
        try await rig.delivering { try await rig.until { $0.first?.isDelivered == true } }
    }

    @Test func severalRequestsGoOnWhereTheyWereCutOff() async throws {
        let pager = ChannelSettings(name: "pager", kind: .pagerDuty(keyFile: "/key", url: nil))
        let rig = try NotifyingRig(channels: [pager])
        rig.network.answers { _, attempt in WebAnswer(status: attempt == 3 ? 503 : 202) }
        try await rig.notifier.tell((1...4).map { IncidentChange(.opened, anIncident($0), at: rig.now) })
        try await rig.delivering {
            let rows = try await rig.until { $0.first?.attempts == 1 }
            #expect(rows.first?.progress == 2)
        }
        let after = try NotifyingRig(channels: [pager], in: rig.folder)
        after.clock.advance(by: .seconds(60))
        try await after.delivering { try await after.until { $0.first?.isDelivered == true } }
        let keys = (rig.network.requests + after.network.requests).map { $0.json?["dedup_key"] as? String }
        #expect(keys == [1, 2, 3, 3, 4].map { "clavitor/\($0)/0" })
    }

    @Test func aPlannedStopLetsWhatIsOnItsWayArrive() async throws {
        let rig = try NotifyingRig()
        let (asked, ask) = AsyncStream<Void>.makeStream()
        rig.network.answers { _, _ in
            ask.finish()
            try await gracefulShutdown()
            return WebAnswer(status: 200)
        }
        try await rig.put(1)
        try await rig.put(2)
        let group = ServiceGroup(services: [try rig.delivery(), rig.notifier], logger: rig.log.logger)
        let running = Task { try await group.run() }
        for await _ in asked {}
        await group.triggerGracefulShutdown()
        try await running.value
        let rows = try await rig.outbox.list()
        #expect(rows.map(\.isDelivered) == [false, true], "the newest first")
    }

    @Test func countsForMetrics() async throws {
        let rig = try NotifyingRig(hooks: ["good", "bad"])
        rig.network.answers { request, _ in WebAnswer(status: request.url.exposed.contains("bad") ? 500 : 200) }
        try await rig.put(1, to: "good")
        try await rig.put(2, to: "bad")
        try await rig.put(3, to: "bad")
        let delivery = try rig.delivery()
        let task = Task { try await delivery.run() }
        try await rig.until { $0[0].isDelivered && $0[1].attempts == 1 }
        await rig.clock.sleepers(2)
        rig.clock.advance(by: .seconds(2))
        let figures = try await delivery.figures()
        task.cancel()
        try await task.value
        #expect(figures["good"]?.delivered == 1)
        #expect(figures["bad"]?.failedAttempts == 1)
        #expect(figures["bad"]?.waiting == 2)
        #expect(figures["bad"]?.oldestWaiting == 2)
    }
}
