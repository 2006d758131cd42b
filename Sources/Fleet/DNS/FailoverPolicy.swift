/// Decides which nodes are in the nearest name. A pure state machine: takes observations and the time, returns decisions.
///
/// Unhealthy nodes leave at once and come back after a hold-down time that doubles with each relapse. It prefers too many
/// nodes in the name to too few: missing information changes nothing, and at least `floor` nodes and half of all stay. An
/// unhealthy member is replaced as soon as a healthy withdrawn one is available.
package struct FailoverPolicy: Codable, Equatable, Sendable {
    private(set) var memberStates: [String: MemberState] = [:]
    private var lastEvaluation: Int64?
    /// Manual overrides in force, as far as the limits allow; nil for none.
    var overrides: [String: ManualOverride]?
    /// Nodes that were never healthy: not in the name yet, and not counted. Nil before the first evaluation.
    private(set) var newcomers: Set<String>?

    private enum CodingKeys: String, CodingKey {
        case memberStates = "stays"
        case lastEvaluation = "last"
        case overrides, newcomers
    }

    package init() {}

    /// Names of the nodes that are out of the name, and why.
    package var withdrawn: [String: String] {
        let waiting = Dictionary(uniqueKeysWithValues: (newcomers ?? []).map { ($0, "it was never healthy") })
        return memberStates.filter { $0.value.withdrawnAt != nil }.mapValues(\.reason)
            .merging((overrides ?? [:]).mapValues(\.description)) { "\($1); \($0)" }
            .merging(waiting) { known, _ in known }
    }

    /// How many nodes are out beyond the limits: by a manual override, or because they were never in.
    package var belowFloor: Int { (overrides ?? [:]).values.count { $0.isBelowFloor } + (newcomers?.count ?? 0) }

    /// Whether the saved state is up to date. The time of the last evaluation counts only while a node is withdrawn.
    package func isSame(as other: FailoverPolicy) -> Bool {
        memberStates == other.memberStates && overrides == other.overrides && newcomers == other.newcomers
            && (withdrawn.isEmpty || lastEvaluation == other.lastEvaluation)
    }

    /// Evaluates the observations of one moment, Unix milliseconds.
    ///
    /// - Returns: The decisions, in order.
    package mutating func evaluate(
        _ observations: [String: HealthObservation], of members: [Member], rules: Rules, at now: Int64
    ) -> [Decision] {
        // A clock that was set back must not lengthen periods in progress.
        if let lastEvaluation, now < lastEvaluation { shift(by: now - lastEvaluation) }
        if let lastEvaluation, now - lastEvaluation > rules.maximumGap { resetHealth() }
        lastEvaluation = now
        let names = Set(members.map(\.name))
        memberStates = memberStates.filter { names.contains($0.key) }
        let (members, admissions) = admitNewcomers(members.sorted { $0.name < $1.name }, observations)
        var decisions = admissions + applyOverrides(members, rules, now)
        // If at most one node responds, the prober's own connection may be at fault.
        let isProbeTrusted = observations.values.count { $0.probe.isResponse } > 1
        if isProbeTrusted {
            decisions += restoreHealthy(observations, members, rules, now)
        } else {
            resetHealth()
        }
        decisions += applyLimits(members, rules, now)
        if isProbeTrusted {
            decisions += withdrawUnhealthy(observations, members, rules, now)
            decisions += reportDiscrepancies(observations, members, rules, now)
        }
        return decisions
    }

    /// Keeps nodes out of the name that are in the inventory but do not serve yet.
    ///
    /// - Returns: Members that were healthy once, or served at the first evaluation; and decisions about the others.
    private mutating func admitNewcomers(
        _ members: [Member], _ observations: [String: HealthObservation]
    ) -> (members: [Member], decisions: [Decision]) {
        let isFirstEvaluation = memberStates.isEmpty
        var decisions: [Decision] = []
        var waiting = (newcomers ?? []).intersection(members.map(\.name))
        for name in members.map(\.name) where memberStates[name] == nil {
            let observation = observations[name]
            if observation?.isUsable == true {
                if waiting.remove(name) != nil { decisions.append(.restore(name, .firstHealthy)) }
            } else if !isFirstEvaluation || (observation?.monitor == .neverSeen && observation?.probe.isReady != true) {
                if waiting.insert(name).inserted { decisions.append(.await(name)) }
            }
        }
        // The name must have at least one node.
        if waiting.count == members.count { (waiting, decisions) = ([], []) }
        newcomers = waiting
        let known = members.filter { !waiting.contains($0.name) }
        for member in known where memberStates[member.name] == nil { memberStates[member.name] = MemberState() }
        return (known, decisions)
    }

    private mutating func shift(by difference: Int64) {
        memberStates = memberStates.mapValues { state in
            var state = state
            state.withdrawnAt = state.withdrawnAt.map { $0 + difference }
            state.healthySince = state.healthySince.map { $0 + difference }
            state.restoredAt = state.restoredAt.map { $0 + difference }
            state.discrepancy?.since += difference
            return state
        }
    }

    private mutating func resetHealth() {
        for name in memberStates.keys { memberStates[name]?.healthySince = nil }
    }

    private mutating func restoreHealthy(
        _ observations: [String: HealthObservation], _ members: [Member], _ rules: Rules, _ now: Int64
    ) -> [Decision] {
        var decisions: [Decision] = []
        for member in members {
            guard var state = memberStates[member.name], state.withdrawnAt != nil else { continue }
            if observations[member.name]?.isHealthy == true {
                let since = state.healthySince ?? now
                state.healthySince = since
                if now - since >= rules.holdDown(after: state.withdrawals) {
                    state = state.restored(at: now)
                    if overrides?[member.name] == nil {
                        decisions.append(.restore(member.name, .healthy(seconds: (now - since) / 1_000)))
                    }
                }
            } else {
                state.healthySince = nil
            }
            memberStates[member.name] = state
        }
        return decisions
    }

    /// Restores nodes when a smaller fleet or a higher floor allows fewer withdrawals: healthy nodes first, then those that
    /// are out longest.
    private mutating func applyLimits(_ members: [Member], _ rules: Rules, _ now: Int64) -> [Decision] {
        var decisions: [Decision] = []
        while remainingWithdrawals(members, rules) < 0 {
            let first = memberStates.filter { $0.value.withdrawnAt != nil && overrides?[$0.key] == nil }
                .min { $0.value.restoreRank($0.key) < $1.value.restoreRank($1.key) }
            guard let first else { break }
            memberStates[first.key] = first.value.restored(at: now)
            decisions.append(.restore(first.key, .limits))
        }
        return decisions
    }

    private mutating func withdrawUnhealthy(
        _ observations: [String: HealthObservation], _ members: [Member], _ rules: Rules, _ now: Int64
    ) -> [Decision] {
        var decisions: [Decision] = []
        for member in members where isServing(member.name) {
            var state = memberStates[member.name] ?? MemberState()
            defer { memberStates[member.name] = state }
            guard let failure = observations[member.name]?.agreedFailure else {
                if observations[member.name]?.isHealthy == true { state.isKeptUnhealthy = false }
                continue
            }
            if remainingWithdrawals(members, rules) <= 0, let replacement = restoreReplacement(for: member.name, now) {
                decisions.append(replacement)
            }
            if remainingWithdrawals(members, rules) > 0 {
                state = state.withdrawn(at: now, because: failure, rules)
                memberStates[member.name] = state
                decisions.append(
                    .withdraw(member.name, because: failure, lastOf: emptiedRegion(of: member, members)))
            } else if !state.isKeptUnhealthy {
                state.isKeptUnhealthy = true
                decisions.append(.keep(member.name, because: failure))
            }
        }
        return decisions
    }

    /// Restores a healthy node before its hold-down time ends, in place of an unhealthy one.
    private mutating func restoreReplacement(for unhealthy: String, _ now: Int64) -> Decision? {
        let candidates = memberStates.filter { $0.value.healthySince != nil && overrides?[$0.key] == nil }
        guard let first = candidates.min(by: { $0.value.restoreRank($0.key) < $1.value.restoreRank($1.key) }),
            let since = first.value.healthySince
        else { return nil }
        memberStates[first.key] = first.value.restored(at: now)
        return .restore(first.key, .replacement(for: unhealthy, seconds: (now - since) / 1_000))
    }

    /// Reports nodes in the name about which monitor and probe have disagreed for `discrepancyDelay`.
    private mutating func reportDiscrepancies(
        _ observations: [String: HealthObservation], _ members: [Member], _ rules: Rules, _ now: Int64
    ) -> [Decision] {
        var decisions: [Decision] = []
        for member in members {
            guard isServing(member.name), let text = observations[member.name]?.discrepancy else {
                memberStates[member.name]?.discrepancy = nil
                continue
            }
            var discrepancy = memberStates[member.name]?.discrepancy ?? MemberState.Discrepancy(since: now)
            if !discrepancy.isReported, now - discrepancy.since >= rules.discrepancyDelay {
                discrepancy.isReported = true
                decisions.append(.discrepancy(member.name, text, seconds: (now - discrepancy.since) / 1_000))
            }
            memberStates[member.name]?.discrepancy = discrepancy
        }
        return decisions
    }

    /// How many nodes may be withdrawn at the same time.
    func maximumWithdrawals(_ members: [Member], _ rules: Rules) -> Int {
        min(members.count - max(rules.floor, 1), members.count / 2)
    }

    /// How many more nodes may be withdrawn. Manual overrides below the floor do not count, but at least one node stays.
    func remainingWithdrawals(_ members: [Member], _ rules: Rules) -> Int {
        let withdrawn = members.filter { !isServing($0.name) }
        let counted = withdrawn.count { overrides?[$0.name]?.isBelowFloor != true }
        return min(maximumWithdrawals(members, rules) - counted, members.count - withdrawn.count - 1)
    }

    func isServing(_ name: String) -> Bool { memberStates[name]?.withdrawnAt == nil && overrides?[name] == nil }

    /// The member's region, if it has no node in the name any more.
    func emptiedRegion(of member: Member, _ members: [Member]) -> String? {
        let isServed = members.contains { $0.region == member.region && isServing($0.name) }
        return isServed ? nil : member.region
    }
}

extension ProbeResult {
    /// Whether the node responded at all.
    fileprivate var isResponse: Bool {
        switch self {
        case .ready, .readyByIPv4, .notReady, .badCertificate: true
        case .unreachable: false
        }
    }
}
