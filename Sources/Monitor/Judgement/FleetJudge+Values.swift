import Wire

/// What a beat says, held against the table of rules.
extension FleetJudge {
    mutating func judgeValues(_ beat: Beat, of name: String, at now: Moment) -> [IncidentChange] {
        guard var record = nodes[name] else { return [] }
        let reading = reading(of: beat, &record, at: now)
        var changes: [IncidentChange] = []
        let mayOpen = !isDoubtful(at: now) && !isInMaintenance(name, at: now)
        for rule in Rule.table {
            guard let value = rule.measure(reading) else { continue }
            var key: String { "\(name)/\(rule.name)" }
            let present = book.hasOpen(of: name) ? book.severity(key) : nil
            switch (rule.severity(of: value, present: present), present) {
            case (nil, nil):
                record.pending[rule.name] = nil
            case (nil, .some):
                record.pending[rule.name] = nil
                if !rule.isLatched { changes += book.resolve(key, at: now.wall) }
            case (let severity?, let present) where present.map { severity > $0 } ?? true:
                let lastSaid = record.lastBeat ?? now.steady
                let began = record.pending[rule.name] ?? lastSaid
                record.pending[rule.name] = began
                if !mayOpen { heldBack.insert(name) }
                guard mayOpen, lastSaid - began >= rule.holds else { continue }
                if rule.name == "clock" { changes += beginOwnClock(at: now) }
                changes += report(
                    severity, rule.name, of: record, title: rule.title(name), detail: rule.detail(reading), at: now)
            case (let severity?, let present?) where rule.isLatched && severity <= present:
                break
            case (let severity?, _):
                changes += report(
                    severity, rule.name, of: record, title: rule.title(name), detail: rule.detail(reading), at: now)
            }
        }
        if book.severity("\(name)/restored") != nil { record.memory.wasRestored = nil }
        if let body = beat.body, book.severity("\(name)/errors") == nil { record.learnErrors(body) }
        nodes[name] = record
        changes += hideFollowers(of: name, at: now)
        changes += endOwnClock(at: now)
        return changes
    }

    /// Tells what could not be told when it came. Who pushes once a day does not say it again.
    mutating func judgeHeldBack(at now: Moment) -> [IncidentChange] {
        guard !isDoubtful(at: now) else {
            mayRelease = true
            return []
        }
        // Not for each beat: during planned work on the whole fleet there is much to look through.
        guard mayRelease else { return [] }
        mayRelease = false
        var changes: [IncidentChange] = []
        for name in heldBack.filter({ !isInMaintenance($0, at: now) }).sorted() {
            heldBack.remove(name)
            // Who is silent or stopped is judged by the beat with which it comes back.
            guard let record = nodes[name], !record.isSilent, !record.memory.isStopped else { continue }
            let beat = Beat(ill: record.memory.ill, ping: record.memory.ping, body: record.memory.body)
            changes += judgeValues(beat, of: name, at: now)
        }
        return changes
    }

    private func reading(of beat: Beat, _ record: inout NodeRecord, at now: Moment) -> Rule.Reading {
        var finding: AuditWitness.Finding?
        if let next = beat.body.flatMap(AuditWitness.init) { finding = record.memory.witnessed(next) }
        return Rule.Reading(
            beat: beat, skew: record.memory.skew, usualErrors: record.memory.usualErrors, witness: finding,
            replays: record.replays.count { now.steady - $0 < 2 * timing.sev1 }, fleet: norm)
    }

    // MARK: Across the fleet

    /// The monitor's own clock, when most nodes' are off by the same.
    private mutating func beginOwnClock(at now: Moment) -> [IncidentChange] {
        guard isOwnClockOff else { return [] }
        return book.set(
            .sev2,
            .init(
                key: Self.ownClock, node: nil, region: nil, rule: "clock", title: "The monitor's clock is off",
                detail: "Most nodes' clocks differ from it in the same direction."),
            hiddenBy: nil, at: now.wall)
    }

    private mutating func endOwnClock(at now: Moment) -> [IncidentChange] {
        guard book.open[Self.ownClock] != nil, !isOwnClockOff else { return [] }
        // Whose clock is still off says so in its next beat, and is told of then.
        return book.resolve(Self.ownClock, at: now.wall)
    }

    var isOwnClockOff: Bool {
        let skews = nodes.values.filter { $0.memory.body != nil && !$0.isSilent }.map(\.memory.skew)
        let (ahead, behind) = (skews.count { $0 >= 10_000 }, skews.count { $0 <= -10_000 })
        return skews.count >= 3 && max(ahead, behind) * 2 > skews.count
    }

    /// What more than half of the nodes that beat at present run.
    func majority(at now: Moment) -> Rule.FleetNorm {
        let bodies = nodes.values.filter { ($0.lastBeat ?? .min) > now.steady - timing.sev1 }.compactMap(\.memory.body)
        guard bodies.count >= 3 else { return Rule.FleetNorm() }
        func most<Value: Hashable>(_ values: [Value]) -> Value? {
            let counts = Dictionary(values.map { ($0, 1) }, uniquingKeysWith: +)
            return counts.first { $0.value * 2 > bodies.count }?.key
        }
        return Rule.FleetNorm(version: most(bodies.compactMap(\.version)), generation: most(bodies.map(\.nixGen)))
    }
}
