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
            try await rig.put(1)
            try await rig.until { $0.isClear }
            try await rig.put(2)
            try await rig.until { $0.isClear }
        }
        #expect(rig.network.requests.map(\.incidents) == [[1], [2]])
        #expect(Set(rig.network.requests.map { $0.header("Idempotency-Key") }).count == 2)
    }

    /// Until a time, or until nothing waits any more. Wakes the line only when it sleeps; an attempt under way watches its
    /// time too, so it gets a moment.
    private func advance(_ rig: NotifyingRig, to time: Int64, line: String = "hook") async throws {
        var left = time - rig.now
        while left > 0 {
            var calm = 0
            while calm < 4 {
                if try await rig.desk(line).isClear { return }
                try await Task.sleep(for: .milliseconds(5))
                calm = rig.clock.sleeping > 0 ? calm + 1 : 0
            }
            let step = min(left, 60_000)
            rig.clock.advance(by: .milliseconds(step))
            left -= step
        }
    }

    /// Lets attempts fail, one after the other.
    private func fail(_ rig: NotifyingRig, attempts: Range<Int>) async throws -> [Int64] {
        var waits: [Int64] = []
        for attempt in attempts {
            let desk = try await rig.until { $0.state.attempts == attempt }
            let next = try #require(desk.state.nextAttempt)
            waits.append((next - rig.now) / 1_000)
            try await advance(rig, to: next)
        }
        return waits
    }

    struct Broken: CustomTestStringConvertible {
        let testDescription: String
        /// Nil: it cannot be reached.
        let answer: WebAnswer?
        let isRefusing: Bool
    }

    /// An hour and more, in which one incident opens and stays, and one opens and ends.
    @Test(arguments: [
        Broken(testDescription: "nobody is there", answer: nil, isRefusing: false),
        Broken(testDescription: "404", answer: WebAnswer(status: 404), isRefusing: true),
        Broken(testDescription: "401", answer: WebAnswer(status: 401), isRefusing: true),
        Broken(testDescription: "a redirect", answer: WebAnswer(status: 308), isRefusing: true),
        Broken(testDescription: "503", answer: WebAnswer(status: 503), isRefusing: false),
    ])
    func aChannelThatWorksAgainHearsHowThingsStand(_ broken: Broken) async throws {
        let rig = try NotifyingRig()
        let isBroken = Mutex(true)
        rig.network.answers { _, _ in
            guard isBroken.withLock({ $0 }) else { return WebAnswer(status: 204) }
            guard let answer = broken.answer else { throw URLError(.cannotConnectToHost) }
            return answer
        }
        let delivery = try rig.delivery()
        let task = Task { try await delivery.run() }
        try await rig.put(1)
        var waits = try await fail(rig, attempts: 1..<4)
        let figures = try #require(try await delivery.figures()["hook"])
        #expect(figures.isRefusing == broken.isRefusing)
        #expect(figures.failing >= 15)
        waits += try await fail(rig, attempts: 4..<10)
        #expect(try #require(try await delivery.figures()["hook"]).isBroken)
        #expect(waits == [5, 10, 20, 40, 80, 160, 320, 600, 600])
        // A new alarm is a reason to try at once.
        try await rig.put(2)
        try await advance(rig, to: rig.now + 30_000)
        try await rig.until { $0.state.attempts == 11 }
        try await rig.put(2, .resolved)
        isBroken.withLock { $0 = false }
        try await advance(rig, to: rig.now + 600_000)
        try await rig.until { $0.isClear }
        #expect(rig.network.requests.last?.words == ["opened 1", "passed 2"])
        #expect(try await delivery.figures()["hook"]?.failing == 0)
        try await rig.put(1, .resolved)
        try await rig.until { $0.isClear }
        #expect(rig.network.requests.last?.words == ["resolved 1"])
        task.cancel()
        try await task.value
        #expect(rig.log.all.filter { $0.contains("not taken") }.count == 1, "not a line for each attempt")
    }

    /// What the endpoint cannot digest must not silence everything else; about the same incident the order holds.
    @Test(arguments: [400, 413, 422, 500]) func aChangeThatAlwaysFailsLetsOthersPass(_ status: Int) async throws {
        let rig = try NotifyingRig()
        rig.network.answers { request, _ in WebAnswer(status: request.incidents.contains(1) ? status : 204) }
        for id in [2, 1, 3] as [Int64] { try await rig.put(id) }
        try await rig.delivering {
            _ = try await fail(rig, attempts: 1..<3)
            // Each is tried by itself from now on.
            try await rig.until { $0.state.attempts == 3 }
            try await advance(rig, to: rig.now + 120_000)
            try await rig.until { $0.incidents == [1] }
            try await rig.put(4)
            try await rig.put(1, .raised)
            try await rig.until { $0.incidents == [1, 1] }
            rig.network.answers { _, _ in WebAnswer(status: 204) }
            try await advance(rig, to: rig.now + 600_000)
            try await rig.until { $0.isClear }
        }
        #expect(rig.network.requests.prefix(3).map(\.incidents) == Array(repeating: [2, 1, 3], count: 3))
        #expect(rig.network.requests.last?.words == ["opened 1"])
        for id in [2, 3, 4] as [Int64] { #expect(rig.network.requests.count { $0.incidents == [id] } == 1) }
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
            try await rig.until("quick") { $0.isClear }
            #expect(try await rig.desk("slow").incidents == [1])
            await rig.clock.sleepers(1)
            rig.clock.advance(by: .seconds(10))
            let desk = try await rig.until("slow") { $0.state.attempts == 1 }
            #expect(desk.state.lastError == "slow: no answer within 10 s")
        }
    }

    struct Refusal: CustomTestStringConvertible {
        let testDescription: String
        let answer: WebAnswer
        /// Seconds until the next attempt after the first one.
        let wait: Int64
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
            testDescription: "a year is too long", answer: WebAnswer(status: 429, retryAfter: "31536000"), wait: 600),
        Refusal(testDescription: "408 is tried again", answer: WebAnswer(status: 408), wait: 5),
        Refusal(testDescription: "404 is tried again", answer: WebAnswer(status: 404), wait: 5),
        Refusal(testDescription: "a redirect is not followed", answer: WebAnswer(status: 302), wait: 5),
    ])
    func followsTheAnswer(_ example: Refusal) async throws {
        let rig = try NotifyingRig()
        rig.network.answers { _, _ in example.answer }
        try await rig.put(1)
        try await rig.delivering {
            let desk = try await rig.until { $0.state.attempts == 1 }
            #expect(try #require(desk.state.nextAttempt) - rig.now == example.wait * 1_000)
            #expect(desk.state.lastError == "hook: hook.example answered \(example.answer.status)")
        }
    }

    @Test func aClockThatWasSetBackHoldsNothingUp() async throws {
        let rig = try NotifyingRig(grouping: .standard)
        try await rig.put(1)
        let other = try Connection(path: rig.folder.path("monitor.db"), access: .readWrite)
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

    @Test func severalThreadsGoOnWhereTheyWereCutOff() async throws {
        let pager = ChannelSettings(
            name: "pager", kind: .pagerDuty(keyFile: "/key", url: nil), grouping: NotifyingRig.atOnce)
        let rig = try NotifyingRig(channels: [pager])
        rig.network.answers { _, attempt in WebAnswer(status: attempt == 3 ? 503 : 202) }
        let regions = ["asia", "europe", "africa", "oceania"]
        try await rig.notifier.tell(
            regions.enumerated().map { index, region in
                IncidentChange(.opened, anIncident(Int64(index + 1), region: region), at: rig.now)
            })
        try await rig.delivering {
            let desk = try await rig.until("pager") { $0.state.attempts == 1 }
            #expect(desk.incidents == [3, 4])
        }
        let after = try NotifyingRig(channels: [pager], in: rig.folder)
        after.clock.advance(by: .seconds(60))
        try await after.delivering { try await after.until("pager") { $0.isClear } }
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
        let group = ServiceGroup(services: [try rig.delivery(), rig.notifier], logger: rig.log.logger)
        let running = Task { try await group.run() }
        for await _ in asked {}
        try await rig.put(2)
        await group.triggerGracefulShutdown()
        try await running.value
        #expect(try await rig.desk().incidents == [2])
        #expect(rig.network.requests.map(\.incidents) == [[1]])
    }

    @Test func countsForMetrics() async throws {
        let rig = try NotifyingRig(hooks: ["good", "bad"])
        rig.network.answers { request, _ in WebAnswer(status: request.url.exposed.contains("bad") ? 500 : 200) }
        try await rig.put(1, to: "good")
        try await rig.put(2, to: "bad")
        try await rig.put(3, to: "bad")
        let delivery = try rig.delivery()
        let task = Task { try await delivery.run() }
        try await rig.until("good") { $0.isClear }
        try await rig.until("bad") { $0.state.attempts == 1 }
        await rig.clock.sleepers(1)
        rig.clock.advance(by: .seconds(2))
        let figures = try await delivery.figures()
        task.cancel()
        try await task.value
        #expect(figures["good"]?.delivered == 1)
        #expect(figures["bad"]?.failedAttempts == 1)
        #expect(figures["bad"]?.waiting == 2)
        #expect(figures["bad"]?.oldestWaiting == 2)
        #expect(figures["bad"]?.failing == 2)
    }

    /// A mail server that keeps one recipient away (451) or does not know one (550) takes the other's mail.
    @Test(arguments: [DeliveryFailure.Kind.passing, .refused])
    func oneRecipientHoldsUpNoOther(_ kind: DeliveryFailure.Kind) async throws {
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
        let figures = try #require(try await delivery.figures()["mail"])
        #expect((figures.lines, figures.failingLines) == (2, 1))
        isAway.withLock { $0 = false }
        try await advance(rig, to: rig.now + 60_000, line: "mail/ann@example.org")
        try await rig.until("mail/ann@example.org") { $0.isClear }
        task.cancel()
        try await task.value
        #expect(rig.network.mails.map(\.to).sorted() == ["ann@example.org", "bob@example.org", "bob@example.org"])
    }
}
