import Fleet
import Foundation
import Testing

@Suite struct ManualOverrideTests {
    var members = (1...6).map { FailoverPolicy.Member(name: "n\($0)", region: "r\(($0 + 1) / 2)") }
    let rules = FailoverPolicy.Rules(floor: 2)
    var policy = FailoverPolicy()
    var now: Int64 = 1_700_000_000_000

    /// Nodes that are not named are healthy.
    private mutating func evaluate(_ others: [String: HealthObservation] = [:]) -> [FailoverPolicy.Decision] {
        now += 5_000
        let observations = Dictionary(uniqueKeysWithValues: members.map { ($0.name, HealthObservation.healthy) })
        return policy.evaluate(observations.merging(others) { $1 }, of: members, rules: rules, at: now)
    }

    private mutating func override(_ number: Int, seconds: Int64? = nil, isBelowFloor: Bool = false) -> ManualOverride {
        let hand = ManualOverride(
            by: "ana@soc", at: now, until: seconds.map { now + $0 * 1_000 }, isBelowFloor: isBelowFloor)
        members[number - 1].manualOverride = hand
        return hand
    }

    private var out: [String] { policy.withdrawn.keys.sorted() }

    @Test mutating func anOverriddenNodeStaysWithdrawnUntilItIsRestored() {
        let hand = override(3)
        let first = evaluate()
        #expect(first == [.withdraw("n3", because: "\(hand)", lastOf: nil)])
        #expect(first.first?.description.contains("by manual override of ana@soc") == true)
        for _ in 0..<100 { #expect(evaluate().isEmpty) }
        #expect(policy.withdrawn["n3"] == "\(hand)")
        members[2].manualOverride = nil
        #expect(evaluate() == [.restore("n3", .overrideEnded)])
        #expect(out.isEmpty)
    }

    @Test mutating func aSecondOverrideDescribesTheChange() throws {
        let first = override(3, seconds: 3_600)
        now += 5_000
        let second = override(3)
        #expect(second.change(from: nil, of: "n3") == nil)
        let reported = try #require(second.change(from: first, of: "n3"))
        #expect(reported == "n3 was withdrawn already, \(first). It is withdrawn now \(second).")
        #expect(reported.contains("until it is restored"))
    }

    @Test mutating func anOverrideExpires() {
        _ = override(3, seconds: 60)
        _ = evaluate()
        for _ in 0..<10 { #expect(evaluate().isEmpty) }
        #expect(evaluate() == [.restore("n3", .overrideEnded)])
    }

    @Test mutating func anOverrideDoesNotInterruptTheHoldDown() {
        _ = evaluate(["n3": .unreachable])
        _ = override(3)
        #expect(evaluate(["n3": .unreachable]).isEmpty)
        for _ in 0..<30 { #expect(evaluate().isEmpty) }
        #expect(out == ["n3"])
        members[2].manualOverride = nil
        #expect(evaluate() == [.restore("n3", .overrideEnded)])
        _ = override(4)
        _ = evaluate()
        members[3].manualOverride = nil
        #expect(evaluate(["n4": .unreachable]).map(\.kind) == ["put-back", "withdraw"])
    }

    @Test mutating func anOverrideCountsForTheLimits() {
        _ = override(1)
        let decisions = evaluate(["n2": .unreachable, "n3": .unreachable, "n4": .unreachable])
        #expect(decisions.map(\.kind) == ["withdraw", "withdraw", "withdraw", "keep"])
        #expect(out == ["n1", "n2", "n3"])
        // n1 is healthy, but its override keeps it withdrawn.
        #expect(evaluate(["n2": .unreachable, "n3": .unreachable, "n4": .unreachable]).isEmpty)
    }

    @Test mutating func anOverrideBelowTheFloorIsAdditional() {
        _ = evaluate(["n1": .unreachable, "n2": .unreachable, "n3": .unreachable])
        _ = override(4, isBelowFloor: true)
        _ = evaluate(["n1": .unreachable, "n2": .unreachable, "n3": .unreachable])
        #expect(out == ["n1", "n2", "n3", "n4"])
        _ = override(5, isBelowFloor: true)
        _ = override(6, isBelowFloor: true)
        _ = evaluate(["n1": .unreachable, "n2": .unreachable, "n3": .unreachable])
        #expect(out.count < 6, "the name is never empty")
    }

    @Test mutating func aSmallerFleetLiftsAnOverride() {
        _ = override(1)
        now += 1
        _ = override(2)
        _ = evaluate()
        members.removeLast(3)
        #expect(evaluate() == [.restore("n2", .limits)])
        #expect(out == ["n1"])
    }

    @Test mutating func anOverrideThatLeavesTooFewIsRejected() throws {
        _ = evaluate(["n1": .unreachable, "n2": .unreachable, "n3": .unreachable])
        var hand = ManualOverride(by: "ana@soc", at: now)
        try policy.validate(hand, for: "n1", of: members, rules: rules)
        #expect(throws: ManualOverrideError.tooFew("n4")) {
            try policy.validate(hand, for: "n4", of: members, rules: rules)
        }
        hand.isBelowFloor = true
        try policy.validate(hand, for: "n4", of: members, rules: rules)
        for number in 4...5 {
            _ = override(number, isBelowFloor: true)
            _ = evaluate(["n1": .unreachable, "n2": .unreachable, "n3": .unreachable])
        }
        #expect(throws: ManualOverrideError.last("n6")) {
            try policy.validate(hand, for: "n6", of: members, rules: rules)
        }
    }

    @Test mutating func overridesArePersistedAndOldFilesAreRead() throws {
        _ = override(2, seconds: 60)
        _ = evaluate()
        let copy = try JSONDecoder().decode(FailoverPolicy.self, from: try JSONEncoder().encode(policy))
        #expect(copy == policy)
        #expect(!copy.isSame(as: FailoverPolicy()))
        let old = try JSONDecoder().decode(
            FailoverPolicy.self,
            from: Data(#"{"last":1,"stays":{"n1":{"out":1,"reason":"x","withdrawals":1,"isKept":false}}}"#.utf8))
        #expect(old.withdrawn == ["n1": "x"])
    }
}
