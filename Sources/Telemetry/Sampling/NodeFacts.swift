/// Values that only the node program knows. It provides them for each heartbeat.
package struct NodeFacts: Equatable, Sendable {
    package var version: String
    package var dbSizeMB = 0.0
    /// `ok`, or the damage found.
    package var dbIntegrity = "ok"
    package var activeSessions = 0
    package var conns = 0
    package var req1h = 0
    package var err1h = 0
    package var err5xx1h = 0
    /// Nil before the first response.
    package var p99MS: Double?
    package var certDaysRemaining: Double?
    package var certLifetimeDays: Double?
    package var certError: String?
    package var readOnly = false
    package var auditSeq: Int64?
    package var auditHead: String?
    package var auditEpoch: Int64?
    package var auditOK: Bool?
    package var lastBackupAgeS: Int64?
    /// Health problems that no value shows, in a few plain words each: a stock monitor displays them.
    package var healthProblems: [String] = []

    package init(version: String) {
        self.version = version
    }
}
