import Fleet
import Foundation
import Testing

@Suite struct FailoverPolicyTests {
    let members = (1...6).map { FailoverPolicy.Member(name: "n\($0)", region: "r\(($0 + 1) / 2)") }
    let rules = FailoverPolicy.Rules(floor: 2)
    var policy = FailoverPolicy()
    var now: Int64 = 1_700_000_000_000

    /// Those not named are well.
    private mutating func see(_ others: [String: HealthObservation], after seconds: Int64 = 5) -> [FailoverPolicy
        .Decision]
    {
        now += seconds * 1_000
        var observations = Dictionary(uniqueKeysWithValues: members.map { ($0.name, HealthObservation.well) })
        observations.merge(others) { $1 }
        return policy.evaluate(observations, of: members, rules: rules, at: now)
    }

    struct Disagreement: CustomTestStringConvertible {
        var testDescription: String
        var observation: HealthObservation
    }

    @Test(arguments: [
        Disagreement(
            testDescription: "only the monitor is deaf",
            observation: HealthObservation(monitor: .silent(400), probe: .ready)),
        Disagreement(
            testDescription: "only we do not reach it",
            observation: HealthObservation(monitor: .healthy, probe: .unreachable("refused"))),
        Disagreement(
            testDescription: "the monitor does not know",
            observation: HealthObservation(monitor: .unknown, probe: .unreachable("refused"))),
        Disagreement(
            testDescription: "it complains, and our line is cut",
            observation: HealthObservation(monitor: .unhealthy("disk full"), probe: .unreachable("refused"))),
        Disagreement(
            testDescription: "it complains and serves",
            observation: HealthObservation(monitor: .unhealthy("disk full"), probe: .ready)),
    ])
    mutating func oneVantagePointIsNotEnough(_ example: Disagreement) {
        for _ in 0..<200 {
            let decisions = see(["n1": example.observation])
            #expect(decisions.allSatisfy { $0.kind == "discrepancy" })
        }
        #expect(policy.withdrawn.isEmpty)
    }

    @Test mutating func whenBothAgreeItLeavesAtOnce() {
        let first = see(["n3": .dead])
        let ill = see(["n5": HealthObservation(monitor: .unhealthy("disk full"), probe: .notReady(503))])
        #expect(first.map(\.node) == ["n3"])
        #expect(ill.map(\.node) == ["n5"])
        #expect(policy.withdrawn.keys.sorted() == ["n3", "n5"])
    }

    @Test mutating func itComesBackAfterAStretchOfHealth() {
        _ = see(["n3": .dead])
        var returned: [Int64] = []
        let left = now
        for _ in 0..<40 where returned.isEmpty {
            if see([:]).contains(.restore("n3", .healthy(seconds: 120))) { returned.append(now - left) }
        }
        #expect(returned == [125_000])
    }

    @Test mutating func aFlappingNodeWaitsLongerEachTimeAndNotForEver() {
        var waits: [Int64] = []
        for _ in 0..<8 {
            _ = see(["n3": .dead])
            let well = now + 5_000
            while policy.withdrawn["n3"] != nil { _ = see([:]) }
            waits.append((now - well) / 1_000)
        }
        #expect(waits == [120, 240, 480, 960, 1_920, 3_600, 3_600, 3_600])
        // After six calm hours it is as if nothing had been.
        for _ in 0..<4_400 { _ = see([:]) }
        _ = see(["n3": .dead])
        let well = now + 5_000
        while policy.withdrawn["n3"] != nil { _ = see([:]) }
        #expect((now - well) / 1_000 == 120)
    }

    @Test mutating func oneBadLookBeginsTheStretchAnew() {
        _ = see(["n3": .dead])
        for _ in 0..<20 { _ = see([:]) }
        _ = see(["n3": HealthObservation(monitor: .unknown, probe: .ready)])
        for _ in 0..<24 { _ = see([:]) }
        #expect(policy.withdrawn["n3"] != nil)
        _ = see([:])
        #expect(policy.withdrawn["n3"] == nil)
    }

    @Test mutating func healthThatNobodySawDoesNotCount() {
        _ = see(["n3": .dead])
        _ = see([:])
        _ = see([:], after: 3_600)
        #expect(policy.withdrawn["n3"] != nil)
    }

    @Test mutating func aClockSetBackLengthensNothing() {
        _ = see(["n3": .dead])
        _ = see([:])
        _ = see([:], after: -86_400)
        for _ in 0..<23 { _ = see([:]) }
        #expect(policy.withdrawn["n3"] != nil)
        _ = see([:])
        #expect(policy.withdrawn["n3"] == nil)
    }

