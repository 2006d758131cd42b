import HeapModule

/// Who has not been heard of, and for how long.
extension FleetJudge {
    /// Steady milliseconds from which this node's silence counts. Nil before its first beat.
    func since(_ record: NodeRecord) -> Int64? {
        record.lastBeat.map { max($0, record.judgedFrom, judgedFrom) }
    }

    /// When its silence is so bad, in steady milliseconds. Nil: never.
    private func deadline(_ severity: Severity, of record: NodeRecord) -> Int64? {
        let timing = timing(of: record)
        let from = max(record.judgedFrom, judgedFrom)
        guard let last = record.lastBeat else {
            // Nobody misses it, but somebody thinks that it is watched.
            return severity == .sev2 ? record.added.map { max($0, from) + timing.firstBeat } : nil
        }
        // A planned stop is borne for longer.
        let patience = record.memory.isStopped ? timing.plannedStop - timing.sev2 : 0
        let span = patience + (severity == .sev1 ? timing.sev1 : timing.sev2)
        // Who was known to be silent has been so all the time, unless it is heard of within a window.
        if record.isSilent, let quiet = record.quietFrom { return max(quiet + span, from + timing.sev2) }
        return max(last, from) + span
    }

    /// What its silence amounts to by now.
    private func verdict(_ record: NodeRecord, at now: Moment) -> Severity? {
        [Severity.sev1, .sev2].first { severity in deadline(severity, of: record).map { $0 <= now.steady } ?? false }
    }

    mutating func watch(_ record: NodeRecord) {
        if let first = deadline(.sev2, of: record) { look(at: record.node.name, first) }
    }

    private mutating func look(at name: String, _ moment: Int64) {
        nodes[name]?.nextLook = moment
        deadlines.insert(Deadline(at: moment, node: name))
    }

    mutating func judgeSilence(at now: Moment) -> [IncidentChange] {
        var due: [String] = []
        while let next = deadlines.min, next.at <= now.steady {
            deadlines.removeMin()
            guard let record = nodes[next.node], record.nextLook == next.at, let first = deadline(.sev2, of: record)
            else { continue }
            let second = deadline(.sev1, of: record) ?? first
            let window = timing(of: record).sev2
            if first > now.steady {
                look(at: next.node, first)
                continue
            }
            guard !isInMaintenance(next.node, at: now) else {
                look(at: next.node, now.steady + window)
                continue
            }
            due.append(next.node)
            // After the second deadline nothing more comes of waiting; a new look once a window finds what was hidden.
            look(at: next.node, second > now.steady ? second : now.steady + window)
        }
        guard !due.isEmpty else { return [] }
        var changes = isCutOff(at: now) ? beginCutOff(at: now) : []
        for name in due {
            guard let record = nodes[name], let severity = verdict(record, at: now) else { continue }
            changes += fallSilent(record, severity, at: now)
        }
        if book.open[Self.cutOff] != nil { changes += raiseCutOff(at: now) }
        return changes
    }

    private mutating func fallSilent(_ record: NodeRecord, _ severity: Severity, at now: Moment) -> [IncidentChange] {
        let name = record.node.name
        let quietFrom = record.isSilent ? record.quietFrom : since(record)
        nodes[name]?.quietFrom = quietFrom
        nodes[name]?.isSilent = true
        let key = "\(name)/silent"
        let (title, fact) = Self.words(for: record, at: now)
        let replays =
            record.replays.last.map { now.steady - $0 < timing.sev1 } ?? false
            ? " Beats that had come before came again: was the machine set back to an older state?" : ""
        let changes = report(
            max(severity, book.severity(key) ?? severity), "silent", of: record, title: title,
            detail: "\(fact)\(refusals(of: record, at: now))\(replays)\(answer(of: record, at: now))", at: now)
        return changes + hideFollowers(of: name, at: now)
    }

    private static func words(for record: NodeRecord, at now: Moment) -> (title: String, fact: String) {
        let name = record.node.name
        guard let last = record.lastBeat else {
            let minutes = (now.steady - (record.added ?? now.steady)) / 60_000
            return ("\(name) has never sent a beat", "It was added \(minutes) min ago.")
        }
        return (
            record.memory.isStopped ? "\(name) did not come back" : "\(name) is silent",
            "No beat for \((now.steady - last) / 1_000) s."
        )
    }

    /// What came instead of beats: a node that was renamed, or whose token somebody else uses, is not simply gone.
    private func refusals(of record: NodeRecord, at now: Moment) -> String {
        guard let refusals = record.refusals else { return "" }
        let seconds = (now.steady - refusals.since) / 1_000
        let pushes = refusals.count == 1 ? "A push was" : "\(refusals.count) pushes were"
        return " \(pushes) refused in the last \(seconds) s: \(refusals.why)"
    }

    mutating func endSilence(_ name: String, at now: Moment) -> [IncidentChange] {
        nodes[name]?.isSilent = false
        nodes[name].map { watch($0) }
        var changes = book.resolve("\(name)/silent", at: now.wall)
        changes += hideFollowers(of: name, at: now)
        return changes + endCutOff(at: now)
    }
}
