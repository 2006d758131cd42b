package import Logging
import Synchronization
package import Wire

/// Makes a heartbeat of what the machine, the vault and the beat before say.
package final class Sampler: Sendable {
    /// A heartbeat, and why the node is ill.
    package struct Sample: Equatable, Sendable {
        package var heartbeat: Heartbeat
        package var ills: [String]

        package init(heartbeat: Heartbeat, ills: [String]) {
            self.heartbeat = heartbeat
            self.ills = ills
        }
    }

    package let node: String
    private let machine: Machine
    private let facts: @Sendable () async -> NodeFacts
    private let now: @Sendable () -> Int64
    private let logger: Logger
    private let bootID: String
    private let state = Mutex(State())

    private struct State {
        var seq: Int64 = 0
        var processor: ProcessorTime?
        /// Figures whose failure was logged.
        var reported: Set<String> = []
    }

    /// Takes what a heartbeat is made of.
    ///
    /// - Parameters:
    ///   - node: Its name in the fleet.
    ///   - machine: Where the figures come from.
    ///   - now: Unix milliseconds.
    ///   - logger: For figures that cannot be read.
    ///   - facts: What the vault knows. It should heed cancellation, and while it hangs there is no beat: a node that
    ///     cannot say how its vault is has nothing good to report, and silence raises the alarm.
    package init(
        node: String, machine: Machine, now: @escaping @Sendable () -> Int64, logger: Logger,
        facts: @escaping @Sendable () async -> NodeFacts
    ) {
        self.node = node
        self.machine = machine
        self.now = now
        self.logger = logger
        self.facts = facts
        bootID = (0..<16).map { _ in
            let byte = UInt8.random(in: .min ... .max)
            return (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
    }

    /// A figure that the machine does not give is missing: the beat goes out, no limit is crossed by a guess, and the log
    /// says once what cannot be read.
    package func sample(_ phase: Heartbeat.Phase) async -> Sample {
        let facts = await facts()
        let figures = machine.figures()
        report(figures.failures)
        let (seq, earlier) = state.withLock { state in
            state.seq += 1
            defer { if let processor = figures.processor { state.processor = processor } }
            return (state.seq, state.processor)
        }
        let share = figures.processor.map { present in earlier.flatMap { present.share(since: $0) } ?? 0 }
        var beat = Heartbeat(
            node: node, ts: now() / 1000,
            ramMB: figures.memory.map { megabytes($0.used) }, ramPct: figures.memory.map { tenths($0.share) },
            diskMB: figures.disk.map { megabytes($0.used) }, diskPct: figures.disk.map { tenths($0.share) },
            cpuPct: share.map(tenths), dbSizeMB: tenths(facts.dbSizeMB), dbIntegrity: facts.dbIntegrity,
            activeSessions: facts.activeSessions, req1h: facts.req1h, err1h: facts.err1h,
            certDaysRemaining: facts.certDaysRemaining.map(tenths), nixGen: figures.generation.number,
            uptimeS: figures.uptime?.seconds)
        (beat.bootID, beat.seq, beat.phase, beat.version) = (bootID, seq, phase, facts.version)
        beat.add(facts)
        beat.add(figures)
        var ills = beat.ills + facts.ills
        if let files = figures.openFiles, files.share >= 95 {
            ills.append("\(files.count) of \(files.limit ?? 0) files open")
        }
        return Sample(heartbeat: beat, ills: ills)
    }

    private func report(_ failures: [String: String]) {
        guard !failures.isEmpty else { return }
        let new = state.withLock { state in failures.filter { state.reported.insert($0.key).inserted } }
        for (figure, why) in new.sorted(by: { $0.key < $1.key }) {
            logger.warning(
                "a figure of the machine cannot be read", metadata: ["figure": "\(figure)", "error": "\(why)"])
        }
    }
}

extension Heartbeat {
    fileprivate mutating func add(_ facts: NodeFacts) {
        (readOnly, conns, err5xx1h) = (facts.readOnly, facts.conns, facts.err5xx1h)
        (auditSeq, auditHead, auditEpoch, auditOK) = (facts.auditSeq, facts.auditHead, facts.auditEpoch, facts.auditOK)
        (lastBackupAgeS, certError) = (facts.lastBackupAgeS, facts.certError)
        certLifetimeDays = facts.certLifetimeDays.map(tenths)
        p99MS = facts.p99MS.map(tenths)
    }

    fileprivate mutating func add(_ figures: Machine.Figures) {
        load1m = figures.load.map { rounded($0.lastMinute, to: 100) }
        swapMB = figures.memory?.swapUsed.map(megabytes)
        psiMemory = figures.memoryPressure.map { tenths($0.some) }
        psiIO = figures.diskPressure.map { tenths($0.some) }
        rssMB = figures.process.map { megabytes($0.resident) }
    }
}

/// Of 1,048,576 bytes: a machine of 512 MB says 512.
private func megabytes(_ bytes: UInt64) -> Double { tenths(Double(bytes) / 1_048_576) }

private func tenths(_ value: Double) -> Double { rounded(value, to: 10) }

/// Zero for what is no number: JSON cannot say it, and one bad figure must not cost the beat.
private func rounded(_ value: Double, to parts: Double) -> Double {
    let result = (value * parts).rounded() / parts
    return result.isFinite ? result : 0
}
