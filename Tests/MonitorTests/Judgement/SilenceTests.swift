import Monitor
import Testing
import Wire

/// Silence, from the first missed beat to the second good one.
@Suite struct SilenceTests {
    @Test func twoMissedBeatsAreASEV2AndFiveMinutesASEV1() {
        var fleet = Watched()
        fleet.beat()
        fleet.wait(64.9)
        #expect(fleet.told() == [])
        fleet.wait(0.1)
        #expect(fleet.told() == ["opened tokyo/silent sev2"])
        fleet.wait(234.9)
        #expect(fleet.told() == [])
        fleet.wait(0.1)
        #expect(fleet.told() == ["raised tokyo/silent sev1"])
        fleet.wait(7_200)
        #expect(fleet.told() == [])
    }

    @Test func itIsOverAfterTwoGoodBeats() {
        var fleet = Watched()
        fleet.wait(400)
        _ = fleet.told()
        fleet.beat()
        fleet.wait(30)
        #expect(fleet.told() == [])
        fleet.beat()
        #expect(fleet.told() == ["resolved tokyo/silent sev1"])
        fleet.wait(100)
        #expect(fleet.told() == ["opened tokyo/silent sev2"])
    }

    @Test func twoBeatsFarApartAreNoRecovery() {
        var fleet = Watched()
        fleet.wait(100)
        fleet.beat()
        fleet.wait(65)
        _ = fleet.told()
        fleet.beat()
        #expect(fleet.told() == [])
        fleet.wait(64.9)
        fleet.beat()
        #expect(fleet.told() == ["resolved tokyo/silent sev2"])
    }

    /// Whatever its interval and jitter: who beats within the window for five minutes is up, and stays so.
    @Test func whoBeatsWithinTheWindowIsUp() {
        var random = RandomScheduleTests.Seeded(state: 11)
        for interval in stride(from: 1.0, through: 64, by: 1.5) {
            for jitter in [0, 0.3, 0.9] {
                var fleet = Watched()
                fleet.wait(Double.random(in: 70...400, using: &random))
                _ = fleet.told()
                var passed = 0.0
                while passed < 300 {
                    let gap = min(64.9, interval * Double.random(in: (1 - jitter)...(1 + jitter), using: &random))
                    fleet.beat()
                    fleet.wait(gap)
                    passed += gap
                }
                #expect(fleet.judge.book.open["tokyo/silent"] == nil, "every \(interval) s ±\(jitter)")
                let after = fleet.told()
                #expect(after.last?.hasPrefix("resolved tokyo/silent") == true)
                for _ in 0..<20 {
                    fleet.beat()
                    fleet.wait(min(64.9, interval))
                }
                #expect(fleet.told() == [], "every \(interval) s ±\(jitter)")
            }
        }
    }

    /// Of a job that comes once a day the first good beat ends it.
    @Test func aJobThatIsDoneIsDone() {
        var fleet = Watched(every: 86_400_000)
        fleet.beat()
        fleet.wait(86_400 * 2 + 4)
        #expect(fleet.told() == [])
        fleet.wait(2)
        #expect(fleet.told() == ["opened tokyo/silent sev2"])
        fleet.beat()
        #expect(fleet.told() == ["resolved tokyo/silent sev2"])
    }

    @Test func oneMissedBeatIsNothing() {
        var fleet = Watched()
        for _ in 0..<100 {
            fleet.beat()
            fleet.wait(60)
        }
        #expect(fleet.told() == [])
    }

