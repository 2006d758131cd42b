/// What a node says of itself every thirty seconds. Of the first names, the fleet's since its first plan, only figures of
/// the machine that it does not give may be missing; any of those below, so that nodes and monitors of different versions
/// understand each other.
package struct Heartbeat: Codable, Equatable, Sendable {
    package var node: String
    /// The node's clock, in Unix seconds.
    package var ts: Int64
    /// Memory in use: what is not available to a new program. Of the control group, where it has a tighter limit.
    package var ramMB: Double?
    package var ramPct: Double?
    /// Of the file system that holds the data.
    package var diskMB: Double?
    package var diskPct: Double?
    /// Of all processors, since the beat before. Zero in the first one.
    package var cpuPct: Double?
    package var dbSizeMB: Double
    /// `ok`, or what is wrong.
    package var dbIntegrity: String
    package var activeSessions: Int
    package var req1h: Int
    /// Answers from 400 on, so that guessing shows.
    package var err1h: Int
    /// Nil when the node serves a certificate that it cannot read the end of.
    package var certDaysRemaining: Double?
    /// The generation of the system profile; zero on a machine that has none.
    package var nixGen: Int
    package var uptimeS: Int64?

    /// Random at each start of the program.
    package var bootID: String?
    /// Counts from 1 at each start.
    package var seq: Int64?
    package var phase: Phase?
    package var version: String?
    package var readOnly: Bool?
    /// The audit chain: how long, its last link in base64url, and which chain it is (a restore begins another).
    package var auditSeq: Int64?
    package var auditHead: String?
    package var auditEpoch: Int64?
    /// What the last daily verification found. Nil before the first.
    package var auditOK: Bool?
    /// Nil when the node makes no backups.
    package var lastBackupAgeS: Int64?
    /// Days between the certificate's two dates, so that "soon" means the same for six days and for ninety.
    package var certLifetimeDays: Double?
    /// What the CA or the check said last, and nothing once a certificate came.
    package var certError: String?
    package var conns: Int?
    /// Of the last hour's answers, in milliseconds.
    package var p99MS: Double?
    package var err5xx1h: Int?
    /// How far the node's clock is ahead of the monitor's, as the node saw it in the last answer.
    package var clockOffsetMS: Int64?
    package var load1m: Double?
    package var swapMB: Double?
    /// Shares of the last ten seconds in which some task waited for memory or for the disk, in percent.
    package var psiMemory: Double?
    package var psiIO: Double?
    /// Of the program itself.
    package var rssMB: Double?
    /// Beats that were not delivered since the start.
    package var beatsDropped: Int64?

    package enum Phase: String, Codable, Sendable {
        case running
        /// The last beat of a planned stop.
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
        case node, ts, seq, phase, version, conns
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

/// What a monitor answers to a push. A stock Uptime Kuma sends the first two; the time is ours.
package struct PushAnswer: Codable, Equatable, Sendable {
    package var ok: Bool
    package var msg: String?
    /// The monitor's clock in Unix milliseconds, so that the node can tell how far off its own is.
    package var timeMS: Int64?

    package init(ok: Bool, msg: String? = nil, timeMS: Int64? = nil) {
        self.ok = ok
        self.msg = msg
        self.timeMS = timeMS
    }

    enum CodingKeys: String, CodingKey {
        case ok, msg
        case timeMS = "time_ms"
    }
}
