import HeapModule

/// Detects missing heartbeats and measures how long a node has been silent.
extension FleetEvaluator {
    /// Monotonic milliseconds from which this node's silence counts. Nil before its first heartbeat.
    func since(_ record: NodeRecord) -> Int64? {
        record.lastBeat.map { max($0, record.evaluatedFrom, evaluatedFrom) }
    }

    /// Monotonic milliseconds at which the silence reaches this severity. Nil when it never does.
    private func deadline(_ severity: Severity, of record: NodeRecord) -> Int64? {
        let timing = timing(of: record)
        let from = max(record.evaluatedFrom, evaluatedFrom)
        guard let last = record.lastBeat else {
            // Users lose nothing, but an operator assumes that the node is monitored.
            return severity == .sev2 ? record.added.map { max($0, from) + timing.firstBeat } : nil
        }
        // A planned stop has a longer limit.
        let extraTime = record.persisted.isStopped ? timing.plannedStop - timing.sev2 : 0
        let duration = extraTime + (severity == .sev1 ? timing.sev1 : timing.sev2)
        // A node that was silent is assumed to have been so all the time, unless it is heard within a window.
        if record.isSilent, let silence = record.silentSince { return max(silence + duration, from + timing.sev2) }
        return max(last, from) + duration
    }

    /// Severity of the node's silence at this time; nil while it is within its limits.
    private func silenceSeverity(_ record: NodeRecord, at now: ClockReading) -> Severity? {
        [Severity.sev1, .sev2].first { severity in deadline(severity, of: record).map { $0 <= now.monotonic } ?? false }
    }

    mutating func watch(_ record: NodeRecord) {
        if let first = deadline(.sev2, of: record) { tick(at: record.node.name, first) }
    }

    private mutating func tick(at name: String, _ moment: Int64) {
        nodes[name]?.nextEvaluation = moment
        deadlines.insert(Deadline(at: moment, node: name))
    }

    mutating func evaluateSilence(at now: ClockReading) -> [IncidentChange] {
        var due: [String] = []
        while let next = deadlines.min, next.at <= now.monotonic {
            deadlines.removeMin()
            guard let record = nodes[next.node], record.nextEvaluation == next.at,
                let first = deadline(.sev2, of: record)
            else { continue }
            let second = deadline(.sev1, of: record) ?? first
            let window = timing(of: record).sev2
            if first > now.monotonic {
                tick(at: next.node, first)
                continue
            }
            guard !isInMaintenance(next.node, at: now) else {
                tick(at: next.node, now.monotonic + window)
                continue
            }
            due.append(next.node)
            // After the second deadline the severity cannot rise further; re-evaluating once per window finds incidents
            // that were inhibited.
            tick(at: next.node, second > now.monotonic ? second : now.monotonic + window)
        }
        guard !due.isEmpty else { return [] }
        var changes = isIsolated(at: now) ? beginIsolation(at: now) : []
        for name in due {
            guard let record = nodes[name], let severity = silenceSeverity(record, at: now) else { continue }
            changes += reportSilence(record, severity, at: now)
        }
        if incidents.open[Self.isolationKey] != nil { changes += updateIsolation(at: now) }
        return changes
    }

    private mutating func reportSilence(_ record: NodeRecord, _ severity: Severity, at now: ClockReading)
        -> [IncidentChange]
    {
        let name = record.node.name
        let silentSince = record.isSilent ? record.silentSince : since(record)
        nodes[name]?.silentSince = silentSince
        nodes[name]?.isSilent = true
        let key = "\(name)/silent"
        let (title, fact) = Self.words(for: record, at: now)
        let replays =
            record.replays.last.map { now.monotonic - $0 < timing.sev1 } ?? false
            ? " Earlier heartbeats were received again: was the machine restored to an older state?" : ""
        let changes = report(
            max(severity, incidents.severity(key) ?? severity), "silent", of: record, title: title,
            detail: "\(fact)\(rejections(of: record, at: now))\(replays)\(probeResult(of: record, at: now))", at: now)
        return changes + updateInhibitions(of: name, at: now)
    }

    private static func words(for record: NodeRecord, at now: ClockReading) -> (title: String, fact: String) {
        let name = record.node.name
        guard let last = record.lastBeat else {
            let minutes = (now.monotonic - (record.added ?? now.monotonic)) / 60_000
            return ("\(name) has never sent a heartbeat", "It was added \(minutes) min ago.")
        }
        return (
            record.persisted.isStopped ? "\(name) did not come back after a planned stop" : "\(name) is silent",
            "No heartbeat for \((now.monotonic - last) / 1_000) s."
        )
    }

    /// Describes rejected pushes: a node that was renamed, or whose token someone else uses, is not simply down.
    private func rejections(of record: NodeRecord, at now: ClockReading) -> String {
        guard let rejections = record.rejections else { return "" }
        let seconds = (now.monotonic - rejections.since) / 1_000
        let pushes = rejections.count == 1 ? "A push was" : "\(rejections.count) pushes were"
        return " \(pushes) rejected in the last \(seconds) s: \(rejections.why)"
    }

    mutating func endSilence(_ name: String, at now: ClockReading) -> [IncidentChange] {
        nodes[name]?.isSilent = false
        nodes[name].map { watch($0) }
        var changes = incidents.resolve("\(name)/silent", at: now.wall)
        changes += updateInhibitions(of: name, at: now)
        return changes + endIsolation(at: now)
    }
}
