/// The heartbeat that a node pushes every thirty seconds. Of the first members only machine figures that are unavailable may be
/// missing; the later ones are all optional, so that nodes and monitors of different versions are compatible.
package struct Heartbeat: Codable, Equatable, Sendable {
    package var node: String
    /// The node's clock, in Unix seconds.
    package var ts: Int64
    /// Memory not available to a new program, of the control group where that has a lower limit.
    package var ramMB: Double?
    package var ramPct: Double?
    /// Usage of the file system with the data directory.
    package var diskMB: Double?
    package var diskPct: Double?
    /// Usage of all processors since the previous heartbeat. Zero in the first one.
    package var cpuPct: Double?
    package var dbSizeMB: Double
    /// `ok`, or the problem.
    package var dbIntegrity: String
    package var activeSessions: Int
    package var req1h: Int
    /// Responses with status 400 and above, so that guessing shows.
    package var err1h: Int
    /// Nil when the expiry of the certificate in service cannot be read.
    package var certDaysRemaining: Double?
    /// The generation of the NixOS system profile; zero without one.
    package var nixGen: Int
    package var uptimeS: Int64?

    /// Random at each start of the program.
    package var bootID: String?
    /// Sequence number, from 1 at each start.
    package var seq: Int64?
    package var phase: Phase?
    package var version: String?
    package var readOnly: Bool?
    /// The audit chain: its length, its head in base64url, and its epoch (a restore starts a new one).
    package var auditSeq: Int64?
    package var auditHead: String?
    package var auditEpoch: Int64?
    /// The line that the monitor asked for, and the chain's hash at it, in base64url: recomputed up to the head, so that it shows that the
    /// head continues what the monitor has seen.
    package var auditAt: Int64?
    package var auditAtHash: String?
    /// The result of the last daily verification. Nil before the first.
    package var auditOK: Bool?
    /// Nil when the node makes no backups.
    package var lastBackupAgeS: Int64?
    /// The certificate's lifetime in days, so that thresholds scale with it.
    package var certLifetimeDays: Double?
    /// The last renewal error; nil after a successful renewal.
    package var certError: String?
    package var conns: Int?
    /// 99th percentile response time of the last hour in milliseconds.
    package var p99MS: Double?
    package var err5xx1h: Int?
    /// The offset of the node's clock to the monitor's, from the last response.
    package var clockOffsetMS: Int64?
    package var load1m: Double?
    package var swapMB: Double?
    /// Pressure stall percentages of the last ten seconds: some task waited for memory or disk.
    package var psiMemory: Double?
    package var psiIO: Double?
    /// Figures of the node program itself.
    package var rssMB: Double?
    /// Heartbeats that were not delivered since the start.
    package var beatsDropped: Int64?
    /// The node's Ed25519 public key in base64url, under which `HeartbeatSignature.header` has a signature of the whole body.
    package var key: String?

    package enum Phase: String, Codable, Sendable {
        case running
        /// The last heartbeat of a planned stop.
        case stopping
    }

    package init(
        node: String, ts: Int64, ramMB: Double?, ramPct: Double?, diskMB: Double?, diskPct: Double?, cpuPct: Double?,
        dbSizeMB: Double, dbIntegrity: String, activeSessions: Int, req1h: Int, err1h: Int, certDaysRemaining: Double?,
        nixGen: Int, uptimeS: Int64?
    ) {
        self.node = node
        self.ts = ts
        self.ramMB = ramMB
        self.ramPct = ramPct
        self.diskMB = diskMB
        self.diskPct = diskPct
        self.cpuPct = cpuPct
        self.dbSizeMB = dbSizeMB
        self.dbIntegrity = dbIntegrity
        self.activeSessions = activeSessions
        self.req1h = req1h
        self.err1h = err1h
        self.certDaysRemaining = certDaysRemaining
        self.nixGen = nixGen
        self.uptimeS = uptimeS
    }

    enum CodingKeys: String, CodingKey {
        case node, ts, seq, phase, version, conns, key
        case ramMB = "ram_mb"
        case ramPct = "ram_pct"
        case diskMB = "disk_mb"
        case diskPct = "disk_pct"
        case cpuPct = "cpu_pct"
        case dbSizeMB = "db_size_mb"
        case dbIntegrity = "db_integrity"
        case activeSessions = "active_sessions"
        case req1h = "req_1h"
        case err1h = "err_1h"
        case certDaysRemaining = "cert_days_remaining"
        case nixGen = "nix_gen"
        case uptimeS = "uptime_s"
        case bootID = "boot_id"
        case readOnly = "read_only"
        case auditSeq = "audit_seq"
        case auditHead = "audit_head"
        case auditEpoch = "audit_epoch"
        case auditAt = "audit_at"
        case auditAtHash = "audit_at_hash"
        case auditOK = "audit_ok"
        case lastBackupAgeS = "last_backup_age_s"
        case certLifetimeDays = "cert_lifetime_days"
        case certError = "cert_error"
        case p99MS = "p99_ms"
        case err5xx1h = "err_5xx_1h"
        case clockOffsetMS = "clock_offset_ms"
        case load1m = "load_1m"
        case swapMB = "swap_mb"
        case psiMemory = "psi_memory"
        case psiIO = "psi_io"
        case rssMB = "rss_mb"
        case beatsDropped = "beats_dropped"
    }
}

/// How a heartbeat is signed, so that who has a node's push URL, but not its root key, cannot speak for it.
package enum HeartbeatSignature {
    /// The request header with the signature in base64url (Ed25519, RFC 8032).
    package static let header = "clavitor-signature"

    /// What is signed: a label and the body's bytes.
    package static func message(_ body: [UInt8]) -> [UInt8] { Array("clav2/heartbeat".utf8) + body }
}

/// The response to a push. A stock Uptime Kuma sends the first two members only.
package struct PushAnswer: Codable, Equatable, Sendable {
    package var ok: Bool
    package var msg: String?
    /// The monitor's clock in Unix milliseconds, from which the node computes its clock offset.
    package var timeMS: Int64?
    /// The line of the audit chain whose hash the next heartbeat should carry.
    package var auditWant: Int64?

    package init(ok: Bool, msg: String? = nil, timeMS: Int64? = nil, auditWant: Int64? = nil) {
        self.ok = ok
        self.msg = msg
        self.timeMS = timeMS
        self.auditWant = auditWant
    }

    enum CodingKeys: String, CodingKey {
        case ok, msg
        case timeMS = "time_ms"
        case auditWant = "audit_want"
    }
}
