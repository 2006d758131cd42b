import Foundation
import Monitor
import SQLite
import Testing
import Wire

/// The watch after a kill: it repeats nothing and loses nothing.
@Suite(.timeLimit(.minutes(15))) struct WatchRestartTests {
    @Test func aKillRepeatsNothingAndLosesNothing() async throws {
        let live = try await LiveWatch(["tokyo", "seoul"])
        defer { live.remove() }
        try await live.push("tokyo", seq: 7)
        try await live.push("seoul", seq: 7)
        await live.wait(35)
        try await live.push("seoul", seq: 8)
        await live.wait(35)
        #expect(live.notified.lines == ["opened tokyo/silent sev2"])
        live.clock.advance(40)
        let next = try await live.again()
        #expect(next.watch.fleet().incidents.map(\.key) == ["tokyo/silent"])
        await #expect(throws: PushRejection.replayed) { try await next.push("seoul", seq: 8) }
        for turn in 0..<4 {
            try await next.push("seoul", seq: Int64(9 + turn))
            await next.wait(20)
        }
        #expect(next.notified.lines == ["opened tokyo/silent sev2"])
        try await next.push("tokyo", seq: 8)
        await next.wait(30)
        try await next.push("tokyo", seq: 9)
        await next.wait(1)
        #expect(next.notified.lines.contains("resolved tokyo/silent sev2"))
    }

    @Test func theAuditCheckpointSurvivesAKillWithinTheMinute() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        try await live.push(seq: 1) { ($0.auditEpoch, $0.auditSeq, $0.auditHead) = (1, 500, "head") }
        let next = try await live.again()
        for turn in 2...5 {
            await next.wait(30)
            try await next.push(seq: Int64(turn)) { ($0.auditEpoch, $0.auditSeq, $0.auditHead) = (1, 499, "older") }
        }
        await next.wait(1)
        #expect(next.notified.lines == ["opened tokyo/audit-chain sev1"])
    }

    @Test func silencesAndMaintenanceSurviveAKill() async throws {
        let live = try await LiveWatch(["tokyo", "seoul"])
        defer { live.remove() }
        try await live.push("tokyo")
        try await live.push("seoul")
        _ = try await live.watch.silence(node: "tokyo", rule: nil, by: "soc", reason: "known", for: 3_600_000)
        _ = try await live.watch.beginMaintenance(nodes: ["seoul"], by: "soc", reason: "deploy", for: 3_600_000)
        let next = try await live.again()
        await next.wait(600)
        #expect(next.notified.lines.isEmpty == false || next.watch.fleet().incidents.first?.inhibitedBy != nil)
        #expect(next.watch.fleet().incidents.map(\.key) == ["tokyo/silent"])
        #expect(next.watch.fleet().incidents.first?.inhibitedBy?.hasPrefix("silence/") == true)
        #expect(next.watch.node("seoul")?.state == .maintenance)
    }

    @Test func aClockThatIsBehindRevivesNoMaintenance() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        try await live.push()
        _ = try await live.watch.beginMaintenance(nodes: [], by: "soc", reason: "deploy", for: 60_000)
        _ = try await live.watch.silence(node: nil, rule: nil, by: "soc", reason: "deploy", for: 60_000)
        await live.wait(90)
        try await live.push()
        live.clock.set(back: 3_600)
        let next = try await live.again()
        #expect(next.watch.fleet().maintenanceWindows.isEmpty)
        #expect(next.watch.fleet().silences.isEmpty)
    }

    @Test func anAcceptanceLastsWhileTheNodeIsSilent() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        try await live.push(seq: 1) { ($0.auditEpoch, $0.auditSeq, $0.auditHead) = (1, 500, "head") }
        await live.wait(90)
        try await live.push(seq: 2) { ($0.auditEpoch, $0.auditSeq, $0.auditHead) = (1, 400, "older") }
        await live.wait(1)
        let incident = try #require(live.watch.fleet().incidents.first { $0.rule == "audit-chain" })
        await live.wait(60)
        try await live.watch.accept(incident.id)
        let next = try await live.again()
        await next.wait(90)
        try await next.push(seq: 3) { ($0.auditEpoch, $0.auditSeq, $0.auditHead) = (1, 401, "its next") }
        await next.wait(1)
        #expect(next.watch.fleet().incidents.filter { $0.rule == "audit-chain" } == [])
    }

    @Test func flappingSurvivesAKill() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        try await live.push()
        for _ in 0..<4 {
            await live.wait(90)
            for _ in 0..<3 {
                try await live.push()
                await live.wait(20)
            }
        }
        let next = try await live.again()
        await next.wait(70)
        for _ in 0..<2 {
            try await next.push()
            await next.wait(20)
        }
        await next.wait(90)
        #expect(next.watch.fleet().incidents.map(\.key).contains("tokyo/silent/flapping"))
    }

    @Test func anEarlierBootStaysAReplayAfterAKill() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        try await live.push(seq: 5)
        live.clock.advance(1)
        try await live.push(seq: 1) { $0.bootID = "another start" }
        let next = try await live.again()
        await #expect(throws: PushRejection.replayed) { try await next.push(seq: 6) }
    }
}
