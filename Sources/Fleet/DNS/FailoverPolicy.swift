/// Decides which nodes answer for the nearest name. A pure state machine: it is told what was seen and when, and says
/// what to do.
///
/// Ill nodes leave at once, and come back after a stretch of health that doubles with each relapse. It errs on the side
/// of too many answers: what it does not know changes nothing, at least `floor` nodes stay in the name, and at least
/// half of all. Nobody ill is in it for want of room while somebody well waits outside.
package struct FailoverPolicy: Codable, Equatable, Sendable {
    private(set) var stays: [String: Stay] = [:]
    private var last: Int64?
    /// Whom people took out, as far as the limits allow; nil for nobody.
    var overrides: [String: ManualOverride]?
    /// Nodes that were never well: not in the name yet, and not counted. Nil before the first look.
    private(set) var newcomers: Set<String>?

    package init() {}

    /// Names of the nodes that are out, and why.
    package var withdrawn: [String: String] {
        let waiting = Dictionary(uniqueKeysWithValues: (newcomers ?? []).map { ($0, "it was never well") })
        return stays.filter { $0.value.out != nil }.mapValues(\.reason)
            .merging((overrides ?? [:]).mapValues(\.description)) { "\($1); \($0)" }
            .merging(waiting) { known, _ in known }
    }

    /// How many are out beyond what the limits allow: a person would have it so, or they were never in.
    package var belowFloor: Int { (overrides ?? [:]).values.count { $0.isBelowFloor } + (newcomers?.count ?? 0) }

    /// Whether there is nothing to write down. When it looked last is worth it while health is counted.
    package func isSame(as other: FailoverPolicy) -> Bool {
        stays == other.stays && overrides == other.overrides && newcomers == other.newcomers
            && (withdrawn.isEmpty || last == other.last)
    }

    /// Takes in what was seen at a moment, Unix milliseconds.
    ///
    /// - Returns: What to do, in order.
    package mutating func judge(
        _ observations: [String: HealthObservation], of members: [Member], rules: Rules, at now: Int64
    ) -> [Decision] {
        // A clock that was set back must not lengthen what was begun.
        if let last, now < last { shift(by: now - last) }
        if let last, now - last > rules.blind { forgetHealth() }
        last = now
        let names = Set(members.map(\.name))
        stays = stays.filter { names.contains($0.key) }
        let (members, news) = welcome(members.sorted { $0.name < $1.name }, observations)
        var decisions = news + obeyHands(members, rules, now)
        // Who hears one node or none should doubt his own line: he may stand beside that one.
        let hears = observations.values.count { $0.probe.isAnswer } > 1
        if hears {
            decisions += heal(observations, members, rules, now)
        } else {
            forgetHealth()
        }
        decisions += obeyLimits(members, rules, now)
        if hears {
            decisions += withdraw(observations, members, rules, now)
            decisions += wonder(observations, members, rules, now)
        }
        return decisions
    }

    /// A node that stands in the inventory and is not there yet must not be found by anybody.
    ///
    /// - Returns: Those that were well once, or were there at the first look; and what is new about the others.
    private mutating func welcome(
        _ members: [Member], _ observations: [String: HealthObservation]
    ) -> (members: [Member], decisions: [Decision]) {
        let isFirstLook = stays.isEmpty
        var decisions: [Decision] = []
        var waiting = (newcomers ?? []).intersection(members.map(\.name))
        for name in members.map(\.name) where stays[name] == nil {
            let observation = observations[name]
            if observation?.isThere == true {
                if waiting.remove(name) != nil { decisions.append(.putBack(name, .first)) }
            } else if !isFirstLook || (observation?.monitor == .stranger && observation?.probe.isReady != true) {
                if waiting.insert(name).inserted { decisions.append(.await(name)) }
            }
        }
        // Somebody must answer.
        if waiting.count == members.count { (waiting, decisions) = ([], []) }
        newcomers = waiting
        let known = members.filter { !waiting.contains($0.name) }
        for member in known where stays[member.name] == nil { stays[member.name] = Stay() }
        return (known, decisions)
    }

    private mutating func shift(by difference: Int64) {
        stays = stays.mapValues { stay in
            var stay = stay
            stay.out = stay.out.map { $0 + difference }
            stay.wellSince = stay.wellSince.map { $0 + difference }
            stay.returned = stay.returned.map { $0 + difference }
            stay.odd?.since += difference
            return stay
        }
    }

    private mutating func forgetHealth() {
        for name in stays.keys { stays[name]?.wellSince = nil }
    }

    private mutating func heal(
        _ observations: [String: HealthObservation], _ members: [Member], _ rules: Rules, _ now: Int64
    ) -> [Decision] {
        var decisions: [Decision] = []
        for member in members {
            guard var stay = stays[member.name], stay.out != nil else { continue }
            if observations[member.name]?.isWell == true {
                let since = stay.wellSince ?? now
                stay.wellSince = since
                if now - since >= rules.hold(after: stay.withdrawals) {
                    stay = stay.back(at: now)
                    if overrides?[member.name] == nil {
                        decisions.append(.putBack(member.name, .well(seconds: (now - since) / 1_000)))
                    }
                }
            } else {
                stay.wellSince = nil
            }
            stays[member.name] = stay
        }
        return decisions
    }

    /// A fleet that has shrunk, or a floor that was raised, leaves fewer places outside: whoever is well returns, then
    /// whoever is out longest.
    private mutating func obeyLimits(_ members: [Member], _ rules: Rules, _ now: Int64) -> [Decision] {
        var decisions: [Decision] = []
        while room(members, rules) < 0 {
            let longest = stays.filter { $0.value.out != nil && overrides?[$0.key] == nil }
                .min { $0.value.rank($0.key) < $1.value.rank($1.key) }
            guard let longest else { break }
            stays[longest.key] = longest.value.back(at: now)
            decisions.append(.putBack(longest.key, .limits))
        }
        return decisions
    }

    private mutating func withdraw(
        _ observations: [String: HealthObservation], _ members: [Member], _ rules: Rules, _ now: Int64
    ) -> [Decision] {
        var decisions: [Decision] = []
        for member in members where isIn(member.name) {
            var stay = stays[member.name] ?? Stay()
            defer { stays[member.name] = stay }
            guard let illness = observations[member.name]?.agreedIllness else {
                if observations[member.name]?.isWell == true { stay.isKept = false }
                continue
            }
            if room(members, rules) <= 0, let exchange = returnWell(for: member.name, now) {
                decisions.append(exchange)
            }
            if room(members, rules) > 0 {
                stay = stay.leaving(at: now, because: illness, rules)
                stays[member.name] = stay
                decisions.append(.withdraw(member.name, because: illness, lastOf: emptied(member, members)))
            } else if !stay.isKept {
                stay.isKept = true
                decisions.append(.keep(member.name, because: illness))
            }
        }
        return decisions
    }

    /// A node that is well, if not for long, answers better than one that is ill.
    private mutating func returnWell(for ill: String, _ now: Int64) -> Decision? {
        let waiting = stays.filter { $0.value.wellSince != nil && overrides?[$0.key] == nil }
        guard let first = waiting.min(by: { $0.value.rank($0.key) < $1.value.rank($1.key) }),
            let since = first.value.wellSince
        else { return nil }
        stays[first.key] = first.value.back(at: now)
        return .putBack(first.key, .exchange(for: ill, seconds: (now - since) / 1_000))
    }

    /// Finds those in the name that have been odd for long.
    private mutating func wonder(
        _ observations: [String: HealthObservation], _ members: [Member], _ rules: Rules, _ now: Int64
    ) -> [Decision] {
        var decisions: [Decision] = []
        for member in members {
            guard isIn(member.name), let oddity = observations[member.name]?.oddity else {
                stays[member.name]?.odd = nil
                continue
            }
            var odd = stays[member.name]?.odd ?? Stay.Odd(since: now)
            if !odd.isTold, now - odd.since >= rules.patience {
                odd.isTold = true
                decisions.append(.wonder(member.name, at: oddity, seconds: (now - odd.since) / 1_000))
            }
            stays[member.name]?.odd = odd
        }
        return decisions
    }

    /// How many may be out.
    func most(_ members: [Member], _ rules: Rules) -> Int {
        min(members.count - max(rules.floor, 1), members.count / 2)
    }

    /// How many more may leave. Those whom a person took out in spite of the limits do not count, but somebody stays.
    func room(_ members: [Member], _ rules: Rules) -> Int {
        let out = members.filter { !isIn($0.name) }
        let counted = out.count { overrides?[$0.name]?.isBelowFloor != true }
        return min(most(members, rules) - counted, members.count - out.count - 1)
    }

    func isIn(_ name: String) -> Bool { stays[name]?.out == nil && overrides?[name] == nil }

    /// The member's region, when no node of it is in the name any more.
    func emptied(_ member: Member, _ members: [Member]) -> String? {
        let isInhabited = members.contains { $0.region == member.region && isIn($0.name) }
        return isInhabited ? nil : member.region
    }
}

extension ProbeAnswer {
    /// Whether anything came back at all.
    fileprivate var isAnswer: Bool {
        switch self {
        case .ready, .readyByIPv4, .notReady, .badCertificate: true
        case .unreachable: false
        }
    }
}
