import Fleet
import Testing

/// Compares the policy, on random histories, with a second implementation that stores all observations and evaluates
/// all of them at each step.
@Suite struct FailoverPolicyModelTests {
    /// The model: stores every evaluation.
    struct Model {
        struct Evaluation {
            var at: Int64
            var observations: [String: HealthObservation]
            var outBefore: Set<String>
        }

        var evaluations: [Evaluation] = []
        var left: [String: [Int64]] = [:]
        var returned: [String: [Int64]] = [:]
        var out: Set<String> = []

        mutating func evaluate(_ observations: [String: HealthObservation], _ rules: FailoverPolicy.Rules, _ now: Int64)
        {
            evaluations.append(Evaluation(at: now, observations: observations, outBefore: out))
            guard Self.reachesNodes(observations) else { return }
            let names = observations.keys.sorted()
            for name in names where out.contains(name) && healthyFor(name, now, rules) >= wait(name, rules) {
                out.remove(name)
                returned[name, default: []].append(now)
            }
            let most = min(names.count - rules.floor, names.count / 2)
            for name in names where !out.contains(name) {
                guard observations[name]?.agreedFailure != nil else { continue }
                let waiting = out.map { (healthyFor($0, now, rules), $0) }.filter { $0.0 >= 0 }
                if out.count >= most, let longest = waiting.map(\.0).max(),
                    let other = waiting.filter({ $0.0 == longest }).min(by: {
                        (since($0.1), $0.1) < (since($1.1), $1.1)
                    })
                {
                    out.remove(other.1)
                    returned[other.1, default: []].append(now)
                }
                guard out.count < most else { continue }
                out.insert(name)
                left[name, default: []].append(now)
            }
        }

        private func since(_ name: String) -> Int64 { left[name]?.last ?? 0 }

        /// At least two responses: a single one could come from the watch's own machine.
        static func reachesNodes(_ observations: [String: HealthObservation]) -> Bool {
            observations.values.count { if case .unreachable = $0.probe { false } else { true } } > 1
        }

        /// Milliseconds of uninterrupted health while withdrawn, -1 for none.
        private func healthyFor(_ name: String, _ now: Int64, _ rules: FailoverPolicy.Rules) -> Int64 {
            var since: Int64?
            var later = now
            for evaluation in evaluations.reversed() {
                guard evaluation.outBefore.contains(name), Self.reachesNodes(evaluation.observations),
                    later - evaluation.at <= rules.maximumGap,
                    evaluation.observations[name] == .healthy
                else { break }
                (since, later) = (evaluation.at, evaluation.at)
            }
            return since.map { now - $0 } ?? -1
        }

        /// Each withdrawal within the relapse window doubles the hold-down.
        private func wait(_ name: String, _ rules: FailoverPolicy.Rules) -> Int64 {
            var hold = rules.holdDown
            let (leaves, returns) = (left[name] ?? [], returned[name] ?? [])
            for (index, leave) in leaves.enumerated() where index > 0 {
                hold =
                    leave - returns[index - 1] < rules.relapseWindow
                    ? min(hold * 2, rules.maximumHoldDown) : rules.holdDown
            }
            return hold
        }
    }

