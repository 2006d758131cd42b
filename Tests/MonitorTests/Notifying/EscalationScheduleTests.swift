import Monitor
import Testing

/// Compares random incident histories, with restarts and repeated batches, with the model.
@Suite struct EscalationScheduleTests {
    /// SplitMix64, so that a failing schedule can be repeated.
    struct Random: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var z = state
            z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
            z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
            return z ^ (z >> 31)
        }
    }

    /// Generates possible next changes of an incident.
    struct Life {
        var incident: Incident
        var isOpen = false

        mutating func step(at now: Int64, _ random: inout Random) -> IncidentChange? {
            func change(_ kind: IncidentChange.Kind) -> IncidentChange { incident.becomes(kind, at: now) }
            guard isOpen else {
                isOpen = true
                incident.severity = Severity.allCases.randomElement(using: &random) ?? .sev2
                incident.inhibitedBy = Int.random(in: 0..<4, using: &random) == 0 ? "fleet/cut-off" : nil
                return change(.opened)
            }
            switch Int.random(in: 0..<10, using: &random) {
            case 0...1:
                isOpen = false
                let last = change(.resolved)
                // The next one is another incident.
                incident.id += 100
                incident.acknowledged = nil
                return last
            case 2...3:
                incident = change(.acknowledged).incident
                return change(.acknowledged)
            case 4:
                let wasHidden = incident.inhibitedBy != nil
                incident.inhibitedBy = wasHidden ? nil : "fleet/cut-off"
                return change(wasHidden ? .uninhibited : .inhibited)
            default:
                let next = Severity.allCases.randomElement(using: &random) ?? .sev2
                guard next != incident.severity else { return nil }
                let kind: IncidentChange.Kind = next > incident.severity ? .raised : .lowered
                incident.severity = next
                return change(kind)
            }
        }
    }

    static func routes(_ random: inout Random) -> [Route] {
        (0..<Int.random(in: 1...5, using: &random)).map { _ in
            let severities = Severity.allCases.filter { _ in Bool.random(using: &random) }
            return Route(
                channel: ["chat", "pager", "boss"].randomElement(using: &random) ?? "chat",
                severities: severities.isEmpty ? [.sev1] : Set(severities),
                regions: Bool.random(using: &random) ? nil : ["asia"],
                after: [0, 0, 5, 20].randomElement(using: &random) ?? 0,
                resend: [0, 10, 30].randomElement(using: &random) ?? 0)
        }
    }

    @Test(arguments: 0..<20)
    func eachNotificationIsSentExactlyOnce(_ hundred: UInt64) throws {
        for seed in (hundred * 100)..<(hundred * 100 + 100) {
            try schedule(seed)
        }
    }

    private func schedule(_ seed: UInt64) throws {
        var random = Random(state: seed)
        let routes = Self.routes(&random)
        var lives = (1...3).map { id in
            Life(incident: anIncident(Int64(id), region: [nil, "asia", "europe"][id - 1]))
        }
        var model = EscalationModel(routes: routes)
        var escalation = Escalation()
        var notified: [EscalationModel.Notified] = []
        var last: [IncidentChange] = []
        func keep(_ notifications: [ChannelNotification], _ now: Int64) {
            notified += notifications.map {
                .init(at: now, channel: $0.channel, kind: $0.change.kind, incident: $0.change.incident.id)
            }
        }
        for now in 1...Int64(120) {
            model.second()
            if Int.random(in: 0..<6, using: &random) == 0 {
                last = lives.indices.compactMap { index in
                    Bool.random(using: &random) ? lives[index].step(at: now, &random) : nil
                }
                for change in last { model.take(change) }
                keep(escalation.apply(last, routes: routes), now)
            }
            if Int.random(in: 0..<10, using: &random) == 0 {
                // The monitor restarts, and the evaluator may repeat changes.
                escalation = try JSONRoundTrip.of(escalation)
                let repeated = last.filter { $0.kind != .resolved && !isOver($0, in: lives) }
                keep(escalation.apply(repeated, routes: routes), now)
            }
            if Int.random(in: 0..<4, using: &random) == 0 {
                model.tick(now)
                keep(escalation.tick(now * 1_000, routes: routes), now)
            }
        }
        let difference = Set(notified).symmetricDifference(model.notified)
        #expect(difference.isEmpty, "seed \(seed), routes \(routes)")
        #expect(notified.count == Set(notified).count, "told twice: seed \(seed)")
        check(notified, seed)
    }

    private func isOver(_ change: IncidentChange, in lives: [Life]) -> Bool {
        !lives.contains { $0.isOpen && $0.incident.id == change.incident.id }
    }

    /// Invariants independent of the model.
    private func check(_ notified: [EscalationModel.Notified], _ seed: UInt64) {
        let threads = Dictionary(grouping: notified) { "\($0.channel) \($0.incident)" }
        for (thread, notifications) in threads {
            #expect(notifications.count { $0.kind == .escalated } <= 1, "\(thread), seed \(seed)")
            #expect(notifications.count { $0.kind == .resolved } <= 1, "\(thread), seed \(seed)")
            #expect(notifications.first?.kind != .resolved, "an end without a beginning: \(thread), seed \(seed)")
            #expect(
                notifications.lastIndex { $0.kind == .resolved } ?? notifications.count - 1 == notifications.count - 1)
        }
    }
}
