import Monitor
import Testing
import Wire

/// Thousands of random histories, each held against a model so simple that it can be believed.
@Suite struct RandomScheduleTests {
    /// Repeatable randomness (SplitMix64), so that a failure can be looked at again.
    struct Seeded: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var mixed = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
            return mixed ^ (mixed >> 31)
        }
    }

    /// When one node's silence is told, from the moments at which fresh beats came and the monitor was started alone.
    /// Whole seconds.
    struct Model {
        var lastBeat = 0
        var judgedFrom = 0
        /// Of the present silence.
        var quietFrom = 0
        var good = 0
        var told: String?
        var said: [String] = []

        mutating func beat(_ now: Int) {
            good = now - lastBeat >= 65 ? 1 : good + 1
            lastBeat = now
            quietFrom = now
            guard let severity = told, good >= 2 else { return }
            told = nil
            said.append("\(now) resolved \(severity)")
        }

        mutating func look(_ now: Int) {
            let quiet = now - max(lastBeat, judgedFrom)
            // Who was known to be silent has been so all the time.
            if now - quietFrom >= 300, now - judgedFrom >= 65, told == "sev2" {
                told = "sev1"
                said.append("\(now) raised sev1")
            } else if quiet >= 65, told == nil {
                quietFrom = max(lastBeat, judgedFrom)
                told = "sev2"
                said.append("\(now) opened sev2")
            }
        }
    }

    @Test(arguments: 0..<50) func theJudgeSaysWhatTheModelSays(_ group: UInt64) {
        for seed in group * 100..<(group + 1) * 100 {
            let (said, expected) = Self.history(seed)
            #expect(said == expected, "seed \(seed)")
            guard said == expected else { return }
        }
    }

    /// An hour with losses, delays, duplicates, reorderings and restarts of the monitor.
    private static func history(_ seed: UInt64) -> ([String], [String]) {
        var random = Seeded(state: seed)
        // What this history is like.
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

        var now = Moment(steady: 0, wall: 1_800_000_000_000)
        var judge = FleetJudge(nodes: [(NodeName("tokyo"), NodeMemory())], at: now)
        var model = Model()
        var said: [String] = []
        var newest: Int64 = 0
        // A first beat, so that there is something to miss.
        _ = judge.receive(Beat(body: .healthy("tokyo", at: now.wall / 1_000)), from: "tokyo", at: now)
        for second in 1...4_200 {
            if downs.contains(second) {
                judge = FleetJudge(
                    nodes: judge.nodes.values.map { ($0.node, $0.memory) },
                    book: IncidentBook(open: Array(judge.book.open.values), nextID: 100), at: now)
                model.judgedFrom = second - 1
                // A good beat before the restart proves nothing about what went unseen.
                model.good = 0
            }
            now = Moment(steady: now.steady + 1_000, wall: now.wall + 1_000)
            var changes = judge.advance(to: now)
            model.look(second)
            for sequence in (arrivals[second] ?? []).shuffled(using: &random) {
                var body = Heartbeat.healthy("tokyo", at: now.wall / 1_000)
                (body.bootID, body.seq) = ("boot", sequence)
                changes += judge.receive(Beat(body: body), from: "tokyo", at: now).1
                guard sequence > newest else { continue }
                newest = sequence
                model.beat(second)
            }
            // What flaps is told as one thing, and what was hidden behind that is told late; the model knows neither.
            said += changes.filter {
                $0.incident.rule == "silent" && ($0.kind != .opened || $0.at == $0.incident.opened)
            }
            .map {
                "\(second) \($0.kind.rawValue) \($0.incident.severity.rawValue)"
            }
        }
        return (said, model.said)
    }

    @Test func noUnbrokenNodeIsEverAnAlarm() {
        var random = Seeded(state: 7)
        for _ in 0..<50 {
            let names = (0..<Int.random(in: 1...20, using: &random)).map { "node\($0)" }
            var fleet = Watched(names)
            for _ in 0..<40 {
                for name in names where Int.random(in: 0..<40, using: &random) > 0 { fleet.beat(name) }
                fleet.wait(Double.random(in: 28...32, using: &random))
                // Whoever lost this one does not lose the next.
                for name in names { fleet.beat(name) }
                fleet.wait(30)
                if Int.random(in: 0..<10, using: &random) == 0 {
                    fleet.restart(after: Int64.random(in: 0...900, using: &random))
                }
            }
            #expect(fleet.told() == [])
        }
    }
}