    /// Somebody added it and thinks that it is watched.
    @Test func aNodeThatNeverBeatIsToldOfAfterTenMinutes() {
        var fleet = Watched([], settled: false)
        fleet.wait(100)
        fleet.judge.add(NodeName("tokyo", added: fleet.now.wall), at: fleet.now)
        fleet.wait(599)
        #expect(fleet.told() == [])
        fleet.wait(1)
        #expect(fleet.told() == ["opened tokyo/silent sev2"])
        #expect(fleet.judge.book.open["tokyo/silent"]?.incident.title == "tokyo has never sent a beat")
        fleet.restart(after: 60)
        fleet.wait(10_000)
        #expect(fleet.told() == [], "users have lost nothing")
        fleet.beat()
        fleet.wait(30)
        fleet.beat()
        #expect(fleet.told() == ["resolved tokyo/silent sev2"])
        fleet.wait(65)
        #expect(fleet.told() == ["opened tokyo/silent sev2"])
    }

    /// Two beats missed and five, by its own interval: the window is its own too.
    @Test(arguments: [10, 60, 300, 3_600] as [Int64]) func eachNodeHasItsOwnInterval(_ every: Int64) {
        var random = RandomScheduleTests.Seeded(state: UInt64(every))
        var fleet = Watched([], settled: false)
        fleet.judge.add(NodeName("tokyo", every: every * 1_000, added: fleet.now.wall), at: fleet.now)
        let window = Double(2 * every + 5)
        for _ in 0..<30 {
            fleet.beat()
            fleet.wait(Double.random(in: Double(every) * 0.2...(window - 0.1), using: &random))
        }
        #expect(fleet.told() == [])
        fleet.beat()
        fleet.wait(window - 0.1)
        #expect(fleet.told() == [])
        fleet.wait(0.1)
        #expect(fleet.told() == ["opened tokyo/silent sev2"])
        fleet.wait(max(300, Double(5 * every)) - window)
        #expect(fleet.told() == ["raised tokyo/silent sev1"])
        fleet.beat()
        fleet.wait(window - 1)
        fleet.beat()
        #expect(fleet.told() == ["resolved tokyo/silent sev1"])
    }

    @Test func aNodeThatIsRenamedIsAnother() {
        var fleet = Watched(["tokyo", "seoul"])
        fleet.beat(["seoul"], for: 90)
        #expect(fleet.told() == ["opened tokyo/silent sev2"])
        fleet.changes += fleet.judge.change(["tokyo": NodeName("osaka")], at: fleet.now)
        let ended = fleet.changes.last?.incident
        #expect(ended?.ending == "it is called osaka now")
        #expect(fleet.told() == ["resolved tokyo/silent sev2"])
        fleet.beat(["seoul"], for: 90)
        #expect(fleet.told() == ["opened osaka/silent sev2"])
    }

    @Test func aPlannedStopIsBorneForTenMinutes() {
        var fleet = Watched()
        fleet.beat("tokyo") { $0.phase = .stopping }
        fleet.wait(599.9)
        #expect(fleet.told() == [])
        fleet.wait(0.1)
        #expect(fleet.told() == ["opened tokyo/silent sev2"])
        #expect(fleet.judge.book.open["tokyo/silent"]?.incident.title == "tokyo did not come back")
        fleet.wait(235)
        #expect(fleet.told() == ["raised tokyo/silent sev1"])
    }

    @Test func aRestartWithinTheTimeIsNothing() {
        var fleet = Watched()
        fleet.beat("tokyo") { $0.phase = .stopping }
        fleet.wait(120)
        fleet.reboot("tokyo", as: "second")
        fleet.beat(["tokyo"], for: 300)
        #expect(fleet.told() == [])
        fleet.wait(65)
        #expect(fleet.told() == ["opened tokyo/silent sev2"])
    }

    // MARK: Which beats count

    @Test func anOldBeatAgainIsNoSignOfLife() {
        var fleet = Watched()
        let old = Beat(
            body: {
                var body = Heartbeat.healthy("tokyo", at: 0); body.bootID = "boot"; body.seq = 2; return body
            }())
        for _ in 0..<3 {
            fleet.wait(30)
            #expect(fleet.judge.receive(old, from: "tokyo", at: fleet.now).0 == .replayed)
        }
        #expect(fleet.told() == ["opened tokyo/silent sev2"])
    }

