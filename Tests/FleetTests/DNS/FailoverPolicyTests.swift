import Fleet
import Foundation
import Testing

@Suite struct FailoverPolicyTests {
    let members = (1...6).map { FailoverPolicy.Member(name: "n\($0)", region: "r\(($0 + 1) / 2)") }
    let rules = FailoverPolicy.Rules(floor: 2)
    var policy = FailoverPolicy()
    var now: Int64 = 1_700_000_000_000

    /// Nodes that are not named are healthy.
    private mutating func evaluate(_ others: [String: HealthObservation], after seconds: Int64 = 5) -> [FailoverPolicy
        .Decision]
    {
        now += seconds * 1_000
        var observations = Dictionary(uniqueKeysWithValues: members.map { ($0.name, HealthObservation.healthy) })
        observations.merge(others) { $1 }
        return policy.evaluate(observations, of: members, rules: rules, at: now)
    }

    struct Disagreement: CustomTestStringConvertible {
        var testDescription: String
        var observation: HealthObservation
    }

    @Test(arguments: [
        Disagreement(
            testDescription: "only the monitor does not hear it",
            observation: HealthObservation(monitor: .silent(400), probe: .ready)),
        Disagreement(
            testDescription: "only the watch does not reach it",
            observation: HealthObservation(monitor: .healthy, probe: .unreachable("refused"))),
        Disagreement(
            testDescription: "the monitor does not know its state",
            observation: HealthObservation(monitor: .unknown, probe: .unreachable("refused"))),
        Disagreement(
            testDescription: "it is unhealthy, and the watch does not reach it",
            observation: HealthObservation(monitor: .unhealthy("disk full"), probe: .unreachable("refused"))),
        Disagreement(
            testDescription: "it is unhealthy and serves",
            observation: HealthObservation(monitor: .unhealthy("disk full"), probe: .ready)),
    ])
    mutating func oneVantagePointIsNotEnough(_ example: Disagreement) {
        for _ in 0..<200 {
            let decisions = evaluate(["n1": example.observation])
            #expect(decisions.allSatisfy { $0.kind == "discrepancy" })
        }
        #expect(policy.withdrawn.isEmpty)
    }

    @Test mutating func aNodeIsWithdrawnWhenBothVantagePointsAgree() {
        let first = evaluate(["n3": .unreachable])
        let unhealthy = evaluate(["n5": HealthObservation(monitor: .unhealthy("disk full"), probe: .notReady(503))])
        #expect(first.map(\.node) == ["n3"])
        #expect(unhealthy.map(\.node) == ["n5"])
        #expect(policy.withdrawn.keys.sorted() == ["n3", "n5"])
    }

    @Test mutating func aNodeIsRestoredAfterTheHoldDown() {
        _ = evaluate(["n3": .unreachable])
        var returned: [Int64] = []
        let left = now
        for _ in 0..<40 where returned.isEmpty {
            if evaluate([:]).contains(.restore("n3", .healthy(seconds: 120))) { returned.append(now - left) }
        }
        #expect(returned == [125_000])
    }

    @Test mutating func relapsesLengthenTheHoldDownUpToALimit() {
        var waits: [Int64] = []
        for _ in 0..<8 {
            _ = evaluate(["n3": .unreachable])
            let healthySince = now + 5_000
            while policy.withdrawn["n3"] != nil { _ = evaluate([:]) }
            waits.append((now - healthySince) / 1_000)
        }
        #expect(waits == [120, 240, 480, 960, 1_920, 3_600, 3_600, 3_600])
        // After six hours of health the relapses are forgotten.
        for _ in 0..<4_400 { _ = evaluate([:]) }
        _ = evaluate(["n3": .unreachable])
        let healthySince = now + 5_000
        while policy.withdrawn["n3"] != nil { _ = evaluate([:]) }
        #expect((now - healthySince) / 1_000 == 120)
    }

    @Test mutating func oneFailedObservationRestartsTheHoldDown() {
        _ = evaluate(["n3": .unreachable])
        for _ in 0..<20 { _ = evaluate([:]) }
        _ = evaluate(["n3": HealthObservation(monitor: .unknown, probe: .ready)])
        for _ in 0..<24 { _ = evaluate([:]) }
        #expect(policy.withdrawn["n3"] != nil)
        _ = evaluate([:])
        #expect(policy.withdrawn["n3"] == nil)
    }

    @Test mutating func unobservedHealthDoesNotCount() {
        _ = evaluate(["n3": .unreachable])
        _ = evaluate([:])
        _ = evaluate([:], after: 3_600)
        #expect(policy.withdrawn["n3"] != nil)
    }

    @Test mutating func aClockSetBackDoesNotLengthenTheHoldDown() {
        _ = evaluate(["n3": .unreachable])
        _ = evaluate([:])
        _ = evaluate([:], after: -86_400)
        for _ in 0..<23 { _ = evaluate([:]) }
        #expect(policy.withdrawn["n3"] != nil)
        _ = evaluate([:])
        #expect(policy.withdrawn["n3"] == nil)
    }

    @Test mutating func atMostHalfAreWithdrawnAndTheRestIsReportedOnce() {
        let all = Dictionary(uniqueKeysWithValues: (1...4).map { ("n\($0)", HealthObservation.unreachable) })
        let decisions = evaluate(all)
        let again = evaluate(all)
        #expect(decisions.map(\.kind) == ["withdraw", "withdraw", "withdraw", "keep"])
        #expect(again.isEmpty)
        #expect(decisions.last?.description.contains("stays in the nearest name although it is unhealthy") == true)
    }

