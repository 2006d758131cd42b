import Monitor
import Testing
import Wire

/// Silence, from the first missed heartbeat to recovery.
@Suite struct SilenceTests {
    @Test func twoMissedBeatsAreASEV2AndFiveMinutesASEV1() {
        var fleet = EvaluatedFleet()
        fleet.beat()
        fleet.wait(64.9)
        #expect(fleet.notified() == [])
        fleet.wait(0.1)
        #expect(fleet.notified() == ["opened tokyo/silent sev2"])
        fleet.wait(234.9)
        #expect(fleet.notified() == [])
        fleet.wait(0.1)
        #expect(fleet.notified() == ["raised tokyo/silent sev1"])
        fleet.wait(7_200)
        #expect(fleet.notified() == [])
    }

    @Test func twoHeartbeatsResolveSilence() {
        var fleet = EvaluatedFleet()
        fleet.wait(400)
        _ = fleet.notified()
        fleet.beat()
        fleet.wait(30)
        #expect(fleet.notified() == [])
        fleet.beat()
        #expect(fleet.notified() == ["resolved tokyo/silent sev1"])
        fleet.wait(100)
        #expect(fleet.notified() == ["opened tokyo/silent sev2"])
    }

    @Test func twoHeartbeatsFarApartDoNotResolveSilence() {
        var fleet = EvaluatedFleet()
        fleet.wait(100)
        fleet.beat()
        fleet.wait(65)
        _ = fleet.notified()
        fleet.beat()
        #expect(fleet.notified() == [])
        fleet.wait(64.9)
        fleet.beat()
        #expect(fleet.notified() == ["resolved tokyo/silent sev2"])
    }

    /// At any interval and jitter, a node that is heard within the window for five minutes is up, and stays up.
    @Test func aNodeThatBeatsWithinTheWindowIsUp() {
        var random = RandomScheduleTests.Seeded(state: 11)
        for interval in stride(from: 1.0, through: 64, by: 1.5) {
            for jitter in [0, 0.3, 0.9] {
                var fleet = EvaluatedFleet()
                fleet.wait(Double.random(in: 70...400, using: &random))
                _ = fleet.notified()
                var passed = 0.0
                while passed < 300 {
                    let gap = min(64.9, interval * Double.random(in: (1 - jitter)...(1 + jitter), using: &random))
                    fleet.beat()
                    fleet.wait(gap)
                    passed += gap
                }
                #expect(fleet.evaluator.incidents.open["tokyo/silent"] == nil, "every \(interval) s ±\(jitter)")
                let after = fleet.notified()
                #expect(after.last?.hasPrefix("resolved tokyo/silent") == true)
                for _ in 0..<20 {
                    fleet.beat()
                    fleet.wait(min(64.9, interval))
                }
                #expect(fleet.notified() == [], "every \(interval) s ±\(jitter)")
            }
        }
    }

    /// The first heartbeat of a daily job resolves its silence.
    @Test func oneHeartbeatResolvesAJobsSilence() {
        var fleet = EvaluatedFleet(every: 86_400_000)
        fleet.beat()
        fleet.wait(86_400 * 2 + 4)
        #expect(fleet.notified() == [])
        fleet.wait(2)
        #expect(fleet.notified() == ["opened tokyo/silent sev2"])
        fleet.beat()
        #expect(fleet.notified() == ["resolved tokyo/silent sev2"])
    }

    @Test func oneMissedHeartbeatOpensNothing() {
        var fleet = EvaluatedFleet()
        for _ in 0..<100 {
            fleet.beat()
            fleet.wait(60)
        }
        #expect(fleet.notified() == [])
    }

    /// An operator added the node and assumes that it is monitored.
    @Test func aNodeThatNeverBeatOpensAnIncidentAfterTenMinutes() {
        var fleet = EvaluatedFleet([], settled: false)
        fleet.wait(100)
        fleet.evaluator.add(MonitoredNode("tokyo", added: fleet.now.wall), at: fleet.now)
        fleet.wait(599)
        #expect(fleet.notified() == [])
        fleet.wait(1)
        #expect(fleet.notified() == ["opened tokyo/silent sev2"])
        #expect(fleet.evaluator.incidents.open["tokyo/silent"]?.incident.title == "tokyo has never sent a heartbeat")
        fleet.restart(after: 60)
        fleet.wait(10_000)
        #expect(fleet.notified() == [], "users lost nothing")
        fleet.beat()
        fleet.wait(30)
        fleet.beat()
        #expect(fleet.notified() == ["resolved tokyo/silent sev2"])
        fleet.wait(65)
        #expect(fleet.notified() == ["opened tokyo/silent sev2"])
    }

