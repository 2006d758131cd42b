import Monitor
import Testing
import Wire

/// Compares thousands of random histories with a model simple enough to be trusted.
@Suite struct RandomScheduleTests {
    /// Reproducible random numbers (SplitMix64), so that a failure can be repeated.
    struct Seeded: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var mixed = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
            return mixed ^ (mixed >> 31)
        }
    }

    /// Model of the silence of one node: it depends on the times of fresh heartbeats and of monitor starts only. Whole
    /// seconds.
    struct Model {
        var lastBeat = 0
        var evaluatedFrom = 0
        /// Start of the present silence.
        var silentSince = 0
        var good = 0
        var notified: String?
        var said: [String] = []

        mutating func beat(_ now: Int) {
            good = now - lastBeat >= 65 ? 1 : good + 1
            lastBeat = now
            silentSince = now
            guard let severity = notified, good >= 2 else { return }
            notified = nil
            said.append("\(now) resolved \(severity)")
        }

        mutating func tick(_ now: Int) {
            let quiet = now - max(lastBeat, evaluatedFrom)
            // A node that was silent is assumed to have been silent throughout.
            if now - silentSince >= 300, now - evaluatedFrom >= 65, notified == "sev2" {
                notified = "sev1"
                said.append("\(now) raised sev1")
            } else if quiet >= 65, notified == nil {
                silentSince = max(lastBeat, evaluatedFrom)
                notified = "sev2"
                said.append("\(now) opened sev2")
            }
        }
    }

    @Test(arguments: 0..<50) func theEvaluatorAgreesWithTheModel(_ group: UInt64) {
        for seed in group * 100..<(group + 1) * 100 {
            let (said, expected) = Self.history(seed)
            #expect(said == expected, "seed \(seed)")
            guard said == expected else { return }
        }
    }

    /// An hour with losses, delays, duplicates, reorderings and restarts of the monitor.
    private static func history(_ seed: UInt64) -> ([String], [String]) {
        var random = Seeded(state: seed)
        // Properties of this history.
        let loss = Double.random(in: 0...0.9, using: &random)
        let delay = Int.random(in: 0...90, using: &random)
        let copies = Int.random(in: 1...3, using: &random)
        let restarts = Int.random(in: 0...3, using: &random)
        let outage = Bool.random(using: &random) ? Int.random(in: 0..<3_600, using: &random) : .max
        let downs = Set((0..<restarts).map { _ in Int.random(in: 1..<3_600, using: &random) })

        var arrivals: [Int: [Int64]] = [:]
        for (sequence, sent) in stride(from: 3, to: 3_600, by: 30).enumerated() {
            guard Double.random(in: 0..<1, using: &random) >= loss,
                !(outage..<max(outage, outage &+ 400)).contains(sent)
            else { continue }
            for _ in 0..<copies {
                arrivals[sent + Int.random(in: 0...delay, using: &random), default: []].append(Int64(sequence + 1))
            }
        }

        var now = ClockReading(monotonic: 0, wall: 1_800_000_000_000)
        var evaluator = FleetEvaluator(nodes: [(MonitoredNode("tokyo"), PersistedNodeState())], at: now)
        var model = Model()
        var said: [String] = []
        var newest: Int64 = 0
        // A first heartbeat, so that silence can be detected.
        _ = evaluator.receive(Beat(body: .healthy("tokyo", at: now.wall / 1_000)), from: "tokyo", at: now)
        for second in 1...4_200 {
            if downs.contains(second) {
                evaluator = FleetEvaluator(
                    nodes: evaluator.nodes.values.map { ($0.node, $0.persisted) },
                    incidents: IncidentRegistry(open: Array(evaluator.incidents.open.values), nextID: 100), at: now)
                model.evaluatedFrom = second - 1
                // Heartbeats before the restart prove nothing about the gap.
                model.good = 0
            }
            now = ClockReading(monotonic: now.monotonic + 1_000, wall: now.wall + 1_000)
            var changes = evaluator.advance(to: now)
            model.tick(second)
            for sequence in (arrivals[second] ?? []).shuffled(using: &random) {
                var body = Heartbeat.healthy("tokyo", at: now.wall / 1_000)
                (body.bootID, body.seq) = ("boot", sequence)
                changes += evaluator.receive(Beat(body: body), from: "tokyo", at: now).1
                guard sequence > newest else { continue }
                newest = sequence
                model.beat(second)
            }
            // The model has neither flapping nor delayed notifications of inhibited incidents.
            said += changes.filter {
                $0.incident.rule == "silent" && ($0.kind != .opened || $0.at == $0.incident.opened)
            }
            .map {
                "\(second) \($0.kind.rawValue) \($0.incident.severity.rawValue)"
            }
        }
        return (said, model.said)
    }

    @Test func aHealthyNodeNeverOpensAnIncident() {
        var random = Seeded(state: 7)
        for _ in 0..<50 {
            let names = (0..<Int.random(in: 1...20, using: &random)).map { "node\($0)" }
            var fleet = EvaluatedFleet(names)
            for _ in 0..<40 {
                for name in names where Int.random(in: 0..<40, using: &random) > 0 { fleet.beat(name) }
                fleet.wait(Double.random(in: 28...32, using: &random))
                // A node that lost this heartbeat does not lose the next one.
                for name in names { fleet.beat(name) }
                fleet.wait(30)
                if Int.random(in: 0..<10, using: &random) == 0 {
                    fleet.restart(after: Int64.random(in: 0...900, using: &random))
                }
            }
            #expect(fleet.notified() == [])
        }
    }
}
