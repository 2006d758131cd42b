extension FailoverPolicy {
    /// Nodes that the nearest name may lead to.
    package static func members(_ nodes: [Node], _ overrides: [String: ManualOverride]) -> [Member] {
        nodes.map { Member(name: $0.name, region: $0.region, hand: overrides[$0.name]) }
    }

    /// Whether a person may take it out, as things stand.
    package func permit(
        _ hand: ManualOverride, for name: String, of members: [Member], rules: Rules
    ) throws(ManualOverrideError) {
        // Who was never in leaves room for nobody.
        let members = members.filter { newcomers?.contains($0.name) != true }
        guard isIn(name) else { return }
        guard members.count(where: { isIn($0.name) }) > 1 else { throw .last(name) }
        guard hand.isBelowFloor || room(members, rules) > 0 else { throw .tooFew(name) }
    }

    /// A person's word goes first, in the order in which it was given, as long as enough others could be left.
    mutating func obeyHands(_ members: [Member], _ rules: Rules, _ now: Int64) -> [Decision] {
        let before = overrides ?? [:]
        let asked = members.compactMap { member in member.hand.map { (name: member.name, hand: $0) } }
            .filter { !$0.hand.isOver(at: now) }
            .sorted { ($0.hand.at, $0.name) < ($1.hand.at, $1.name) }
        var after: [String: ManualOverride] = [:]
        for (name, hand) in asked where after.count + 1 < members.count {
            let isAllowed = hand.isBelowFloor || after.values.count { !$0.isBelowFloor } < most(members, rules)
            if isAllowed { after[name] = hand }
        }
        overrides = after.isEmpty ? nil : after
        var decisions: [Decision] = []
        for member in members where before[member.name] == nil {
            guard let hand = after[member.name], stays[member.name]?.out == nil else { continue }
            decisions.append(.withdraw(member.name, because: "\(hand)", lastOf: emptied(member, members)))
        }
        for member in members where before[member.name] != nil && isIn(member.name) {
            let isAsked = asked.contains { $0.name == member.name }
            decisions.insert(.putBack(member.name, isAsked ? .limits : .hand), at: 0)
        }
        return decisions
    }
}
