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
    /// Heartbeats in a row that did not prove the checkpoint, and the sequence number of the last one.
    package var unproven: Int?
    package var lastUnproven: Int64?
    /// The key of its first signed heartbeat, in base64url: others are refused.
    package var heartbeatKey: String?
    /// Whether a heartbeat came under another key, until an operator accepts that.
    package var hasOtherKey: Bool?
    /// Whether a legitimate restore was seen and not yet reported.
    package var wasRestored: Bool?
    package var usualErrors = 0.0

    /// The keys of the stored JSON, which an upgrade must still read.
    private enum CodingKeys: String, CodingKey {
        case lastBeat, isStopped, body, ping, skew, bootID, sequence, pastBoots, wasRestored, usualErrors, unproven,
            lastUnproven, heartbeatKey, hasOtherKey
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

    /// Takes the audit position of a heartbeat. Advances the checkpoint when the heartbeat proves it; one that does not continue the
    /// chain is reported and not stored.
    mutating func recordCheckpoint(in beat: Heartbeat) -> AuditCheckpoint.Finding? {
        guard let next = AuditCheckpoint(beat) else { return nil }
        let proof = AuditCheckpoint(proofIn: beat)
        if let checkpoint, let proof, proof.sequence == checkpoint.sequence,
            proof.epoch == checkpoint.epoch, proof.head != checkpoint.head
        {
            return .forked(at: checkpoint.sequence)
        }
        let isProven = checkpoint == nil || proof == checkpoint || next == checkpoint
        let isNewEpoch = checkpoint.map { next.epoch > $0.epoch } ?? false
        let finding = recordCheckpoint(next, isProven: isProven)
        // What is broken is reported as such.
        if isProven || isNewEpoch || finding.isBroken {
            (unproven, lastUnproven) = (nil, nil)
        } else if beat.seq == nil || lastUnproven != beat.seq {
            // The rules may read one heartbeat several times.
            (unproven, lastUnproven) = ((unproven ?? 0) + 1, beat.seq)
        }
        return finding
    }

    /// The same for a position alone.
    mutating func recordCheckpoint(_ next: AuditCheckpoint, isProven: Bool) -> AuditCheckpoint.Finding {
        let finding = checkpoint?.finding(next) ?? .holds
        guard !finding.isBroken else { return finding }
        if isProven || finding == .restored || checkpoint == nil { checkpoint = next }
        if finding == .restored { wasRestored = true }
        return wasRestored == true ? .restored : finding
    }
}
