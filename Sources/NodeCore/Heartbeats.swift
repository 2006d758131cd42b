import API
import Autocert
import Backup
import Encoding
import Files
import FoundationEssentials
package import Logging
package import ServerRuntime
package import ServiceLifecycle
import Storage
import Synchronization
import Telemetry
import Vault
import VaultFormat
import Wire

/// Samples the node's state and pushes a heartbeat to the monitors every thirty seconds.
package struct Heartbeats {
    package let service: any Service
    private let client: PushClient

    package init(
        _ settings: NodeSettings.PushSettings, _ node: Node, _ directory: DataDirectory, _ certificates: Certificates,
        logger: Logger
    ) throws {
        var targets: [PushTarget] = []
        for file in settings.urlFiles { targets.append(try PushTarget(file: file, trust: settings.trust)) }
        let client = PushClient()
        self.client = client
        let proofs = AuditProofs(store: node.store)
        let sampler = Sampler(
            node: settings.name, machine: .host(data: directory.path), now: { Self.milliseconds() }, logger: logger
        ) {
            let head = node.journal.head
            proofs.report(head.chain)
            return await Self.facts(node, directory, certificates, head)
        }
        var times = HeartbeatPusher<ContinuousClock>.Settings()
        times.interval = .seconds(settings.every.seconds)
        service = HeartbeatPusher(
            to: targets, sampler: sampler, requests: node.heartbeatRequests, settings: times, clock: ContinuousClock(),
            now: { Self.milliseconds() }, prove: { await proofs.hash(at: $0).map { Base64URL.encode($0) } },
            signer: HeartbeatSigner(try node.keys.heartbeatSigningKey), logger: logger
        ) { (request) async throws(PushError) in try await client.send(request) }
    }

    /// Call after the services have ended.
    package func close() async { try? await client.shutdown() }

    private static func milliseconds() -> Int64 { Int64(Date().timeIntervalSince1970 * 1_000) }

    private static func facts(
        _ node: Node, _ directory: DataDirectory, _ certificates: Certificates, _ head: AuditHead
    ) async -> NodeFacts {
        var facts = NodeFacts(version: Version.current)
        let bytes = [directory.database, directory.database + "-wal"].compactMap(FileStatus.size).reduce(0, +)
        facts.dbSizeMB = Double(bytes) / 1_048_576
        switch node.health.mode {
        case .normal: break
        case .readOnly(.damaged), .closed(.damaged):
            (facts.dbIntegrity, facts.readOnly) = ("damaged", true)
        case .readOnly(let fault), .closed(let fault):
            facts.readOnly = true
            facts.healthProblems = [fault.rawValue]
        }
        if node.foreignCommits.value > 0 { facts.healthProblems.append("another program wrote to the database") }
        // An unreadable database shows in `dbIntegrity`; the session count is then zero.
        facts.activeSessions = (try? await node.store.activeSessions(idleLimit: node.settings.sessionIdle.seconds)) ?? 0
        let hour = node.api.counters.lastHour
        (facts.req1h, facts.err1h, facts.err5xx1h, facts.p99MS) = (hour.requests, hour.errors, hour.failures, hour.p99)
        facts.conns = NodeAPI.connections
        if let served = certificates.served.current {
            let now = Date().timeIntervalSince1970
            let end = served.notAfter.timeIntervalSince1970
            facts.certDaysRemaining = (end - now) / 86_400
            facts.certLifetimeDays = (end - served.notBefore.timeIntervalSince1970) / 86_400
        } else {
            // Without a certificate no client is served.
            facts.certDaysRemaining = 0
        }
        facts.certError = certificates.renewer?.status.lastError.map { String($0.prefix(300)) }
        (facts.auditEpoch, facts.auditSeq) = (head.epoch, head.chain.sequence)
        facts.auditHead = Base64URL.encode(head.chain.hash)
        facts.auditOK = node.isAuditVerified.value
        if let backup = node.settings.backup {
            let age = try? await BackupFolder(path: backup.folder).age(at: node.now())
            // Without any backup the age is ten years: a node that should have backups and has none is unhealthy.
            facts.lastBackupAgeS = age ?? 10 * 366 * 86_400
        }
        return facts
    }
}
