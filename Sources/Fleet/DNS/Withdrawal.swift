/// Decides which nodes answer for the nearest name. A pure state machine: it is told what was seen and when, and says
/// what to do.
///
/// Ill nodes leave at once, and come back after a stretch of health that doubles with each relapse. It errs on the side
/// of too many answers: what it does not know changes nothing, at least `floor` nodes stay in the name, and at least
/// half of all.
package struct Withdrawal: Codable, Equatable, Sendable {
    /// Times in milliseconds.
    package struct Rules: Equatable, Sendable {
        /// So many nodes stay in the name, however ill.
        package var floor: Int
        /// How long a node must be well before it comes back.
        package var hold: Int64 = 120_000
        package var longestHold: Int64 = 3_600_000
        /// After so long in the name, earlier illness is forgotten.
        package var calm: Int64 = 21_600_000
        /// Without a look for so long, nobody knows whether a node was well meanwhile.
        package var blind: Int64 = 30_000

        package init(floor: Int) { self.floor = floor }

        package func hold(after relapses: Int) -> Int64 {
            // Nobody waits for 2^20 times anything.
            min(longestHold, hold << Int64(min(max(relapses - 1, 0), 20)))
        }
    }

    package struct Member: Equatable, Sendable {
        package var name: String
        package var region: String

        package init(name: String, region: String) {
            self.name = name
            self.region = region
        }
    }

    struct Stay: Codable, Equatable, Sendable {
        /// Nil: in the name.
        var out: Int64?
        var reason = ""
        /// While it is out.
        var wellSince: Int64?
        var withdrawals = 0
        var returned: Int64?
        /// Ill, and kept in the name all the same; told once.
        var isKept = false
    }

    private var stays: [String: Stay] = [:]
    private var last: Int64?

    package init() {}

    /// Names of the nodes that are out, and why.
    package var withdrawn: [String: String] { stays.filter { $0.value.out != nil }.mapValues(\.reason) }

    /// Whether there is nothing to write down. When it looked last is not worth it.
    package func isSame(as other: Withdrawal) -> Bool { stays == other.stays }

    /// Takes in what was seen at a moment, Unix milliseconds.
    ///
    /// - Returns: What to do, those that come back first.
    package mutating func judge(
        _ sightings: [String: Sighting], of members: [Member], rules: Rules, at now: Int64
    ) -> [Decision] {
        // A clock that was set back must not lengthen what was begun.
        if let last, now < last { shift(by: now - last) }
        if let last, now - last > rules.blind { forgetHealth() }
        last = now
        let names = Set(members.map(\.name))
        stays = stays.filter { names.contains($0.key) }
        let members = members.sorted { $0.name < $1.name }

        var decisions: [Decision] = []
        if sightings.values.contains(where: { $0.probe.isAnswer }) {
            decisions += heal(sightings, members, rules, now)
        } else {
            // Nobody answers us: it is our own line that we should doubt.
            forgetHealth()
        }
        decisions += obeyLimits(members, rules, now)
        if sightings.values.contains(where: { $0.probe.isAnswer }) {
            decisions += withdraw(sightings, members, rules, now)
        }
        return decisions
    }

    private mutating func shift(by difference: Int64) {
        stays = stays.mapValues { stay in
            var stay = stay
            stay.out = stay.out.map { $0 + difference }
            stay.wellSince = stay.wellSince.map { $0 + difference }
            stay.returned = stay.returned.map { $0 + difference }
            return stay
        }
    }

    private mutating func forgetHealth() {
        for name in stays.keys { stays[name]?.wellSince = nil }
    }

    private mutating func heal(
        _ sightings: [String: Sighting], _ members: [Member], _ rules: Rules, _ now: Int64
    ) -> [Decision] {
        var decisions: [Decision] = []
        for member in members {
            guard var stay = stays[member.name], stay.out != nil else { continue }
            if sightings[member.name]?.isWell == true {
                let since = stay.wellSince ?? now
                stay.wellSince = since
                if now - since >= rules.hold(after: stay.withdrawals) {
                    stay = stay.back(at: now)
                    decisions.append(.putBack(member.name, .well(seconds: (now - since) / 1_000)))
                }
            } else {
                stay.wellSince = nil
            }
            stays[member.name] = stay
        }
        return decisions
    }

    /// A fleet that has shrunk, or a floor that was raised, leaves fewer places outside: whoever is out longest returns.
    private mutating func obeyLimits(_ members: [Member], _ rules: Rules, _ now: Int64) -> [Decision] {
        var decisions: [Decision] = []
        while room(members, rules) < 0 {
            let longest = stays.filter { $0.value.out != nil }
                .min { ($0.value.out ?? 0, $0.key) < ($1.value.out ?? 0, $1.key) }
            guard let longest else { break }
            stays[longest.key] = longest.value.back(at: now)
            decisions.append(.putBack(longest.key, .limits))
        }
        return decisions
    }

    private mutating func withdraw(
        _ sightings: [String: Sighting], _ members: [Member], _ rules: Rules, _ now: Int64
    ) -> [Decision] {
        var decisions: [Decision] = []
        for member in members {
            var stay = stays[member.name] ?? Stay()
            guard stay.out == nil else { continue }
            if let illness = sightings[member.name]?.agreedIllness {
                if room(members, rules) > 0 {
                    stay = stay.leaving(at: now, because: illness, rules)
                    stays[member.name] = stay
                    decisions.append(.withdraw(member.name, because: illness, lastOf: emptied(member, members)))
                } else if !stay.isKept {
                    stay.isKept = true
                    decisions.append(.keep(member.name, because: illness))
                }
            } else if sightings[member.name]?.isWell == true {
                stay.isKept = false
            }
            stays[member.name] = stay
        }
        return decisions
    }

    /// How many more may leave.
    private func room(_ members: [Member], _ rules: Rules) -> Int {
        min(members.count - max(rules.floor, 1), members.count / 2) - stays.values.count { $0.out != nil }
    }

    /// The member's region, when no node of it is in the name any more.
    private func emptied(_ member: Member, _ members: [Member]) -> String? {
        let isInhabited = members.contains { $0.region == member.region && stays[$0.name]?.out == nil }
        return isInhabited ? nil : member.region
    }
}

extension Withdrawal.Stay {
    func back(at now: Int64) -> Self { Self(withdrawals: withdrawals, returned: now) }

    func leaving(at now: Int64, because reason: String, _ rules: Withdrawal.Rules) -> Self {
        let isRelapse = returned.map { now - $0 < rules.calm } ?? false
        return Self(out: now, reason: reason, withdrawals: isRelapse ? withdrawals + 1 : 1, returned: returned)
    }
}

extension ProbeAnswer {
    /// Whether anything came back at all.
    fileprivate var isAnswer: Bool {
        switch self {
        case .ready, .notReady: true
        case .unreachable: false
        }
    }
}
