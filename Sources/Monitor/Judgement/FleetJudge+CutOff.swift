/// Most nodes silent at once: the hub's own network, or theirs?
///
/// Whoever is still heard proves that the hub is not cut off: then each is silent for a reason of its own, and told of by
/// name. Where nobody is, one incident stands for all of them, and says what they answered when they were asked from here.
extension FleetJudge {
    /// Who is heard of, and who is not although he was a moment ago.
    private struct Census {
        var gone: [String] = []
        var heard = 0
        var count = 0

        var isMost: Bool { gone.count >= 3 && gone.count * 2 > count }
        /// One may stand beside the hub.
        var isHeard: Bool { heard >= max(2, count / 20) }
    }

    private func census(at now: Moment) -> Census {
        var census = Census()
        for record in nodes.values
        where !record.memory.isStopped && !record.node.isJob && !isInMaintenance(record.node.name, at: now) {
            // Who was silent before does not count.
            guard let since = since(record), book.open["\(record.node.name)/silent"]?.isTold != true else { continue }
            let quiet = now.steady - since
            census.count += 1
            if quiet > timing(of: record).missedOne { census.gone.append(record.node.name) }
            // When the first of them has missed two, a cut is at least one interval old.
            if quiet <= timing.missedOne { census.heard += 1 }
        }
        census.gone.sort()
        return census
    }

    /// Whether most of those that were there a moment ago are gone together, and nobody is heard.
    func isCutOff(at now: Moment) -> Bool {
        let census = census(at: now)
        return census.isMost && !census.isHeard
    }

    private func isStillCutOff(at now: Moment) -> Bool {
        var census = Census()
        for record in nodes.values where !record.node.isJob {
            guard let last = record.lastBeat else { continue }
            let entry = record.isSilent ? book.open["\(record.node.name)/silent"] : nil
            if let entry, entry.incident.hiddenBy != Self.cutOff { continue }
            census.count += 1
            if entry != nil {
                census.gone.append(record.node.name)
            } else if now.steady - last <= timing.missedOne {
                census.heard += 1
            }
        }
        return census.gone.count * 2 > census.count && !census.isHeard
    }

    mutating func beginCutOff(at now: Moment) -> [IncidentChange] {
        guard book.open[Self.cutOff] == nil else { return [] }
        return setCutOff(.sev2, census(at: now).gone, at: now)
    }

    mutating func raiseCutOff(at now: Moment) -> [IncidentChange] {
        let hidden = book.open.values.map(\.incident).filter { $0.hiddenBy == Self.cutOff }
        let worst = hidden.map(\.severity).max() ?? .sev2
        return setCutOff(
            max(worst, book.severity(Self.cutOff) ?? .sev2), hidden.compactMap(\.node).sorted(), at: now)
    }

    private mutating func setCutOff(_ severity: Severity, _ names: [String], at now: Moment) -> [IncidentChange] {
        let asked = names.compactMap { answer(of: $0, at: now) }
        let answering = asked.count { $0 }
        let title =
            answering > 0 ? "Nodes answer, and their beats do not arrive" : "The hub is cut off, or all nodes are down"
        let reading =
            if asked.isEmpty {
                "Look at the hub's network first."
            } else if answering > 0 {
                "Asked from here, \(answering) of \(asked.count) answer: look at the hub's own port, name and certificate."
            } else {
                "Asked from here, none of \(asked.count) answers: look at the hub's network first."
            }
        let detail = "\(names.count) of \(nodes.count) nodes fell silent together. \(reading) \(Self.list(names))"
        return book.set(
            severity,
            .init(key: Self.cutOff, node: nil, region: nil, rule: "cut-off", title: title, detail: detail),
            hiddenBy: nil, at: now.wall)
    }

    /// Some fifty names.
    private static func list(_ names: [String]) -> String {
        var text = ""
        for (index, name) in names.enumerated() {
            guard text.count + name.count < 600 else { return text + "and \(names.count - index) more." }
            text += name + (index + 1 < names.count ? ", " : ".")
        }
        return text
    }

    mutating func endCutOff(at now: Moment) -> [IncidentChange] {
        guard book.open[Self.cutOff] != nil, !isStillCutOff(at: now) else { return [] }
        // Who is not back in a full window is silent for a reason of its own.
        for key in nodes.keys where nodes[key]?.isSilent == true {
            nodes[key]?.judgedFrom = now.steady
            nodes[key]?.quietFrom = now.steady
        }
        return book.resolve(Self.cutOff, at: now.wall)
    }

    /// It follows from the cut only if it came with it: who was silent before, or has beaten since, is silent for a reason
    /// of its own.
    func cameWithTheCut(_ name: String, at now: Moment) -> Bool {
        guard let cut = book.open[Self.cutOff]?.incident, let last = nodes[name]?.lastBeat else { return false }
        return last <= now.steady - max(0, now.wall - cut.opened)
    }

    // MARK: Asked from here

    /// Whom to ask whether he answers: those that are overdue.
    package func overdue(at now: Moment) -> [String] {
        guard !isDoubtful(at: now) else { return [] }
        return nodes.values.filter { record in
            guard let last = record.lastBeat, !isInMaintenance(record.node.name, at: now) else { return false }
            return now.steady - last > timing(of: record).missedOne
        }.map(\.node.name).sorted()
    }

    /// What nodes answered just now, by name.
    package mutating func note(answers: [String: Bool], at now: Moment) {
        for (name, isThere) in answers { nodes[name]?.answer = .init(isThere: isThere, at: now.steady) }
    }

    /// Nil when it was not asked of late.
    private func answer(of name: String, at now: Moment) -> Bool? {
        guard let answer = nodes[name]?.answer, now.steady - answer.at <= timing.sev2 else { return nil }
        return answer.isThere
    }

    /// As a sentence, with a space before it.
    func answer(of record: NodeRecord, at now: Moment) -> String {
        switch answer(of: record.node.name, at: now) {
        case true?: " Asked from here, it answers: look at its pushes."
        case false?: " Asked from here, it does not answer."
        case nil: ""
        }
    }
}