    @Test func aBeatOfAnEarlierStartIsAReplay() {
        var fleet = Watched()
        fleet.reboot("tokyo", as: "second")
        #expect(fleet.beat() == .taken)
        fleet.reboot("tokyo", as: "boot")
        #expect(fleet.beat() == .replayed)
    }

    @Test func whoSpeaksOnlyKumasProtocolIsWatchedToo() {
        var fleet = Watched()
        for _ in 0..<3 {
            fleet.changes += fleet.judge.receive(Beat(), from: "tokyo", at: fleet.now).1
            fleet.wait(30)
        }
        fleet.changes += fleet.judge.receive(Beat(ill: "no disk"), from: "tokyo", at: fleet.now).1
        #expect(fleet.told() == ["opened tokyo/down sev2"])
        fleet.changes += fleet.judge.receive(Beat(), from: "tokyo", at: fleet.now).1
        #expect(fleet.told() == ["resolved tokyo/down sev2"])
        fleet.wait(65)
        #expect(fleet.told() == ["opened tokyo/silent sev2"])
    }

    @Test func aNodeThatIsRemovedIsNotMissed() {
        var fleet = Watched()
        fleet.wait(65)
        _ = fleet.told()
        fleet.changes += fleet.judge.remove("tokyo", at: fleet.now)
        let text = fleet.changes.last.map { MessageText(Message(channel: "c", changes: [$0])) }
        #expect(text?.lines.first?.hasSuffix(": it is no longer watched") == true)
        #expect(fleet.told() == ["resolved tokyo/silent sev2"])
        fleet.wait(1_000)
        #expect(fleet.told() == [])
        #expect(fleet.judge.receive(Beat(), from: "tokyo", at: fleet.now).0 == .unknownNode)
    }

    // MARK: The monitor itself

    @Test func endingOneOfTwoLeasesLeavesTheOtherOne() {
        var fleet = Watched()
        for (id, seconds) in [(1, 1_800), (2, 60)] as [(Int64, Int64)] {
            fleet.changes += fleet.judge.add(
                Lease(
                    id: id, nodes: ["tokyo"], by: "soc", reason: "work", until: fleet.now.wall + seconds * 1_000),
                at: fleet.now)
        }
        fleet.changes += fleet.judge.removeLease(1, at: fleet.now)
        fleet.wait(61)
        #expect(fleet.told() == [])
        fleet.wait(65)
        #expect(fleet.told() == ["opened tokyo/silent sev2"])
    }

    @Test func theEndOfOneSilenceIsNotTheEndOfAnother() {
        var fleet = Watched()
        for (id, seconds) in [(1, 60), (2, 600)] as [(Int64, Int64)] {
            fleet.changes += fleet.judge.add(
                Silence(
                    id: id, node: "tokyo", rule: nil, by: "soc", reason: "known",
                    until: fleet.now.wall + seconds * 1_000), at: fleet.now)
        }
        fleet.wait(400)
        #expect(fleet.told() == [])
        fleet.wait(250)
        #expect(fleet.told() == ["opened tokyo/silent sev1"])
    }

    /// A cut says nothing of who was heard after it.
    @Test func whoFallsSilentAfterTheCutIsToldOf() {
        let names = ["a", "b", "c", "d"]
        var fleet = Watched(names)
        fleet.beat(["d"], for: 90)
        #expect(fleet.told() == ["opened fleet/cut-off sev2"])
        fleet.beat(["d"], for: 300)
        #expect(fleet.told() == ["raised fleet/cut-off sev1"])
        fleet.wait(70)
        #expect(fleet.told() == ["opened d/silent sev2"])
        for name in ["a", "b", "c"] { fleet.changes += fleet.judge.remove(name, at: fleet.now) }
        #expect(fleet.judge.book.open["fleet/cut-off"] == nil, "nobody is left that it could be about")
    }

