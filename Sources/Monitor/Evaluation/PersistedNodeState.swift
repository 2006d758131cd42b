package import Wire

/// A node's state that survives a restart of the monitor.
package struct PersistedNodeState: Codable, Equatable, Sendable {
    /// Wall milliseconds.
    package var lastBeat: Int64?
    package var isStopped = false
    package var body: Heartbeat?
    package var healthProblem: String?
    package var ping: Double?
    /// The node's clock minus the monitor's, in milliseconds.
    package var skew: Int64 = 0
    package var bootID: String?
    package var sequence: Int64 = 0
    /// Earlier boots: a heartbeat from one of them is a replay.
    package var pastBoots: [String] = []
    package var checkpoint: AuditCheckpoint?
    /// Whether a legitimate restore was seen and not yet reported.
    package var wasRestored: Bool?
    package var usualErrors = 0.0

    /// The keys of the stored JSON, which an upgrade must still read.
    private enum CodingKeys: String, CodingKey {
        case lastBeat, isStopped, body, ping, skew, bootID, sequence, pastBoots, wasRestored, usualErrors
        case healthProblem = "ill"
        case checkpoint = "witness"
    }

    package init() {}

    /// Checks and stores the boot id and sequence number of a heartbeat.
    ///
    /// - Returns: Whether the heartbeat is new rather than a replay.
    mutating func take(boot: String, sequence next: Int64) -> Bool {
        if boot == bootID {
            guard next > sequence else { return false }
        } else {
            guard !pastBoots.contains(boot) else { return false }
            if let past = bootID { pastBoots = pastBoots.suffix(7) + [past] }
            bootID = boot
        }
        sequence = next
        return true
    }

    /// Advances the audit checkpoint. A checkpoint that does not continue the chain is reported and not stored.
    mutating func recordCheckpoint(_ next: AuditCheckpoint) -> AuditCheckpoint.Finding {
        let finding = checkpoint?.finding(next) ?? .holds
        guard !finding.isBroken else { return finding }
        checkpoint = next
        if finding == .restored { wasRestored = true }
        return wasRestored == true ? .restored : finding
    }
}
