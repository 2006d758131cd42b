/// What is told, and what is only shown: because it follows from something else, flaps, or was silenced.
extension FleetJudge {
    /// Opens an incident or changes its severity.
    mutating func report(
        _ severity: Severity, _ rule: String, of record: NodeRecord, title: String, detail: String, at now: Moment
    ) -> [IncidentChange] {
        let name = record.node.name
        let key = "\(name)/\(rule)"
        var changes: [IncidentChange] = []
        if mustBeOne(key, severity, rule, of: name, at: now) {
            // Worse than what is told of it so far is told, whether it flaps or not.
            let flapping = Self.flapping(key)
            changes += book.set(
                max(severity, book.severity(flapping) ?? severity),
                .init(
                    key: flapping, node: name, region: record.node.region, rule: "flapping",
                    title: "\(title), again and again",
                    detail: "It came and went more than four times in half an hour. \(detail)"),
                hiddenBy: silence(of: name, "flapping", at: now), at: now.wall)
        }
        let finding = IncidentBook.Finding(
            key: key, node: name, region: record.node.region, rule: rule, title: title, detail: detail)
        let hider = hider(of: rule, name, at: now)
        changes += book.set(severity, finding, hiddenBy: hider, at: now.wall)
        return changes + book.hide(key, behind: hider, at: now.wall)
    }

    /// What hides an incident of `node`, by its key. Nil: it stands for itself.
    func hider(of rule: String, _ node: String, at now: Moment) -> String? {
        cause(of: rule, node, at: now) ?? maintenance(of: node, at: now)?.key ?? silence(of: node, rule, at: now)
            ?? (book.open[Self.flapping("\(node)/\(rule)")]?.incident.key)
    }

    /// The open incident from which this one follows.
    private func cause(of name: String, _ node: String, at now: Moment) -> String? {
        let isTold = book.open["\(node)/\(name)"]?.isTold ?? false
        // Who was silent before the cut, or off before the monitor's own clock was, is so for a reason of its own.
        if name == "silent" { return !isTold && cameWithTheCut(node, at: now) ? Self.cutOff : nil }
        guard let rule = Rule.named(name) else { return nil }
        // What a human must end does not follow from silence.
        if !rule.isLatched, book.severity("\(node)/silent") != nil { return "\(node)/silent" }
        if let followed = rule.followsFrom.first(where: { book.severity("\(node)/\($0)") != nil }) {
            return "\(node)/\(followed)"
        }
        return name == "clock" && !isTold && book.severity(Self.ownClock) != nil ? Self.ownClock : nil
    }

    /// Hides what follows from something else, and shows what does no longer.
    mutating func hideFollowers(of name: String, at now: Moment) -> [IncidentChange] {
        guard book.hasOpen(of: name) else { return [] }
        return Rule.table.flatMap { rule in
            book.open["\(name)/\(rule.name)"] == nil
                ? [] : book.hide("\(name)/\(rule.name)", behind: hider(of: rule.name, name, at: now), at: now.wall)
        }
    }

    /// Looks again at each of these incidents.
    mutating func hideAnew(_ entries: [IncidentBook.Entry], at now: Moment) -> [IncidentChange] {
        entries.sorted { $0.incident.id < $1.incident.id }.flatMap { entry -> [IncidentChange] in
            guard let node = entry.incident.node else { return [] }
            return book.hide(
                entry.incident.key, behind: hider(of: entry.incident.rule, node, at: now), at: now.wall)
        }
    }

    func silence(of node: String, _ rule: String, at now: Moment) -> String? {
        silences.first { silence in
            !isOver(silence.key, at: now) && (silence.node ?? node) == node && (silence.rule ?? rule) == rule
        }?.key
    }

    // MARK: Flapping

    private static let flappingSuffix = "/flapping"

    private static func flapping(_ key: String) -> String { key + flappingSuffix }

    /// Whether it is told as one that flaps: it opens once more, or gets worse while it is told as such.
    private func mustBeOne(_ key: String, _ severity: Severity, _ rule: String, of node: String, at now: Moment) -> Bool
    {
        guard cause(of: rule, node, at: now) == nil, silence(of: node, rule, at: now) == nil else { return false }
        if let told = book.severity(Self.flapping(key)) { return severity > told }
        return book.severity(key) == nil && book.isFlapping(key, at: now.wall)
    }

    mutating func endFlapping(at now: Moment) -> [IncidentChange] {
        book.forgetOpenings(before: now.wall)
        let calm = book.open.values.filter { entry in
            entry.incident.rule == "flapping"
                && !book.isFlapping(String(entry.incident.key.dropLast(Self.flappingSuffix.count)), at: now.wall)
        }
        return calm.sorted { $0.incident.id < $1.incident.id }.flatMap { entry in
            let key = String(entry.incident.key.dropLast(Self.flappingSuffix.count))
            let changes = book.resolve(entry.incident.key, at: now.wall)
            return changes + hideAnew(book.open[key].map { [$0] } ?? [], at: now)
        }
    }
}