    @Test mutating func atMostHalfLeaveAndTheRestIsNamedOnce() {
        let all = Dictionary(uniqueKeysWithValues: (1...4).map { ("n\($0)", HealthObservation.dead) })
        let decisions = see(all)
        let again = see(all)
        #expect(decisions.map(\.kind) == ["withdraw", "withdraw", "withdraw", "keep"])
        #expect(again.isEmpty)
        #expect(decisions.last?.description.contains("stays in the nearest name although it is unhealthy") == true)
    }

    @Test mutating func thePlaceOfWhoeverReturnsIsTakenByTheNext() {
        let all = Dictionary(uniqueKeysWithValues: (1...4).map { ("n\($0)", HealthObservation.dead) })
        _ = see(all)
        var decisions: [FailoverPolicy.Decision] = []
        for _ in 0..<25 { decisions += see(["n2": .dead, "n3": .dead, "n4": .dead]) }
        #expect(decisions.map(\.node) == ["n1", "n4"])
        #expect(decisions.map(\.kind) == ["put-back", "withdraw"])
    }

    @Test(arguments: [5, 6]) mutating func whoeverHearsNobodyOrOneDoubtsItself(_ deaf: Int) {
        // The one may be the machine on which the watch runs.
        let all = Dictionary(uniqueKeysWithValues: (1...deaf).map { ("n\($0)", HealthObservation.dead) })
        #expect(see(all).isEmpty)
        #expect(!see(all.filter { $0.key < "n5" }).isEmpty)
    }

    @Test mutating func whoIsWellGivesItsPlaceOutsideToWhoIsIll() {
        let dead = { (names: [String]) in Dictionary(uniqueKeysWithValues: names.map { ($0, HealthObservation.dead) }) }
        _ = see(dead(["n1", "n2", "n3"]))
        let decisions = see(dead(["n4", "n5"]))
        #expect(
            decisions == [
                .restore("n1", .replacement(for: "n4", seconds: 0)),
                .withdraw("n4", because: decisions.reason, lastOf: "r2"),
                .restore("n2", .replacement(for: "n5", seconds: 0)),
                .withdraw("n5", because: decisions.reason, lastOf: nil),
            ])
        #expect(policy.withdrawn.keys.sorted() == ["n3", "n4", "n5"])
        // Who came back before its time and falls again waits twice as long.
        for _ in 0..<25 { _ = see(dead(["n4", "n5"])) }
        _ = see(dead(["n1", "n4", "n5"]))
        for _ in 0..<40 { _ = see(dead(["n4", "n5"])) }
        #expect(policy.withdrawn.keys.contains("n1"))
    }

    @Test func healthBetweenTwoRareLooksCounts() {
        var (policy, now) = (FailoverPolicy(), now)
        let rules = FailoverPolicy.Rules(floor: 2, interval: 300)
        var observations = Dictionary(uniqueKeysWithValues: members.map { ($0.name, HealthObservation.well) })
        observations["n3"] = .dead
        _ = policy.evaluate(observations, of: members, rules: rules, at: now)
        observations["n3"] = .well
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
    mutating func whatIsOddForLongIsToldOnce(_ odd: HealthObservation) {
        var told: [FailoverPolicy.Decision] = []
        for _ in 0..<60 { told += see(["n2": odd]) }
        #expect(told.isEmpty)
        for _ in 0..<60 { told += see(["n2": odd]) }
        #expect(told.map(\.kind) == ["discrepancy"])
        #expect(told.first?.description.contains("\(odd.monitor), and \(odd.probe)") == true)
        #expect(policy.withdrawn.isEmpty)
    }

    @Test mutating func aCertificateThatNobodyBelievesIsAnIllnessOfItsOwnTelling() {
        let decisions = see([
            "n3": HealthObservation(monitor: .unhealthy("certificate expired"), probe: .badCertificate("not trusted"))
        ])
        #expect(decisions.map(\.kind) == ["withdraw"])
    }

    @Test mutating func theLastOfARegionIsSaidInWords() {
        let first = see(["n3": .dead])
        let second = see(["n3": .dead, "n4": .dead])
        #expect(first.first?.description.contains("the last of") == false)
        #expect(second.first?.description.contains("It was the last of r2") == true)
        #expect(second.first?.description.contains("the vaults on its nodes cannot be reached") == true)
    }

    @Test mutating func aShrunkenFleetTakesBackWhoeverIsOutLongest() {
        _ = see(["n4": .dead])
        _ = see(["n4": .dead, "n1": .dead])
        let decisions = policy.evaluate(
            ["n1": .dead, "n2": .well, "n4": .dead], of: members.filter { ["n1", "n2", "n4"].contains($0.name) },
            rules: rules, at: now + 5_000)
        #expect(decisions.first == .restore("n4", .limits))
        #expect(policy.withdrawn.keys.sorted() == ["n1"])
    }

    @Test mutating func itSurvivesBeingWrittenDown() throws {
        _ = see(["n3": .dead])
        for _ in 0..<10 { _ = see([:]) }
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