    @Test(arguments: [0, 5, 3_600] as [Int64]) func aRestartRaisesNothingBeforeAFullWindow(_ seconds: Int64) {
        var fleet = Watched()
        fleet.restart(after: seconds)
        fleet.wait(64.9)
        #expect(fleet.told() == [])
        fleet.wait(0.1)
        #expect(fleet.told() == ["opened tokyo/silent sev2"])
    }

    @Test func aRestartTellsNothingAgainAndForgetsNothing() {
        var fleet = Watched(["tokyo", "seoul"])
        fleet.beat(["seoul"], for: 90)
        #expect(fleet.told() == ["opened tokyo/silent sev2"])
        // It was known to be silent, and is given a window in which it could be heard of.
        fleet.restart(after: 600)
        fleet.beat(["seoul"], for: 60)
        #expect(fleet.told() == [])
        fleet.beat(["seoul"], for: 30)
        #expect(fleet.told() == ["raised tokyo/silent sev1"])
        fleet.restart()
        fleet.beat(["tokyo", "seoul"], for: 60)
        #expect(fleet.told() == ["resolved tokyo/silent sev1"])
    }

    @Test func aStallOfTheMonitorIsNotTheNodesFault() {
        var fleet = Watched(["tokyo", "seoul", "dubai"])
        fleet.sleep(400)
        fleet.beat(["tokyo", "seoul", "dubai"], for: 300)
        #expect(fleet.told() == [])
    }

    @Test(arguments: [-86_400, 86_400] as [Int64]) func aStepOfTheHubsClockRaisesNothing(_ seconds: Int64) {
        var fleet = Watched(["tokyo", "seoul", "dubai"])
        fleet.now.wall += seconds * 1_000
        let wrong = fleet.now.wall - seconds * 1_000
        for _ in 0..<2 {
            for name in ["tokyo", "seoul", "dubai"] { fleet.beat(name) { $0.ts = wrong / 1_000 } }
            fleet.wait(30)
        }
        fleet.now.wall -= seconds * 1_000
        fleet.beat(["tokyo", "seoul", "dubai"], for: 300)
        #expect(fleet.told() == [])
    }

    @Test func aHubWhoseClockStaysWrongIsOneIncident() {
        let names = ["tokyo", "seoul", "dubai", "warsaw"]
        var fleet = Watched(names)
        fleet.now.wall += 3_600_000
        fleet.beat(names, for: 600) { $0.ts -= 3_600 }
        #expect(fleet.told() == ["opened monitor/clock sev2"])
        fleet.now.wall -= 3_600_000
        fleet.beat(names, for: 600)
        #expect(fleet.told() == ["resolved monitor/clock sev2"])
    }

    // MARK: All at once

    @Test func mostNodesSilentTogetherAreOneIncident() {
        let names = (1...16).map { "node\($0)" }
        var fleet = Watched(names)
        // Each beats in a phase of its own, and then the hub's network goes.
        for name in names {
            fleet.beat(name)
            fleet.wait(30.0 / 16)
        }
        fleet.wait(120)
        #expect(fleet.told() == ["opened fleet/cut-off sev2"])
        #expect(fleet.judge.book.open.count == 17)
        fleet.wait(400)
        #expect(fleet.told() == ["raised fleet/cut-off sev1"])
        fleet.beat(names, for: 90)
        #expect(fleet.told() == ["resolved fleet/cut-off sev1"])
        #expect(fleet.judge.book.open.isEmpty)
    }

    /// An outage at one provider: those that still beat prove that the hub hears.
    @Test(arguments: [(16, 13), (16, 14), (20, 15), (300, 280)]) func whoIsStillHeardProvesThatTheHubIsNotCutOff(
        _ count: Int, _ dead: Int
    ) {
        let names = (1...count).map { "node\($0)" }
        var fleet = Watched(names)
        // Each in a phase of its own.
        for _ in 0..<3 {
            for name in names {
                fleet.beat(name)
                fleet.wait(30 / Double(count))
            }
        }
        for _ in 0..<4 {
            for name in names.dropFirst(dead) {
                fleet.beat(name)
                fleet.wait(30 / Double(count - dead))
            }
        }
        #expect(Set(fleet.told()) == Set(names.prefix(dead).map { "opened \($0)/silent sev2" }))
    }

