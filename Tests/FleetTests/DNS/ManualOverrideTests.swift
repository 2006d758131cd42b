import Fleet
import Foundation
import Testing

@Suite struct ManualOverrideTests {
    var members = (1...6).map { FailoverPolicy.Member(name: "n\($0)", region: "r\(($0 + 1) / 2)") }
    let rules = FailoverPolicy.Rules(floor: 2)
    var policy = FailoverPolicy()
    var now: Int64 = 1_700_000_000_000

    /// Those not named are well.
    private mutating func see(_ others: [String: HealthObservation] = [:]) -> [FailoverPolicy.Decision] {
        now += 5_000
        let observations = Dictionary(uniqueKeysWithValues: members.map { ($0.name, HealthObservation.well) })
        return policy.evaluate(observations.merging(others) { $1 }, of: members, rules: rules, at: now)
    }

    private mutating func take(_ number: Int, seconds: Int64? = nil, isBelowFloor: Bool = false) -> ManualOverride {
        let hand = ManualOverride(
            by: "ana@soc", at: now, until: seconds.map { now + $0 * 1_000 }, isBelowFloor: isBelowFloor)
        members[number - 1].manualOverride = hand
        return hand
    }

    private var out: [String] { policy.withdrawn.keys.sorted() }

    @Test mutating func howeverHealthyItIsOutUntilItIsRestored() {
        let hand = take(3)
        let first = see()
        #expect(first == [.withdraw("n3", because: "\(hand)", lastOf: nil)])
        #expect(first.first?.description.contains("by manual override of ana@soc") == true)
        for _ in 0..<100 { #expect(see().isEmpty) }
        #expect(policy.withdrawn["n3"] == "\(hand)")
        members[2].manualOverride = nil
        #expect(see() == [.restore("n3", .overrideEnded)])
        #expect(out.isEmpty)
    }

    @Test mutating func aSecondWordSaysWhatItChanges() throws {
        let first = take(3, seconds: 3_600)
        now += 5_000
        let second = take(3)
        #expect(second.change(from: nil, of: "n3") == nil)
        let told = try #require(second.change(from: first, of: "n3"))
        #expect(told == "n3 was withdrawn already, \(first). It is withdrawn now \(second).")
        #expect(told.contains("until it is restored"))
    }

    @Test mutating func itEndsWithItsTime() {
        _ = take(3, seconds: 60)
        _ = see()
        for _ in 0..<10 { #expect(see().isEmpty) }
        #expect(see() == [.restore("n3", .overrideEnded)])
    }

    @Test mutating func whoIsIllMeanwhileStaysOutAndHealsOutside() {
        _ = see(["n3": .dead])
        _ = take(3)
        #expect(see(["n3": .dead]).isEmpty)
        for _ in 0..<30 { #expect(see().isEmpty) }
        #expect(out == ["n3"])
        members[2].manualOverride = nil
        #expect(see() == [.restore("n3", .overrideEnded)])
        _ = take(4)
        _ = see()
        members[3].manualOverride = nil
        #expect(see(["n4": .dead]).map(\.kind) == ["put-back", "withdraw"])
    }

    @Test mutating func itCountsForTheLimitsAndNobodyGivesItsPlace() {
        _ = take(1)
        let decisions = see(["n2": .dead, "n3": .dead, "n4": .dead])
        #expect(decisions.map(\.kind) == ["withdraw", "withdraw", "withdraw", "keep"])
        #expect(out == ["n1", "n2", "n3"])
        // n1 looks well and is not to be had for it.
        #expect(see(["n2": .dead, "n3": .dead, "n4": .dead]).isEmpty)
    }

    @Test mutating func belowTheFloorItIsOutBesides() {
        _ = see(["n1": .dead, "n2": .dead, "n3": .dead])
        _ = take(4, isBelowFloor: true)
        _ = see(["n1": .dead, "n2": .dead, "n3": .dead])
        #expect(out == ["n1", "n2", "n3", "n4"])
        _ = take(5, isBelowFloor: true)
        _ = take(6, isBelowFloor: true)
        _ = see(["n1": .dead, "n2": .dead, "n3": .dead])
        #expect(out.count < 6, "somebody stays")
    }

    @Test mutating func aFleetThatShrinksTakesItBack() {
        _ = take(1)
        now += 1
        _ = take(2)
        _ = see()
        members.removeLast(3)
        #expect(see() == [.restore("n2", .limits)])
        #expect(out == ["n1"])
    }

    @Test mutating func whatWouldLeaveTooFewIsRefused() throws {
        _ = see(["n1": .dead, "n2": .dead, "n3": .dead])
        var hand = ManualOverride(by: "ana@soc", at: now)
        try policy.validate(hand, for: "n1", of: members, rules: rules)
        #expect(throws: ManualOverrideError.tooFew("n4")) {
            try policy.validate(hand, for: "n4", of: members, rules: rules)
        }
        hand.isBelowFloor = true
        try policy.validate(hand, for: "n4", of: members, rules: rules)
        for number in 4...5 {
            _ = take(number, isBelowFloor: true)
            _ = see(["n1": .dead, "n2": .dead, "n3": .dead])
        }
        #expect(throws: ManualOverrideError.last("n6")) {
            try policy.validate(hand, for: "n6", of: members, rules: rules)
        }
    }

    @Test mutating func itSurvivesBeingWrittenDownAndOldFilesAreRead() throws {
        _ = take(2, seconds: 60)
        _ = see()
        let copy = try JSONDecoder().decode(FailoverPolicy.self, from: try JSONEncoder().encode(policy))
        #expect(copy == policy)
        #expect(!copy.isSame(as: FailoverPolicy()))
        let old = try JSONDecoder().decode(
            FailoverPolicy.self,
            from: Data(#"{"last":1,"stays":{"n1":{"out":1,"reason":"x","withdrawals":1,"isKept":false}}}"#.utf8))
        #expect(old.withdrawn == ["n1": "x"])
    }
}
