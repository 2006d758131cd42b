import Fleet
import Foundation
import Testing

/// Nodes in the inventory that have no machine yet.
@Suite struct NewNodeTests {
    private var policy = FailoverPolicy()
    private var now: Int64 = 1_700_000_000_000
    private static let empty = HealthObservation(monitor: .neverSeen, probe: .unreachable("no route"))

    private mutating func evaluate(_ observations: [String: HealthObservation], floor: Int = 1) -> [FailoverPolicy
        .Decision]
    {
        now += 5_000
        let members = observations.keys.sorted().map { FailoverPolicy.Member(name: $0, region: "r") }
        return policy.evaluate(observations, of: members, rules: .init(floor: floor), at: now)
    }

    private static let old = ["n1": HealthObservation.healthy, "n2": .healthy, "n3": .healthy, "n4": .healthy]

    @Test mutating func aNodeWithoutAMachineIsNotAMember() throws {
        _ = evaluate(Self.old)
        let with = { (observation: HealthObservation) in Self.old.merging(["n5": observation]) { $1 } }
        #expect(evaluate(with(Self.empty)) == [.await("n5")])
        #expect(Array(policy.withdrawn.keys) == ["n5"])
        // Partial observations and a restart of the watch change nothing.
        policy = try JSONDecoder().decode(FailoverPolicy.self, from: try JSONEncoder().encode(policy))
        for observation in [
            HealthObservation(monitor: .unknown, probe: .ready), HealthObservation(monitor: .silent(70), probe: .ready),
            HealthObservation(monitor: .unhealthy("disk 81 % full"), probe: .notReady(503)),
        ] {
            #expect(evaluate(with(observation)) == [])
        }
        #expect(evaluate(with(.healthy)) == [.restore("n5", .firstHealthy)])
        #expect(policy.withdrawn.isEmpty)
        // From now on the node is treated as the others.
        #expect(evaluate(with(Self.empty)) == [])
        #expect(policy.withdrawn.isEmpty)
    }

    @Test mutating func aNewNodeDoesNotCountAsWithdrawn() {
        _ = evaluate(Self.old)
        let new = ["n5": Self.empty, "n6": Self.empty]
        var unhealthy = Self.old.merging(new) { $1 }
        _ = evaluate(unhealthy)
        (unhealthy["n1"], unhealthy["n2"]) = (.unreachable, .unreachable)
        #expect(evaluate(unhealthy).map(\.kind) == ["withdraw", "withdraw"])
        #expect(policy.belowFloor == 2)
        #expect(Set(policy.withdrawn.keys) == ["n1", "n2", "n5", "n6"])
    }

    /// An evaluation without observations must not restore a node.
    @Test mutating func anEvaluationWithoutObservationsRestoresNothing() {
        _ = evaluate(Self.old)
        _ = evaluate(Self.old.merging(["n5": Self.empty]) { $1 })
        let members = ["n1", "n2", "n3", "n4", "n5", "n6"].map { FailoverPolicy.Member(name: $0, region: "r") }
        _ = policy.evaluate([:], of: members, rules: .init(floor: 1), at: now)
        #expect(Set(policy.withdrawn.keys) == ["n5", "n6"])
    }

    @Test mutating func anUnhealthyNodeThatServesIsAMember() {
        _ = evaluate(Self.old)
        _ = evaluate(Self.old.merging(["n5": Self.empty]) { $1 })
        let serving = HealthObservation(monitor: .unhealthy("disk 81 % full"), probe: .ready)
        #expect(evaluate(Self.old.merging(["n5": serving]) { $1 }) == [.restore("n5", .firstHealthy)])
    }

    @Test mutating func newNodesCountForTheLimitsOfAnOverride() {
        let with = Self.old.merging(["n5": Self.empty, "n6": Self.empty]) { $1 }
        _ = evaluate(Self.old)
        _ = evaluate(with)
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

    @Test mutating func aNodeSeenAtTheFirstEvaluationIsAMember() {
        #expect(
            evaluate(["n1": .healthy, "n2": .healthy, "n3": .unreachable, "n4": Self.empty]).map(\.kind) == [
                "await", "withdraw",
            ])
    }

    /// The monitor is new, and no heartbeat has arrived.
    @Test mutating func theNameIsNeverEmpty() {
        #expect(evaluate(["n1": Self.empty, "n2": Self.empty]) == [])
        #expect(policy.withdrawn.isEmpty)
    }

    @Test func theFloorIgnoresNodesWithoutAMachine() throws {
        let inventory = try sampleFleet(4, floor: 4)
        #expect(throws: RecordsError.self) { try Records(inventory, withdrawn: ["n4"]) }
        let records = try Records(inventory, withdrawn: ["n4"], belowFloor: 1)
        #expect(records.sets["api.example.org"]?.addresses == addresses(1, 2, 3))
    }
}
