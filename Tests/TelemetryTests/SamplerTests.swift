import Foundation
import Logging
import Telemetry
import TestSupport
import Testing
import Wire

@Suite struct SamplerTests {
    let folder: Scratch
    let machine: Machine
    let log = LogRecorder()

    init() throws {
        folder = try Scratch()
        machine = try Fixtures.machine(in: folder)
    }

    private func sampler(
        _ machine: Machine? = nil, facts: @escaping @Sendable () async -> NodeFacts = { NodeFacts(version: "1") }
    ) -> Sampler {
        Sampler(
            node: "tokyo", machine: machine ?? self.machine, now: { 1_709_312_400_999 }, logger: log.logger,
            facts: facts)
    }

    @Test func theMachinesValuesAreInTheHeartbeat() async {
        let beat = await sampler().sample(.running).heartbeat
        #expect(beat.node == "tokyo")
        #expect(beat.ts == 1_709_312_400)
        #expect(beat.ramMB == 142.2)
        #expect(beat.ramPct == 29.7)
        #expect(beat.diskMB == 3200)
        #expect(beat.diskPct == 31.3)
        #expect(beat.cpuPct == 0)
        #expect(beat.nixGen == 42)
        #expect(beat.uptimeS == 864_000)
        #expect(beat.load1m == 0.37)
        #expect(beat.swapMB == 12)
        #expect(beat.psiMemory == 1)
        #expect(beat.psiIO == 2.6)
        #expect(beat.rssMB == 27)
        #expect(beat.phase == .running)
        #expect(log.lines.isEmpty)
    }

    @Test func everyMemberIsSampledButThoseThatThePusherAdds() async {
        var facts = NodeFacts(version: "1")
        (facts.p99MS, facts.certDaysRemaining, facts.certLifetimeDays, facts.certError) = (1, 1, 1, "refused")
        (facts.auditSeq, facts.auditHead, facts.auditEpoch, facts.auditOK) = (1, "head", 1, true)
        facts.lastBackupAgeS = 1
        #expect(unsetMembers(of: facts) == [])
        let beat = await sampler { [facts] in facts }.sample(.running).heartbeat
        #expect(Set(unsetMembers(of: beat)) == ["auditAt", "auditAtHash", "clockOffsetMS", "beatsDropped", "key"])
    }

    @Test func processorUsageIsSinceThePreviousHeartbeat() async throws {
        let sampler = sampler()
        _ = await sampler.sample(.running)
        try folder.write("cpu  180487 11 31919 1108278 726 0 342 253 40 2\n", to: "proc/stat")
        #expect(await sampler.sample(.running).heartbeat.cpuPct == 25)
        // No time has passed since.
        #expect(await sampler.sample(.running).heartbeat.cpuPct == 0)
    }

    @Test func theNodesFactsAreInTheHeartbeat() async {
        var facts = NodeFacts(version: "1.2.3")
        (facts.dbSizeMB, facts.activeSessions, facts.conns, facts.req1h) = (12.345, 3, 9, 847)
        (facts.err1h, facts.err5xx1h, facts.p99MS) = (2, 1, 0.749)
        (facts.certDaysRemaining, facts.certLifetimeDays, facts.certError) = (62.04, 90, "refused")
        (facts.readOnly, facts.lastBackupAgeS) = (false, 3600)
        (facts.auditSeq, facts.auditHead, facts.auditEpoch, facts.auditOK) = (77, "head", 2, true)
        let given = facts
        let beat = await sampler { given }.sample(.stopping).heartbeat
        #expect(beat.version == "1.2.3")
        #expect((beat.dbSizeMB, beat.dbIntegrity, beat.activeSessions) == (12.3, "ok", 3))
        #expect((beat.conns, beat.req1h, beat.err1h, beat.err5xx1h, beat.p99MS) == (9, 847, 2, 1, 0.7))
        #expect((beat.certDaysRemaining, beat.certLifetimeDays, beat.certError) == (62, 90, "refused"))
        #expect((beat.readOnly, beat.lastBackupAgeS, beat.phase) == (false, 3600, .stopping))
        #expect((beat.auditSeq, beat.auditHead, beat.auditEpoch, beat.auditOK) == (77, "head", 2, true))
    }

    @Test func heartbeatsAreCountedPerBoot() async {
        let (first, second) = (sampler(), sampler())
        let beats = [
            await first.sample(.running).heartbeat, await first.sample(.running).heartbeat,
            await second.sample(.running).heartbeat,
        ]
        #expect(beats.map(\.seq) == [1, 2, 1])
        #expect(beats[0].bootID == beats[1].bootID)
        #expect(beats[0].bootID != beats[2].bootID)
        #expect(beats[0].bootID?.count == 32)
    }

    @Test func anUnreadableValueCostsNoHeartbeatAndIsLoggedOnce() async throws {
        try folder.remove("proc/meminfo")
        try folder.write("nonsense", to: "proc/uptime")
        var machine = machine
        machine.space = { throw MachineError.unreadable("EIO") }
        let sampler = sampler(machine)
        let sample = await sampler.sample(.running)
        _ = await sampler.sample(.running)
        #expect((sample.heartbeat.ramMB, sample.heartbeat.ramPct, sample.heartbeat.diskPct) == (nil, nil, nil))
        #expect((sample.heartbeat.uptimeS, sample.heartbeat.swapMB, sample.heartbeat.load1m) == (nil, nil, 0.37))
        #expect(sample.healthProblems.isEmpty)
        #expect(log.lines.map { $0.metadata["value"] } == ["disk", "memory", "uptime"])
        #expect(log.lines.allSatisfy { $0.level == .warning })
        #expect(log.lines[1].metadata["error"]?.contains("/proc/meminfo") == true)
    }

