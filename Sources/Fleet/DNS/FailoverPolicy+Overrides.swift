extension FailoverPolicy {
    /// The candidates for the nearest name.
    package static func members(_ nodes: [Node], _ overrides: [String: ManualOverride]) -> [Member] {
        nodes.map { Member(name: $0.name, region: $0.region, manualOverride: overrides[$0.name]) }
    }

    /// Checks that the limits allow a manual override now.
    package func validate(
        _ manualOverride: ManualOverride, for name: String, of members: [Member], rules: Rules
    ) throws(ManualOverrideError) {
        // Newcomers are not in the name, so they do not count.
        let members = members.filter { newcomers?.contains($0.name) != true }
        guard isServing(name) else { return }
        guard members.count(where: { isServing($0.name) }) > 1 else { throw .last(name) }
        guard manualOverride.isBelowFloor || remainingWithdrawals(members, rules) > 0 else { throw .tooFew(name) }
    }

    /// Applies manual overrides before anything else, oldest first, as far as the limits allow.
    mutating func applyOverrides(_ members: [Member], _ rules: Rules, _ now: Int64) -> [Decision] {
        let before = overrides ?? [:]
        let requested = members.compactMap { member in
            member.manualOverride.map { (name: member.name, manualOverride: $0) }
        }
        .filter { !$0.manualOverride.hasExpired(at: now) }
        .sorted { ($0.manualOverride.at, $0.name) < ($1.manualOverride.at, $1.name) }
        var after: [String: ManualOverride] = [:]
        for (name, manualOverride) in requested where after.count + 1 < members.count {
            let isAllowed =
                manualOverride.isBelowFloor
                || after.values.count { !$0.isBelowFloor } < maximumWithdrawals(members, rules)
            if isAllowed { after[name] = manualOverride }
        }
        overrides = after.isEmpty ? nil : after
        var decisions: [Decision] = []
        for member in members where before[member.name] == nil {
            guard let manualOverride = after[member.name], memberStates[member.name]?.withdrawnAt == nil else {
                continue
            }
            decisions.append(
                .withdraw(member.name, because: "\(manualOverride)", lastOf: emptiedRegion(of: member, members)))
        }
        for member in members where before[member.name] != nil && isServing(member.name) {
            let isRequested = requested.contains { $0.name == member.name }
            decisions.insert(.restore(member.name, isRequested ? .limits : .overrideEnded), at: 0)
        }
        return decisions
    }
}
