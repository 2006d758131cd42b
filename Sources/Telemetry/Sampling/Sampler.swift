import Encoding
package import Logging
import Synchronization
package import Wire

/// Creates heartbeats from the machine's values, the node's facts and the previous heartbeat.
package final class Sampler: Sendable {
    /// A heartbeat and the node's health problems.
    package struct Sample: Equatable, Sendable {
        package var heartbeat: Heartbeat
        package var healthProblems: [String]

        package init(heartbeat: Heartbeat, healthProblems: [String]) {
            self.heartbeat = heartbeat
            self.healthProblems = healthProblems
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
        /// Values whose failure was logged.
        var reported: Set<String> = []
    }

    /// Stores the sources of a heartbeat.
    ///
    /// - Parameters:
    ///   - node: Name in the fleet.
    ///   - machine: Source of the machine's values.
    ///   - now: Unix milliseconds.
    ///   - logger: Logs values that cannot be read.
    ///   - facts: Provides the node's facts. It should heed cancellation, and while it hangs no heartbeat is sent: a
    ///     node that cannot read its own vault's state is not healthy, and silence raises the alarm.
    package init(
        node: String, machine: Machine, now: @escaping @Sendable () -> Int64, logger: Logger,
        facts: @escaping @Sendable () async -> NodeFacts
    ) {
        self.node = node
        self.machine = machine
        self.now = now
        self.logger = logger
        self.facts = facts
        bootID = Hexadecimal.encode((0..<16).map { _ in UInt8.random(in: .min ... .max) })
    }

    /// Creates a heartbeat. A value that cannot be read is omitted: the heartbeat is sent, no limit is compared with a
    /// guess, and the failure is logged once.
    package func sample(_ phase: Heartbeat.Phase) async -> Sample {
        let facts = await facts()
        let measurements = machine.measure()
        report(measurements.failures)
        let (seq, earlier) = state.withLock { state in
            state.seq += 1
            defer { if let processor = measurements.processor { state.processor = processor } }
            return (state.seq, state.processor)
        }
        let share = measurements.processor.map { present in earlier.flatMap { present.busyPercent(since: $0) } ?? 0 }
        var beat = Heartbeat(
            node: node, ts: now() / 1000,
            ramMB: measurements.memory.map { megabytes($0.used) },
            ramPct: measurements.memory.map { tenths($0.usedPercent) },
            diskMB: measurements.disk.map { megabytes($0.used) },
            diskPct: measurements.disk.map { tenths($0.usedPercent) },
            cpuPct: share.map(tenths), dbSizeMB: tenths(facts.dbSizeMB), dbIntegrity: facts.dbIntegrity,
            activeSessions: facts.activeSessions, req1h: facts.req1h, err1h: facts.err1h,
            certDaysRemaining: facts.certDaysRemaining.map(tenths), nixGen: measurements.generation.number,
            uptimeS: measurements.uptime?.seconds)
        (beat.bootID, beat.seq, beat.phase, beat.version) = (bootID, seq, phase, facts.version)
        beat.add(facts)
        beat.add(measurements)
        var healthProblems = beat.healthProblems + facts.healthProblems
        if let files = measurements.openFiles, files.usedPercent >= 95 {
            healthProblems.append("\(files.count) of \(files.limit ?? 0) files open")
        }
        return Sample(heartbeat: beat, healthProblems: healthProblems)
    }

    private func report(_ failures: [String: String]) {
        guard !failures.isEmpty else { return }
        let new = state.withLock { state in failures.filter { state.reported.insert($0.key).inserted } }
        for (value, why) in new.sorted(by: { $0.key < $1.key }) {
            logger.warning(
                "machine value cannot be read", metadata: ["value": "\(value)", "error": "\(why)"])
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

    fileprivate mutating func add(_ measurements: Machine.Measurements) {
        load1m = measurements.load.map { rounded($0.lastMinute, to: 100) }
        swapMB = measurements.memory?.swapUsed.map(megabytes)
        psiMemory = measurements.memoryPressure.map { tenths($0.some) }
        psiIO = measurements.diskPressure.map { tenths($0.some) }
        rssMB = measurements.process.map { megabytes($0.resident) }
    }
}

/// In units of 1,048,576 bytes: a machine with 512 MB reports 512.
private func megabytes(_ bytes: UInt64) -> Double { tenths(Double(bytes) / 1_048_576) }

private func tenths(_ value: Double) -> Double { rounded(value, to: 10) }

/// Returns zero for non-finite values: JSON cannot represent them, and one bad value must not cost the heartbeat.
private func rounded(_ value: Double, to parts: Double) -> Double {
    let result = (value * parts).rounded() / parts
    return result.isFinite ? result : 0
}