    /// Two and five missed heartbeats by the node's own interval, with its own window.
    @Test(arguments: [10, 60, 300, 3_600] as [Int64]) func eachNodeHasItsOwnInterval(_ every: Int64) {
        var random = RandomScheduleTests.Seeded(state: UInt64(every))
        var fleet = EvaluatedFleet([], settled: false)
        fleet.evaluator.add(MonitoredNode("tokyo", every: every * 1_000, added: fleet.now.wall), at: fleet.now)
        let window = Double(2 * every + 5)
        for _ in 0..<30 {
            fleet.beat()
            fleet.wait(Double.random(in: Double(every) * 0.2...(window - 0.1), using: &random))
        }
        #expect(fleet.notified() == [])
        fleet.beat()
        fleet.wait(window - 0.1)
        #expect(fleet.notified() == [])
        fleet.wait(0.1)
        #expect(fleet.notified() == ["opened tokyo/silent sev2"])
        fleet.wait(max(300, Double(5 * every)) - window)
        #expect(fleet.notified() == ["raised tokyo/silent sev1"])
        fleet.beat()
        fleet.wait(window - 1)
        fleet.beat()
        #expect(fleet.notified() == ["resolved tokyo/silent sev1"])
    }

    @Test func aRenamedNodeGetsANewIncident() {
        var fleet = EvaluatedFleet(["tokyo", "seoul"])
        fleet.beat(["seoul"], for: 90)
        #expect(fleet.notified() == ["opened tokyo/silent sev2"])
        fleet.changes += fleet.evaluator.change(["tokyo": MonitoredNode("osaka")], at: fleet.now)
        let ended = fleet.changes.last?.incident
        #expect(ended?.ending == "the node was renamed to osaka")
        #expect(fleet.notified() == ["resolved tokyo/silent sev2"])
        fleet.beat(["seoul"], for: 90)
        #expect(fleet.notified() == ["opened osaka/silent sev2"])
    }

    @Test func aPlannedStopIsAcceptedForTenMinutes() {
        var fleet = EvaluatedFleet()
        fleet.beat("tokyo") { $0.phase = .stopping }
        fleet.wait(599.9)
        #expect(fleet.notified() == [])
        fleet.wait(0.1)
        #expect(fleet.notified() == ["opened tokyo/silent sev2"])
        #expect(
            fleet.evaluator.incidents.open["tokyo/silent"]?.incident.title
                == "tokyo did not come back after a planned stop")
        fleet.wait(235)
        #expect(fleet.notified() == ["raised tokyo/silent sev1"])
    }

    @Test func aRestartWithinTheLimitOpensNothing() {
        var fleet = EvaluatedFleet()
        fleet.beat("tokyo") { $0.phase = .stopping }
        fleet.wait(120)
        fleet.reboot("tokyo", as: "second")
        fleet.beat(["tokyo"], for: 300)
        #expect(fleet.notified() == [])
        fleet.wait(65)
        #expect(fleet.notified() == ["opened tokyo/silent sev2"])
    }

    // MARK: Which beats count

    @Test func aReplayedHeartbeatIsNoSignOfLife() {
        var fleet = EvaluatedFleet()
        let old = Beat(
            body: {
                var body = Heartbeat.healthy("tokyo", at: 0); body.bootID = "boot"; body.seq = 2; return body
            }())
        for _ in 0..<3 {
            fleet.wait(30)
            #expect(fleet.evaluator.receive(old, from: "tokyo", at: fleet.now).0 == .replayed)
        }
        #expect(fleet.notified() == ["opened tokyo/silent sev2"])
    }

    @Test func aHeartbeatOfAnEarlierBootIsAReplay() {
        var fleet = EvaluatedFleet()
        fleet.reboot("tokyo", as: "second")
        #expect(fleet.beat() == .accepted)
        fleet.reboot("tokyo", as: "boot")
        #expect(fleet.beat() == .replayed)
    }

    @Test func clientsOfKumasProtocolAreMonitoredToo() {
        var fleet = EvaluatedFleet()
        for _ in 0..<3 {
            fleet.changes += fleet.evaluator.receive(Beat(), from: "tokyo", at: fleet.now).1
            fleet.wait(30)
        }
        fleet.changes += fleet.evaluator.receive(Beat(healthProblem: "no disk"), from: "tokyo", at: fleet.now).1
        #expect(fleet.notified() == ["opened tokyo/down sev2"])
        fleet.changes += fleet.evaluator.receive(Beat(), from: "tokyo", at: fleet.now).1
        #expect(fleet.notified() == ["resolved tokyo/down sev2"])
        fleet.wait(65)
        #expect(fleet.notified() == ["opened tokyo/silent sev2"])
    }

    @Test func aRemovedNodeOpensNothing() {
        var fleet = EvaluatedFleet()
        fleet.wait(65)
        _ = fleet.notified()
        fleet.changes += fleet.evaluator.remove("tokyo", at: fleet.now)
        let text = fleet.changes.last.map { MessageText(Message(channel: "c", changes: [$0])) }
        #expect(text?.lines.first?.hasSuffix(": the node was removed") == true)
        #expect(fleet.notified() == ["resolved tokyo/silent sev2"])
        fleet.wait(1_000)
        #expect(fleet.notified() == [])
        #expect(fleet.evaluator.receive(Beat(), from: "tokyo", at: fleet.now).0 == .unknownNode)
    }
}