    /// SplitMix64, whose highest bits are random, too: `Int.random(in:)` uses those.
    struct Dice: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var mixed = (state ^ state >> 30) &* 0xbf58_476d_1ce4_e5b9
            mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
            return mixed ^ mixed >> 31
        }
    }

    static func random(_ dice: inout Dice, healthyShare: Int) -> HealthObservation {
        switch Int.random(in: 0..<100, using: &dice) {
        case ..<healthyShare: .healthy
        case ..<(healthyShare + (100 - healthyShare) / 2): .unreachable
        case ..<(healthyShare + (100 - healthyShare) * 3 / 4):
            HealthObservation(monitor: .unhealthy("disk"), probe: .notReady(503))
        case ..<(healthyShare + (100 - healthyShare) * 7 / 8): HealthObservation(monitor: .unknown, probe: .ready)
        case ..<(healthyShare + (100 - healthyShare) * 15 / 16):
            HealthObservation(monitor: .healthy, probe: .unreachable("refused"))
        default: HealthObservation(monitor: .unhealthy("certificate"), probe: .badCertificate("it is not trusted"))
        }
    }

    @Test(arguments: 0..<60) func thePolicyMatchesTheModel(_ seed: UInt64) {
        var dice = Dice(state: seed &* 977 &+ 1)
        let members = (1...Int.random(in: 3...9, using: &dice)).map {
            FailoverPolicy.Member(name: "n\($0)", region: "r\($0 % 3)")
        }
        var rules = FailoverPolicy.Rules(floor: Int.random(in: 1...2, using: &dice))
        rules.holdDown = 20_000
        rules.maximumHoldDown = 90_000
        rules.relapseWindow = 300_000
        rules.maximumGap = 30_000
        let healthyShare = [50, 80, 97, 99].randomElement(using: &dice) ?? 90
        var (machine, model) = (FailoverPolicy(), Model())
        var current = Dictionary(uniqueKeysWithValues: members.map { ($0.name, HealthObservation.healthy) })
        var leftAt: [String: Int64] = [:]
        var now: Int64 = 1_700_000_000_000
        for step in 0..<400 {
            // A node's state lasts for several evaluations.
            for member in members where Int.random(in: 0..<8, using: &dice) == 0 {
                current[member.name] = Self.random(&dice, healthyShare: healthyShare)
            }
            now += Int.random(in: 0..<50, using: &dice) == 0 ? 45_000 : 5_000
            let before = Set(machine.withdrawn.keys)
            let decisions = machine.evaluate(current, of: members, rules: rules, at: now)
            model.evaluate(current, rules, now)
            let out = Set(machine.withdrawn.keys)
            #expect(out == model.out, "seed \(seed), step \(step)")

            // Invariants.
            #expect(members.count - out.count >= rules.floor)
            #expect(out.count * 2 <= members.count)
            for decision in decisions {
                switch decision {
                case .withdraw(let name, _, _):
                    #expect(current[name] != .healthy)
                    leftAt[name] = now
                case .restore(let name, .replacement):
                    #expect(current[name] == .healthy)
                case .restore(let name, _):
                    #expect(now - (leftAt[name] ?? now) >= rules.holdDown)
                case .keep, .discrepancy, .await: break
                }
            }
            let sees = Model.reachesNodes(current)
            // An evaluation without observations changes nothing.
            if !sees || current.values.allSatisfy({ $0.monitor == .unknown }) { #expect(out == before) }
            // No unhealthy node is a member while a healthy one is withdrawn.
            if sees, current.contains(where: { !out.contains($0.key) && $0.value.agreedFailure != nil }) {
                #expect(!current.contains { out.contains($0.key) && $0.value == .healthy })
            }
            let room = min(members.count - rules.floor, members.count / 2) - out.count
            if sees, room > 0 {
                for (name, observation) in current where observation.agreedFailure != nil {
                    #expect(out.contains(name))
                }
            }
            if out != model.out { return }
        }
    }

    /// With random manual overrides.
    @Test(arguments: 0..<30) func manualOverridesTakePrecedence(_ seed: UInt64) {
        var dice = Dice(state: seed &* 389 &+ 7)
        var members = (1...Int.random(in: 3...9, using: &dice)).map {
            FailoverPolicy.Member(name: "n\($0)", region: "r\($0 % 3)")
        }
        var rules = FailoverPolicy.Rules(floor: Int.random(in: 1...2, using: &dice))
        rules.holdDown = 20_000
        var machine = FailoverPolicy()
        var current = Dictionary(uniqueKeysWithValues: members.map { ($0.name, HealthObservation.healthy) })
        var now: Int64 = 1_700_000_000_000
        for step in 0..<300 {
            now += 5_000
            for index in members.indices {
                if Int.random(in: 0..<8, using: &dice) == 0 {
                    current[members[index].name] = Self.random(&dice, healthyShare: 80)
                }
                guard Int.random(in: 0..<40, using: &dice) == 0 else { continue }
                members[index].manualOverride =
                    members[index].manualOverride == nil
                    ? ManualOverride(by: "ana", at: now, isBelowFloor: Int.random(in: 0..<4, using: &dice) == 0) : nil
            }
            _ = machine.evaluate(current, of: members, rules: rules, at: now)
            let out = Set(machine.withdrawn.keys)
            let byHand = members.filter { $0.manualOverride != nil }
            let limit = min(members.count - rules.floor, members.count / 2)
            #expect(out.count < members.count, "seed \(seed), step \(step)")
            #expect(out.count - byHand.count { $0.manualOverride?.isBelowFloor == true } <= limit)
            if byHand.count <= limit { #expect(byHand.allSatisfy { out.contains($0.name) }) }
            // No unhealthy node is a member while a healthy one is withdrawn without an override.
            if Model.reachesNodes(current),
                current.contains(where: { !out.contains($0.key) && $0.value.agreedFailure != nil })
            {
                #expect(
                    !members.contains {
                        $0.manualOverride == nil && out.contains($0.name) && current[$0.name] == .healthy
                    }
                )
            }
        }
    }
}