    @Test mutating func aRestoredNodeMakesRoomForTheNextWithdrawal() {
        let all = Dictionary(uniqueKeysWithValues: (1...4).map { ("n\($0)", HealthObservation.unreachable) })
        _ = evaluate(all)
        var decisions: [FailoverPolicy.Decision] = []
        for _ in 0..<25 { decisions += evaluate(["n2": .unreachable, "n3": .unreachable, "n4": .unreachable]) }
        #expect(decisions.map(\.node) == ["n1", "n4"])
        #expect(decisions.map(\.kind) == ["put-back", "withdraw"])
    }

    @Test(arguments: [5, 6]) mutating func nothingIsWithdrawnWhenAtMostOneNodeIsReached(_ unreachable: Int) {
        // The one node may be the watch's own machine.
        let all = Dictionary(uniqueKeysWithValues: (1...unreachable).map { ("n\($0)", HealthObservation.unreachable) })
        #expect(evaluate(all).isEmpty)
        #expect(!evaluate(all.filter { $0.key < "n5" }).isEmpty)
    }

    @Test mutating func anUnhealthyMemberReplacesAHealthyWithdrawnNode() {
        let dead = { (names: [String]) in
            Dictionary(uniqueKeysWithValues: names.map { ($0, HealthObservation.unreachable) })
        }
        _ = evaluate(dead(["n1", "n2", "n3"]))
        let decisions = evaluate(dead(["n4", "n5"]))
        #expect(
            decisions == [
                .restore("n1", .replacement(for: "n4", seconds: 0)),
                .withdraw("n4", because: decisions.reason, lastOf: "r2"),
                .restore("n2", .replacement(for: "n5", seconds: 0)),
                .withdraw("n5", because: decisions.reason, lastOf: nil),
            ])
        #expect(policy.withdrawn.keys.sorted() == ["n3", "n4", "n5"])
        // A node that was restored early and fails again waits twice as long.
        for _ in 0..<25 { _ = evaluate(dead(["n4", "n5"])) }
        _ = evaluate(dead(["n1", "n4", "n5"]))
        for _ in 0..<40 { _ = evaluate(dead(["n4", "n5"])) }
        #expect(policy.withdrawn.keys.contains("n1"))
    }

    @Test func healthBetweenRareEvaluationsCounts() {
        var (policy, now) = (FailoverPolicy(), now)
        let rules = FailoverPolicy.Rules(floor: 2, interval: 300)
        var observations = Dictionary(uniqueKeysWithValues: members.map { ($0.name, HealthObservation.healthy) })
        observations["n3"] = .unreachable
        _ = policy.evaluate(observations, of: members, rules: rules, at: now)
        observations["n3"] = .healthy
        for _ in 0..<2 {
            now += 310_000
            _ = policy.evaluate(observations, of: members, rules: rules, at: now)
        }
        #expect(policy.withdrawn.isEmpty)
    }

    @Test(arguments: [
        HealthObservation(monitor: .healthy, probe: .unreachable("refused")),
        HealthObservation(monitor: .neverSeen, probe: .ready),
        HealthObservation(monitor: .healthy, probe: .badCertificate("it is not trusted")),
    ])
    mutating func aLastingDiscrepancyIsReportedOnce(_ odd: HealthObservation) {
        var reported: [FailoverPolicy.Decision] = []
        for _ in 0..<60 { reported += evaluate(["n2": odd]) }
        #expect(reported.isEmpty)
        for _ in 0..<60 { reported += evaluate(["n2": odd]) }
        #expect(reported.map(\.kind) == ["discrepancy"])
        #expect(reported.first?.description.contains("\(odd.monitor), and \(odd.probe)") == true)
        #expect(policy.withdrawn.isEmpty)
    }

    @Test mutating func anUntrustedCertificateConfirmsAnUnhealthyReport() {
        let decisions = evaluate([
            "n3": HealthObservation(monitor: .unhealthy("certificate expired"), probe: .badCertificate("not trusted"))
        ])
        #expect(decisions.map(\.kind) == ["withdraw"])
    }

    @Test mutating func theLastNodeOfARegionIsReported() {
        let first = evaluate(["n3": .unreachable])
        let second = evaluate(["n3": .unreachable, "n4": .unreachable])
        #expect(first.first?.description.contains("the last of") == false)
        #expect(second.first?.description.contains("It was the last of r2") == true)
        #expect(second.first?.description.contains("the vaults on its nodes cannot be reached") == true)
    }

    @Test mutating func aSmallerFleetRestoresTheLongestWithdrawnNode() {
        _ = evaluate(["n4": .unreachable])
        _ = evaluate(["n4": .unreachable, "n1": .unreachable])
        let decisions = policy.evaluate(
            ["n1": .unreachable, "n2": .healthy, "n4": .unreachable],
            of: members.filter { ["n1", "n2", "n4"].contains($0.name) },
            rules: rules, at: now + 5_000)
        #expect(decisions.first == .restore("n4", .limits))
        #expect(policy.withdrawn.keys.sorted() == ["n1"])
    }

    @Test mutating func itSurvivesBeingWrittenDown() throws {
        _ = evaluate(["n3": .unreachable])
        for _ in 0..<10 { _ = evaluate([:]) }
        let copy = try JSONDecoder().decode(FailoverPolicy.self, from: try JSONEncoder().encode(policy))
        #expect(copy == policy)
    }
}

extension [FailoverPolicy.Decision] {
    fileprivate var reason: String {
        for case .withdraw(_, let reason, _) in self { return reason }
        return ""
    }
}