    @Test func missingPressureValuesAreNoFault() async throws {
        try folder.remove("proc/pressure")
        try folder.remove("nix")
        let beat = await sampler().sample(.running).heartbeat
        #expect((beat.psiMemory, beat.psiIO, beat.nixGen) == (nil, nil, 0))
        #expect(log.lines.isEmpty)
    }

    @Test func aNonFiniteValueCostsNoHeartbeat() async throws {
        var facts = NodeFacts(version: "1")
        (facts.dbSizeMB, facts.p99MS, facts.certDaysRemaining) = (.nan, .infinity, -.infinity)
        let given = facts
        let beat = await sampler { given }.sample(.running).heartbeat
        #expect(throws: Never.self) { try JSONEncoder().encode(beat) }
    }

    @Test func thisMachineCanBeRead() {
        let measure = Machine.host(data: NSTemporaryDirectory()).measure()
        #expect(measure.failures == [:])
        #expect(measure.memory?.total ?? 0 > 1 << 20)
        #expect(measure.processor?.idle ?? 0 > 0)
        #expect(measure.process?.resident ?? 0 > 1 << 20)
        #expect(measure.openFiles?.count ?? 0 > 2)
        #expect(measure.disk?.available ?? 0 > 0)
    }

    @Test func aMissingFileIsNamedByErrorCode() throws {
        #expect(throws: MachineError.unreadable("ENOENT")) {
            try Machine.host(data: "/", root: folder.path).read("/proc/absent")
        }
    }

    // MARK: Health problems

    struct Unhealthy: CustomTestStringConvertible {
        var testDescription: String
        var reasons: [String]
        var change: @Sendable (inout Heartbeat) -> Void
    }

    @Test(arguments: [
        Unhealthy(testDescription: "healthy", reasons: []) { _ in },
        Unhealthy(testDescription: "damaged", reasons: ["database damaged: row 3 missing from index"]) {
            $0.dbIntegrity = "row 3 missing from index"
        },
        Unhealthy(testDescription: "read-only", reasons: ["read-only"]) { $0.readOnly = true },
        Unhealthy(testDescription: "audit", reasons: ["audit chain broken"]) { $0.auditOK = false },
        Unhealthy(testDescription: "disk below", reasons: []) { $0.diskPct = 94.9 },
        Unhealthy(testDescription: "disk", reasons: ["disk 95.0 % full"]) { $0.diskPct = 95 },
        Unhealthy(testDescription: "memory below", reasons: []) { $0.ramPct = 95.9 },
        Unhealthy(testDescription: "memory", reasons: ["memory 96.0 % used"]) { $0.ramPct = 96 },
        Unhealthy(testDescription: "ninety days, a twentieth left", reasons: []) {
            ($0.certDaysRemaining, $0.certLifetimeDays) = (4.5, 90)
        },
        Unhealthy(testDescription: "ninety days, less left", reasons: ["certificate expires in 4.4 days"]) {
            ($0.certDaysRemaining, $0.certLifetimeDays) = (4.4, 90)
        },
        Unhealthy(testDescription: "six days, two left", reasons: []) {
            ($0.certDaysRemaining, $0.certLifetimeDays) = (2, 6)
        },
        Unhealthy(testDescription: "six days, less left", reasons: ["certificate expires in 1.9 days"]) {
            ($0.certDaysRemaining, $0.certLifetimeDays) = (1.9, 6)
        },
        Unhealthy(testDescription: "one day, more than half left", reasons: []) {
            ($0.certDaysRemaining, $0.certLifetimeDays) = (0.6, 1)
        },
        Unhealthy(testDescription: "unknown lifetime", reasons: ["certificate expires in 1.9 days"]) {
            $0.certDaysRemaining = 1.9
        },
        Unhealthy(testDescription: "expired", reasons: ["certificate has expired"]) {
            ($0.certDaysRemaining, $0.certLifetimeDays) = (-1, 90)
        },
        Unhealthy(testDescription: "several", reasons: ["audit chain broken", "read-only"]) {
            ($0.readOnly, $0.auditOK) = (true, false)
        },
    ])
    func theNodeReportsItsHealthProblems(_ example: Unhealthy) {
        var beat = Heartbeat(
            node: "tokyo", ts: 0, ramMB: 1, ramPct: 1, diskMB: 1, diskPct: 1, cpuPct: 1, dbSizeMB: 1,
            dbIntegrity: "ok", activeSessions: 0, req1h: 0, err1h: 0, certDaysRemaining: nil, nixGen: 0, uptimeS: 1)
        example.change(&beat)
        #expect(beat.healthProblems == example.reasons)
    }

    @Test func ownProblemsAndOpenFilesAreReported() async throws {
        try folder.write("Max open files 3 3 files\n", to: "proc/self/limits")
        var facts = NodeFacts(version: "1")
        facts.healthProblems = ["stuck"]
        let given = facts
        #expect(await sampler { given }.sample(.running).healthProblems == ["stuck", "3 of 3 files open"])
    }
}
