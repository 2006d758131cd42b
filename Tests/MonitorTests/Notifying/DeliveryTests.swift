import Foundation
import Monitor
import SQLite
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2))) struct DeliveryTests {
    @Test func aNotificationIsSentOnceWithoutDelay() async throws {
        let rig = try NotifyingRig()
        try await rig.delivering {
            try await rig.put(1)
            try await rig.until { $0.isClear }
            try await rig.put(2)
            try await rig.until { $0.isClear }
        }
        #expect(rig.network.requests.map(\.incidents) == [[1], [2]])
        #expect(Set(rig.network.requests.map { $0.header("Idempotency-Key") }).count == 2)
    }

    /// Advances time until `time`, or until the queue is empty. Wakes the delivery only when it sleeps; an attempt in
    /// flight checks its timeout too, so it gets a moment.
    private func advance(_ rig: NotifyingRig, to time: Int64, line: String = "hook") async throws {
        var left = time - rig.now
        while left > 0 {
            var calm = 0
            while calm < 4 {
                if try await rig.queue(line).isClear { return }
                try await Task.sleep(for: .milliseconds(5))
                calm = rig.clock.sleeping > 0 ? calm + 1 : 0
            }
            let step = min(left, 60_000)
            rig.clock.advance(by: .milliseconds(step))
            left -= step
        }
    }

    /// Lets attempts fail one after another.
    private func fail(_ rig: NotifyingRig, attempts: Range<Int>) async throws -> [Int64] {
        var waits: [Int64] = []
        for attempt in attempts {
            let queue = try await rig.until { $0.state.attempts == attempt }
            let next = try #require(queue.state.nextAttempt)
            waits.append((next - rig.now) / 1_000)
            try await advance(rig, to: next)
        }
        return waits
    }

    struct Broken: CustomTestStringConvertible {
        let testDescription: String
        /// Nil: it is unreachable.
        let answer: WebResponse?
        let isRejecting: Bool
    }

    /// For more than an hour one incident stays open, and another opens and resolves.
    @Test(arguments: [
        Broken(testDescription: "unreachable", answer: nil, isRejecting: false),
        Broken(testDescription: "404", answer: WebResponse(status: 404), isRejecting: true),
        Broken(testDescription: "401", answer: WebResponse(status: 401), isRejecting: true),
        Broken(testDescription: "a redirect", answer: WebResponse(status: 308), isRejecting: true),
        Broken(testDescription: "503", answer: WebResponse(status: 503), isRejecting: false),
    ])
    func aRecoveredChannelReceivesThePresentState(_ broken: Broken) async throws {
        let rig = try NotifyingRig()
        let isBroken = Mutex(true)
        rig.network.probeResults { _, _ in
            guard isBroken.withLock({ $0 }) else { return WebResponse(status: 204) }
            guard let answer = broken.answer else { throw URLError(.cannotConnectToHost) }
            return answer
        }
        let delivery = try rig.delivery()
        let task = Task { try await delivery.run() }
        try await rig.put(1)
        var waits = try await fail(rig, attempts: 1..<4)
        let statistics = try #require(try await delivery.statistics()["hook"])
        #expect(statistics.isRejecting == broken.isRejecting)
        #expect(statistics.failing >= 15)
        waits += try await fail(rig, attempts: 4..<10)
        #expect(try #require(try await delivery.statistics()["hook"]).isBroken)
        #expect(waits == [5, 10, 20, 40, 80, 160, 320, 600, 600])
        // A new alarm causes an immediate attempt.
        try await rig.put(2)
        try await advance(rig, to: rig.now + 30_000)
        try await rig.until { $0.state.attempts == 11 }
        try await rig.put(2, .resolved)
        isBroken.withLock { $0 = false }
        try await advance(rig, to: rig.now + 600_000)
        try await rig.until { $0.isClear }
        #expect(rig.network.requests.last?.words == ["opened 1", "passed 2"])
        #expect(try await delivery.statistics()["hook"]?.failing == 0)
        try await rig.put(1, .resolved)
        try await rig.until { $0.isClear }
        #expect(rig.network.requests.last?.words == ["resolved 1"])
        task.cancel()
        try await task.value
        #expect(rig.log.all.filter { $0.contains("not delivered") }.count == 1, "not a line for each attempt")
    }

    /// A rejected message must not block others; the order within an incident is kept.
    @Test(arguments: [400, 413, 422, 500]) func aFailingChangeDoesNotBlockOthers(_ status: Int) async throws {
        let rig = try NotifyingRig()
        rig.network.probeResults { request, _ in WebResponse(status: request.incidents.contains(1) ? status : 204) }
        for id in [2, 1, 3] as [Int64] { try await rig.put(id) }
        try await rig.delivering {
            _ = try await fail(rig, attempts: 1..<3)
            // Each is sent separately from now on.
            try await rig.until { $0.state.attempts == 3 }
            try await advance(rig, to: rig.now + 120_000)
            try await rig.until { $0.incidents == [1] }
            try await rig.put(4)
            try await rig.put(1, .raised)
            try await rig.until { $0.incidents == [1, 1] }
            rig.network.probeResults { _, _ in WebResponse(status: 204) }
            try await advance(rig, to: rig.now + 600_000)
            try await rig.until { $0.isClear }
        }
        #expect(rig.network.requests.prefix(3).map(\.incidents) == Array(repeating: [2, 1, 3], count: 3))
        #expect(rig.network.requests.last?.words == ["opened 1"])
        for id in [2, 3, 4] as [Int64] { #expect(rig.network.requests.count { $0.incidents == [id] } == 1) }
    }

    @Test func aSlowEndpointDelaysNoOther() async throws {
        let rig = try NotifyingRig(hooks: ["slow", "quick"])
        rig.network.probeResults { request, _ in
            if request.url.exposed.contains("slow") { await cancelled() }
            return WebResponse(status: 200)
        }
        try await rig.put(1, to: "slow")
        try await rig.put(2, to: "quick")
        try await rig.delivering {
            try await rig.until("quick") { $0.isClear }
            #expect(try await rig.queue("slow").incidents == [1])
            await rig.clock.sleepers(1)
            rig.clock.advance(by: .seconds(10))
            let queue = try await rig.until("slow") { $0.state.attempts == 1 }
            #expect(queue.state.lastError == "slow: no response within 10 s")
        }
    }

    struct Refusal: CustomTestStringConvertible {
        let testDescription: String
        let answer: WebResponse
        /// Seconds until the next attempt after the first one.
        let wait: Int64
    }

    @Test(arguments: [
        Refusal(testDescription: "500 is retried", answer: WebResponse(status: 500), wait: 5),
        Refusal(
            testDescription: "429 with Retry-After in seconds", answer: WebResponse(status: 429, retryAfter: "120"),
            wait: 120
        ),
        Refusal(
            testDescription: "503 with Retry-After as a date",
            answer: WebResponse(status: 503, retryAfter: "Fri, 01 Mar 2024 17:10:00 GMT"), wait: 600),
        Refusal(
            testDescription: "a Retry-After shorter than our backoff has no effect",
            answer: WebResponse(status: 429, retryAfter: "1"), wait: 5),
        Refusal(
            testDescription: "after is too long", answer: WebResponse(status: 429, retryAfter: "31536000"), wait: 600),
        Refusal(testDescription: "408 is retried", answer: WebResponse(status: 408), wait: 5),
        Refusal(testDescription: "404 is retried", answer: WebResponse(status: 404), wait: 5),
        Refusal(testDescription: "a redirect is not followed", answer: WebResponse(status: 302), wait: 5),
    ])
    func theNextAttemptFollowsTheResponse(_ example: Refusal) async throws {
        let rig = try NotifyingRig()
        rig.network.probeResults { _, _ in example.answer }
        try await rig.put(1)
        try await rig.delivering {
            let queue = try await rig.until { $0.state.attempts == 1 }
            #expect(try #require(queue.state.nextAttempt) - rig.now == example.wait * 1_000)
            #expect(queue.state.lastError == "hook: hook.example answered \(example.answer.status)")
        }
    }

    @Test func aClockSetBackDelaysNothing() async throws {
        let rig = try NotifyingRig(grouping: .standard)
        try await rig.put(1)
        let other = try Connection(path: rig.folder.file("monitor.db"), access: .readWrite)
        let far = NotifyingRig.start + 86_400_000
        try other.run("UPDATE telling SET created = ?", .integer(far))
        try other.run("INSERT INTO told_cause VALUES ('hook', 'silent/asia', ?)", .integer(far))
        try other.run(
            "INSERT INTO line (name, sent, failing_since, attempts, next_attempt) VALUES ('hook', ?1, ?1, 3, ?1)",
            .integer(far))
        try await rig.delivering {
            try await advance(rig, to: rig.now + 60_000)
            try await rig.until { $0.isClear }
        }
    }

    @Test func severalThreadsResumeAfterAFailure() async throws {
        let pager = ChannelSettings(
            name: "pager", kind: .pagerDuty(keyFile: "/key", url: nil), grouping: NotifyingRig.atOnce)
        let rig = try NotifyingRig(channels: [pager])
        rig.network.probeResults { _, attempt in WebResponse(status: attempt == 3 ? 503 : 202) }
        let regions = ["asia", "europe", "africa", "oceania"]
        try await rig.notifier.notify(
            regions.enumerated().map { index, region in
                IncidentChange(.opened, anIncident(Int64(index + 1), region: region), at: rig.now)
            })
        try await rig.delivering {
            let queue = try await rig.until("pager") { $0.state.attempts == 1 }
            #expect(queue.incidents == [3, 4])
        }
        let after = try NotifyingRig(channels: [pager], in: rig.folder)
        after.clock.advance(by: .seconds(60))
        try await after.delivering { try await after.until("pager") { $0.isClear } }
        let keys = (rig.network.requests + after.network.requests).map { $0.json?["dedup_key"] as? String }
        #expect(keys == [1, 2, 3, 3, 4].map { "clavitor/\($0)/0" })
    }

    @Test func aGracefulShutdownWaitsForMessagesInFlight() async throws {
        let rig = try NotifyingRig()
        let (asked, ask) = AsyncStream<Void>.makeStream()
        rig.network.probeResults { _, _ in
            ask.finish()
            try await gracefulShutdown()
            return WebResponse(status: 200)
        }
        try await rig.put(1)
        let group = ServiceGroup(services: [try rig.delivery(), rig.notifier], logger: rig.log.logger)
        let running = Task { try await group.run() }
        for await _ in asked {}
        try await rig.put(2)
        await group.triggerGracefulShutdown()
        try await running.value
        #expect(try await rig.queue().incidents == [2])
        #expect(rig.network.requests.map(\.incidents) == [[1]])
    }

    @Test func statisticsAreCounted() async throws {
        let rig = try NotifyingRig(hooks: ["good", "bad"])
        rig.network.probeResults { request, _ in WebResponse(status: request.url.exposed.contains("bad") ? 500 : 200) }
        try await rig.put(1, to: "good")
        try await rig.put(2, to: "bad")
        try await rig.put(3, to: "bad")
        let delivery = try rig.delivery()
        let task = Task { try await delivery.run() }
        try await rig.until("good") { $0.isClear }
        try await rig.until("bad") { $0.state.attempts == 1 }
        await rig.clock.sleepers(1)
        rig.clock.advance(by: .seconds(2))
        let statistics = try await delivery.statistics()
        task.cancel()
        try await task.value
        #expect(statistics["good"]?.delivered == 1)
        #expect(statistics["bad"]?.failedAttempts == 1)
        #expect(statistics["bad"]?.waiting == 2)
        #expect(statistics["bad"]?.oldestWaiting == 2)
        #expect(statistics["bad"]?.failing == 2)
    }

    /// A mail server that delays one recipient (451) or does not know it (550) accepts mail for the other.
    @Test(arguments: [DeliveryFailure.Kind.temporary, .rejected])
    func oneRecipientDelaysNoOther(_ kind: DeliveryFailure.Kind) async throws {
        let mail = ChannelSettings(
            name: "mail",
            kind: .email(
                .init(host: "mail.example", from: "clavitor@example.org", to: ["ann@example.org", "bob@example.org"])),
            grouping: NotifyingRig.atOnce)
        let rig = try NotifyingRig(channels: [mail])
        let isAway = Mutex(true)
        rig.network.takes { address in
            address.hasPrefix("ann") && isAway.withLock { $0 } ? DeliveryFailure(kind, "mail: not now") : nil
        }
        let delivery = try rig.delivery()
        let task = Task { try await delivery.run() }
        for id in [1, 2] as [Int64] {
            try await rig.put(id, to: "mail")
            try await rig.until("mail/bob@example.org") { $0.isClear }
        }
        try await rig.until("mail/ann@example.org") { $0.state.attempts > 0 && $0.incidents == [1, 2] }
        let statistics = try #require(try await delivery.statistics()["mail"])
        #expect((statistics.recipients, statistics.failingRecipients) == (2, 1))
        isAway.withLock { $0 = false }
        try await advance(rig, to: rig.now + 60_000, line: "mail/ann@example.org")
        try await rig.until("mail/ann@example.org") { $0.isClear }
        task.cancel()
        try await task.value
        #expect(rig.network.mails.map(\.to).sorted() == ["ann@example.org", "bob@example.org", "bob@example.org"])
    }
}