    /// One that stands beside the hub is heard through any cut.
    @Test func oneThatIsHeardProvesNothing() {
        let names = (1...16).map { "node\($0)" }
        var fleet = Watched(names)
        fleet.beat(["node16"], for: 90)
        #expect(fleet.told() == ["opened fleet/cut-off sev2"])
    }

    /// Most of them come back, the others do not: then it was no cut, or it is over.
    @Test func aCutIsOverWhenSeveralAreHeardAgain() {
        let names = (1...16).map { "node\($0)" }
        var fleet = Watched(names)
        fleet.wait(120)
        #expect(fleet.told() == ["opened fleet/cut-off sev2"])
        fleet.beat(["node1", "node2", "node3"], for: 60)
        #expect(fleet.told() == ["resolved fleet/cut-off sev2"])
        fleet.beat(["node1", "node2", "node3"], for: 90)
        #expect(Set(fleet.told()) == Set((4...16).map { "opened node\($0)/silent sev2" }))
    }

    struct Reading: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var answers: Bool?
        var title: String
        var says: String
    }

    @Test(arguments: [
        Reading(
            testDescription: "nobody was asked", answers: nil, title: "The hub is cut off, or all nodes are down",
            says: "4 of 4 nodes fell silent together. Look at the hub's network first. dubai, seoul, tokyo, warsaw."),
        Reading(
            testDescription: "none answers", answers: false, title: "The hub is cut off, or all nodes are down",
            says: "Asked from here, none of 4 answers"),
        Reading(
            testDescription: "all answer", answers: true, title: "Nodes answer, and their beats do not arrive",
            says: "Asked from here, 4 of 4 answer: look at the hub's own port, name and certificate."),
    ]) func aCutOffHasNamesAndBothReadings(_ reading: Reading) throws {
        let names = ["tokyo", "seoul", "dubai", "warsaw"]
        var fleet = Watched(names)
        fleet.wait(10)
        #expect(fleet.judge.overdue(at: fleet.now) == names.sorted())
        if let answers = reading.answers {
            fleet.judge.note(answers: Dictionary(uniqueKeysWithValues: names.map { ($0, answers) }), at: fleet.now)
        }
        fleet.wait(30)
        let opened = try #require(fleet.changes.first { $0.incident.rule == "cut-off" })
        #expect(opened.incident.title == reading.title)
        #expect(opened.incident.detail.contains(reading.says), "\(opened.incident.detail)")
    }

    @Test func aSilentNodeThatAnswersIsSaidTo() throws {
        var fleet = Watched(["tokyo", "seoul"])
        fleet.beat(["seoul"], for: 30)
        fleet.judge.note(answers: ["tokyo": true], at: fleet.now)
        fleet.beat(["seoul"], for: 30)
        let detail = try #require(fleet.changes.first).incident.detail
        #expect(detail.hasSuffix("Asked from here, it answers: look at its pushes."), "\(detail)")
    }

    @Test func whoDoesNotComeBackAfterACutIsToldOf() {
        let names = (1...8).map { "node\($0)" }
        var fleet = Watched(names)
        fleet.wait(120)
        #expect(fleet.told() == ["opened fleet/cut-off sev2"])
        fleet.beat(Array(names.dropLast()), for: 60)
        #expect(fleet.told() == ["resolved fleet/cut-off sev2"])
        fleet.beat(Array(names.dropLast()), for: 90)
        #expect(fleet.told() == ["opened node8/silent sev2"])
    }

    @Test func oneNodeThatDiesIsNotACut() {
        let names = ["tokyo", "seoul", "dubai"]
        var fleet = Watched(names)
        fleet.beat(["seoul", "dubai"], for: 90)
        #expect(fleet.told() == ["opened tokyo/silent sev2"])
        fleet.beat(["dubai"], for: 90)
        #expect(fleet.told() == ["opened seoul/silent sev2"])
    }

    // MARK: People

    @Test func plannedWorkRaisesNothingAndEndsByItself() {
        var fleet = Watched(["tokyo", "seoul"])
        fleet.changes += fleet.judge.add(
            Lease(id: 1, nodes: ["tokyo"], by: "soc", reason: "deploy", until: fleet.now.wall + 600_000), at: fleet.now)
        fleet.beat(["seoul"], for: 600)
        #expect(fleet.told() == [])
        fleet.beat(["seoul"], for: 60)
        #expect(fleet.told() == [])
        fleet.beat(["seoul"], for: 30)
        #expect(fleet.told() == ["opened tokyo/silent sev2"])
        #expect(fleet.judge.leases.isEmpty)
    }

    @Test func plannedWorkTellsNothingAgain() {
        var fleet = Watched(["tokyo", "seoul"])
        fleet.beat(["seoul"], for: 90)
        #expect(fleet.told() == ["opened tokyo/silent sev2"])
        fleet.changes += fleet.judge.add(
            Lease(id: 1, nodes: [], by: "soc", reason: "deploy", until: fleet.now.wall + 120_000), at: fleet.now)
        fleet.beat(["seoul"], for: 150)
        #expect(fleet.told() == [])
        fleet.beat(["seoul"], for: 90)
        #expect(fleet.told() == ["raised tokyo/silent sev1"])
        fleet.beat(["tokyo", "seoul"], for: 60)
        #expect(fleet.told() == ["resolved tokyo/silent sev1"])
    }

    /// A clock that jumps for a moment ends no planned work and no silence, and nothing is thrown away on its word for a day.
    @Test(arguments: [-400, -2, 2, 400] as [Int64]) func aClockThatJumpsEndsNothing(_ days: Int64) {
        var fleet = Watched(["tokyo", "seoul", "dubai"])
        let until = fleet.now.wall + 7_200_000
        fleet.changes += fleet.judge.add(
            Lease(id: 1, nodes: ["tokyo"], by: "soc", reason: "deploy", until: until), at: fleet.now)
        fleet.changes += fleet.judge.add(
            Silence(id: 1, node: "seoul", rule: nil, by: "soc", reason: "known", until: until), at: fleet.now)
        #expect(fleet.judge.isClockTrusted(at: fleet.now))
        fleet.now.wall += days * 86_400_000
        fleet.wait(20)
        #expect(!fleet.judge.isClockTrusted(at: fleet.now))
        fleet.now.wall -= days * 86_400_000
        fleet.beat(["tokyo", "seoul", "dubai"], for: 7_140)
        #expect(fleet.judge.leases.count == 1 && fleet.judge.silences.count == 1)
        fleet.beat(["tokyo", "seoul", "dubai"], for: 60)
        #expect(fleet.judge.leases.isEmpty && fleet.judge.silences.isEmpty)
        #expect(!fleet.judge.isClockTrusted(at: fleet.now))
        fleet.beat(["tokyo", "seoul", "dubai"], for: 86_400)
        #expect(fleet.judge.isClockTrusted(at: fleet.now))
    }

    @Test func aMonitorThatComesBackAfterDaysThrowsNothingAway() {
        var fleet = Watched()
        fleet.restart(after: 3_600)
        #expect(fleet.judge.isClockTrusted(at: fleet.now))
        fleet.restart(after: 3 * 86_400)
        #expect(!fleet.judge.isClockTrusted(at: fleet.now))
    }

    /// Work that begins in mid-incident: nobody is reminded or called in until it ends.
    @Test func plannedWorkHidesWhatIsOpenUntilItEnds() {
        let routes = [
            Route(channel: "chat", severities: [.sev2, .sev1], resend: 60),
            Route(channel: "boss", severities: [.sev2, .sev1], after: 200),
        ]
        var (fleet, escalation) = (Watched(["tokyo", "seoul"]), Escalation())
        var told: [String] = []
        func pass(_ seconds: Int) {
            for _ in 0..<seconds / 10 {
                fleet.beat("seoul")
                fleet.wait(10)
                told += escalation.apply(fleet.changes, routes: routes).map(\.description)
                told += escalation.tick(fleet.now.wall, routes: routes).map(\.description)
                fleet.changes = []
            }
        }
        pass(150)
        #expect(told == ["chat opened 1", "chat reminded 1"])
        told = []
        fleet.changes += fleet.judge.add(
            Lease(id: 1, nodes: ["tokyo"], by: "soc", reason: "deploy", until: fleet.now.wall + 600_000), at: fleet.now)
        pass(590)
        #expect(told == [])
        #expect(fleet.judge.book.open["tokyo/silent"]?.incident.hiddenBy == "lease/1")
        pass(250)
        #expect(fleet.judge.book.open["tokyo/silent"]?.incident.hiddenBy == nil)
        for line in ["chat raised 1", "chat reminded 1", "boss escalated 1"] { #expect(told.contains(line)) }
    }

    @Test func workThatIsDoneEarlyIsJudgedAgain() {
        var fleet = Watched(["tokyo"])
        fleet.changes += fleet.judge.add(
            Lease(id: 1, nodes: ["tokyo"], by: "soc", reason: "deploy", until: fleet.now.wall + 3_600_000),
            at: fleet.now)
        fleet.wait(300)
        fleet.changes += fleet.judge.removeLease(1, at: fleet.now)
        fleet.wait(64)
        #expect(fleet.told() == [])
        fleet.wait(1)
        #expect(fleet.told() == ["opened tokyo/silent sev2"])
    }

    @Test func aSilencedNodeIsShownAndNotTold() throws {
        var fleet = Watched(["tokyo"])
        fleet.changes += fleet.judge.add(
            Silence(
                id: 1, node: "tokyo", rule: nil, by: "soc", reason: "known", until: fleet.now.wall + 600_000),
            at: fleet.now)
        fleet.wait(300)
        #expect(fleet.told() == [])
        #expect(fleet.judge.book.open["tokyo/silent"]?.incident.hiddenBy == "silence/1")
        fleet.wait(300)
        #expect(fleet.told() == ["opened tokyo/silent sev1"])
    }

    @Test func anAcknowledgementFallsWhenItGetsWorse() throws {
        var fleet = Watched()
        fleet.wait(65)
        let id = try #require(fleet.judge.book.open["tokyo/silent"]?.incident.id)
        fleet.changes += try fleet.judge.acknowledge(id, by: "soc", note: "looking", at: fleet.now)
        #expect(fleet.told() == ["opened tokyo/silent sev2", "acknowledged tokyo/silent sev2"])
        fleet.wait(235)
        #expect(fleet.judge.book.open["tokyo/silent"]?.incident.acknowledged == nil)
        #expect(throws: FleetJudge.Refusal.noSuchIncident) {
            _ = try fleet.judge.acknowledge(99, by: "soc", note: nil, at: fleet.now)
        }
    }

    @Test func whatFlapsIsToldOnce() {
        var fleet = Watched()
        for _ in 0..<8 {
            fleet.wait(70)
            fleet.beat(["tokyo"], for: 60)
        }
        let told = fleet.told()
        #expect(told.count { $0.hasPrefix("opened tokyo/silent ") } == 4)
        #expect(told.count { $0 == "opened tokyo/silent/flapping sev2" } == 1)
        fleet.beat(["tokyo"], for: 3_600)
        #expect(fleet.told() == ["resolved tokyo/silent/flapping sev2"])
    }
}
