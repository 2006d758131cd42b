import Fleet
import Foundation
import Testing

/// `fleet add` comes long before there is a machine, and a watch reads the inventory at each look.
@Suite struct NewcomerTests {
    private var policy = FailoverPolicy()
    private var now: Int64 = 1_700_000_000_000
    private static let empty = HealthObservation(monitor: .neverSeen, probe: .unreachable("no route"))

    private mutating func see(_ observations: [String: HealthObservation], floor: Int = 1) -> [FailoverPolicy.Decision]
    {
        now += 5_000
        let members = observations.keys.sorted().map { FailoverPolicy.Member(name: $0, region: "r") }
        return policy.evaluate(observations, of: members, rules: .init(floor: floor), at: now)
    }

    private static let old = ["n1": HealthObservation.well, "n2": .well, "n3": .well, "n4": .well]

    @Test mutating func aNodeThatIsNotThereYetIsNotInTheName() throws {
        _ = see(Self.old)
        let with = { (observation: HealthObservation) in Self.old.merging(["n5": observation]) { $1 } }
        #expect(see(with(Self.empty)) == [.await("n5")])
        #expect(Array(policy.withdrawn.keys) == ["n5"])
        // It may be half of what is known of it, and the watch may begin anew.
        policy = try JSONDecoder().decode(FailoverPolicy.self, from: try JSONEncoder().encode(policy))
        for observation in [
            HealthObservation(monitor: .unknown, probe: .ready), HealthObservation(monitor: .silent(70), probe: .ready),
            HealthObservation(monitor: .unhealthy("disk 81 % full"), probe: .notReady(503)),
        ] {
            #expect(see(with(observation)) == [])
        }
        #expect(see(with(.well)) == [.restore("n5", .firstHealthy)])
        #expect(policy.withdrawn.isEmpty)
        // From now on it is as the others.
        #expect(see(with(Self.empty)) == [])
        #expect(policy.withdrawn.isEmpty)
    }

    @Test mutating func itTakesNobodysPlaceOutside() {
        _ = see(Self.old)
        let new = ["n5": Self.empty, "n6": Self.empty]
        var ill = Self.old.merging(new) { $1 }
        _ = see(ill)
        (ill["n1"], ill["n2"]) = (.dead, .dead)
        #expect(see(ill).map(\.kind) == ["withdraw", "withdraw"])
        #expect(policy.belowFloor == 2)
        #expect(Set(policy.withdrawn.keys) == ["n1", "n2", "n5", "n6"])
    }

    /// Who asks for room without having looked finds it as it is.
    @Test mutating func whoLooksAtNothingMakesNobodyWell() {
        _ = see(Self.old)
        _ = see(Self.old.merging(["n5": Self.empty]) { $1 })
        let members = ["n1", "n2", "n3", "n4", "n5", "n6"].map { FailoverPolicy.Member(name: $0, region: "r") }
        _ = policy.evaluate([:], of: members, rules: .init(floor: 1), at: now)
        #expect(Set(policy.withdrawn.keys) == ["n5", "n6"])
    }

    @Test mutating func whoComplainsAndServesIsThere() {
        _ = see(Self.old)
        _ = see(Self.old.merging(["n5": Self.empty]) { $1 })
        let complaining = HealthObservation(monitor: .unhealthy("disk 81 % full"), probe: .ready)
        #expect(see(Self.old.merging(["n5": complaining]) { $1 }) == [.restore("n5", .firstHealthy)])
    }

    @Test mutating func theyLeaveNoRoomForAPersonsWord() {
        let with = Self.old.merging(["n5": Self.empty, "n6": Self.empty]) { $1 }
        _ = see(Self.old)
        _ = see(with)
        var members = with.keys.sorted().map { FailoverPolicy.Member(name: $0, region: "r") }
        for name in ["n1", "n2"] {
            let index = members.firstIndex { $0.name == name } ?? 0
            members[index].manualOverride = ManualOverride(by: "ana", at: now)
        }
        _ = policy.evaluate(with, of: members, rules: .init(floor: 1), at: now)
        #expect(throws: ManualOverrideError.tooFew("n3")) {
            try policy.validate(ManualOverride(by: "ana", at: now), for: "n3", of: members, rules: .init(floor: 1))
        }
    }

    @Test mutating func whoWasThereAtTheFirstLookIsAMember() {
        #expect(see(["n1": .well, "n2": .well, "n3": .dead, "n4": Self.empty]).map(\.kind) == ["await", "withdraw"])
    }

    /// The monitor is new, too, and no node has beaten yet.
    @Test mutating func somebodyAlwaysAnswers() {
        #expect(see(["n1": Self.empty, "n2": Self.empty]) == [])
        #expect(policy.withdrawn.isEmpty)
    }

    @Test func whoIsAwaitedIsNotMissedByTheFloor() throws {
        let inventory = try sampleFleet(4, floor: 4)
        #expect(throws: RecordsError.self) { try Records(inventory, withdrawn: ["n4"]) }
        let records = try Records(inventory, withdrawn: ["n4"], belowFloor: 1)
        #expect(records.sets["api.example.org"]?.addresses == addresses(1, 2, 3))
    }
}
