import Fleet
import Testing

/// Random histories, judged by the state machine and by a second implementation that remembers everything and looks
/// back at each step.
@Suite struct WithdrawalModelTests {
    /// All that ever happened. Slow and plain.
    struct Historian {
        struct Look {
            var at: Int64
            var observations: [String: HealthObservation]
            var outBefore: Set<String>
        }

        var looks: [Look] = []
        var left: [String: [Int64]] = [:]
        var returned: [String: [Int64]] = [:]
        var out: Set<String> = []

        mutating func see(_ observations: [String: HealthObservation], _ rules: FailoverPolicy.Rules, _ now: Int64) {
            looks.append(Look(at: now, observations: observations, outBefore: out))
            guard Self.hears(observations) else { return }
            let names = observations.keys.sorted()
            for name in names where out.contains(name) && wellFor(name, now, rules) >= wait(name, rules) {
                out.remove(name)
                returned[name, default: []].append(now)
            }
            let most = min(names.count - rules.floor, names.count / 2)
            for name in names where !out.contains(name) {
                guard observations[name]?.agreedFailure != nil else { continue }
                let waiting = out.map { (wellFor($0, now, rules), $0) }.filter { $0.0 >= 0 }
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

        /// Two answers or more; the one could be the watcher's neighbour.
        static func hears(_ observations: [String: HealthObservation]) -> Bool {
            observations.values.count { if case .unreachable = $0.probe { false } else { true } } > 1
        }

        /// Milliseconds of unbroken health while out, -1 for none.
        private func wellFor(_ name: String, _ now: Int64, _ rules: FailoverPolicy.Rules) -> Int64 {
            var since: Int64?
            var later = now
            for look in looks.reversed() {
                guard look.outBefore.contains(name), Self.hears(look.observations), later - look.at <= rules.maximumGap,
                    look.observations[name] == .well
                else { break }
                (since, later) = (look.at, look.at)
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

    /// SplitMix64: also its highest bits are random, of which `Int.random(in:)` makes its numbers.
    struct Dice: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var mixed = (state ^ state >> 30) &* 0xbf58_476d_1ce4_e5b9
            mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
            return mixed ^ mixed >> 31
        }
    }

    static func random(_ dice: inout Dice, mood: Int) -> HealthObservation {
        switch Int.random(in: 0..<100, using: &dice) {
        case ..<mood: .well
        case ..<(mood + (100 - mood) / 2): .dead
        case ..<(mood + (100 - mood) * 3 / 4): HealthObservation(monitor: .unhealthy("disk"), probe: .notReady(503))
        case ..<(mood + (100 - mood) * 7 / 8): HealthObservation(monitor: .unknown, probe: .ready)
        case ..<(mood + (100 - mood) * 15 / 16): HealthObservation(monitor: .healthy, probe: .unreachable("refused"))
        default: HealthObservation(monitor: .unhealthy("certificate"), probe: .badCertificate("it is not trusted"))
        }
    }

    @Test(arguments: 0..<60) func bothDecideTheSame(_ seed: UInt64) {
        var dice = Dice(state: seed &* 977 &+ 1)
        let members = (1...Int.random(in: 3...9, using: &dice)).map {
            FailoverPolicy.Member(name: "n\($0)", region: "r\($0 % 3)")
        }
        var rules = FailoverPolicy.Rules(floor: Int.random(in: 1...2, using: &dice))
        rules.holdDown = 20_000
        rules.maximumHoldDown = 90_000
        rules.relapseWindow = 300_000
        rules.maximumGap = 30_000
        let mood = [50, 80, 97, 99].randomElement(using: &dice) ?? 90
        var (machine, historian) = (FailoverPolicy(), Historian())
        var current = Dictionary(uniqueKeysWithValues: members.map { ($0.name, HealthObservation.well) })
        var leftAt: [String: Int64] = [:]
        var now: Int64 = 1_700_000_000_000
        for step in 0..<400 {
            // Health lasts: each node's state changes now and then.
            for member in members where Int.random(in: 0..<8, using: &dice) == 0 {
                current[member.name] = Self.random(&dice, mood: mood)
            }
            now += Int.random(in: 0..<50, using: &dice) == 0 ? 45_000 : 5_000
            let before = Set(machine.withdrawn.keys)
            let decisions = machine.evaluate(current, of: members, rules: rules, at: now)
            historian.see(current, rules, now)
            let out = Set(machine.withdrawn.keys)
            #expect(out == historian.out, "seed \(seed), step \(step)")

            // What must hold whatever the two say.
            #expect(members.count - out.count >= rules.floor)
            #expect(out.count * 2 <= members.count)
            for decision in decisions {
                switch decision {
                case .withdraw(let name, _, _):
                    #expect(current[name] != .well)
                    leftAt[name] = now
                case .restore(let name, .replacement):
                    #expect(current[name] == .well)
                case .restore(let name, _):
                    #expect(now - (leftAt[name] ?? now) >= rules.holdDown)
                case .keep, .discrepancy, .await: break
                }
            }
            let sees = Historian.hears(current)
            // A look that knows nothing changes nothing.
            if !sees || current.values.allSatisfy({ $0.monitor == .unknown }) { #expect(out == before) }
            // Nobody ill is in it while somebody well waits outside.
            if sees, current.contains(where: { !out.contains($0.key) && $0.value.agreedFailure != nil }) {
                #expect(!current.contains { out.contains($0.key) && $0.value == .well })
            }
            let room = min(members.count - rules.floor, members.count / 2) - out.count
            if sees, room > 0 {
                for (name, observation) in current where observation.agreedFailure != nil {
                    #expect(out.contains(name))
                }
            }
            if out != historian.out { return }
        }
    }

    /// With people who take nodes out and put them back, whatever happens to the nodes.
    @Test(arguments: 0..<30) func whatPeopleSayGoesFirst(_ seed: UInt64) {
        var dice = Dice(state: seed &* 389 &+ 7)
        var members = (1...Int.random(in: 3...9, using: &dice)).map {
            FailoverPolicy.Member(name: "n\($0)", region: "r\($0 % 3)")
        }
        var rules = FailoverPolicy.Rules(floor: Int.random(in: 1...2, using: &dice))
        rules.holdDown = 20_000
        var machine = FailoverPolicy()
        var current = Dictionary(uniqueKeysWithValues: members.map { ($0.name, HealthObservation.well) })
        var now: Int64 = 1_700_000_000_000
        for step in 0..<300 {
            now += 5_000
            for index in members.indices {
                if Int.random(in: 0..<8, using: &dice) == 0 {
                    current[members[index].name] = Self.random(&dice, mood: 80)
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
            // Nobody ill is in it while somebody well waits outside whom nobody took out.
            if Historian.hears(current),
                current.contains(where: { !out.contains($0.key) && $0.value.agreedFailure != nil })
            {
                #expect(
                    !members.contains { $0.manualOverride == nil && out.contains($0.name) && current[$0.name] == .well }
                )
            }
        }
    }
}
