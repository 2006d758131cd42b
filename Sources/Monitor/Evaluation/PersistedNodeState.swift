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
    /// Proven lines, one a day, oldest first.
    package var points: [AuditPoint]?
    package var pendingRestore: PendingRestore?
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
            lastUnproven, points, pendingRestore, heartbeatKey, hasOtherKey
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

    // MARK: The audit chain

    /// The line whose hash the next heartbeat should prove; nil when there is none.
    package var auditWant: Int64? {
        guard let pendingRestore else { return checkpoint?.sequence }
        return knownPoint(in: pendingRestore)?.sequence
    }

    /// Takes the audit position of a heartbeat. Advances the checkpoint when the heartbeat proves it; one that does not continue the
    /// chain is reported and not stored.
    mutating func recordCheckpoint(in beat: Heartbeat) -> AuditCheckpoint.Finding? {
        guard let next = AuditCheckpoint(beat) else { return nil }
        let proof = AuditCheckpoint(proofIn: beat)
        if let checkpoint, next.epoch > checkpoint.epoch { return recordRestore(next, proof, in: beat) }
        pendingRestore = nil
        if let checkpoint, let proof, proof.sequence == checkpoint.sequence,
            proof.epoch == checkpoint.epoch, proof.head != checkpoint.head
        {
            return .forked(at: checkpoint.sequence)
        }
        let isProven = checkpoint == nil || proof == checkpoint || next == checkpoint
        let finding = checkpoint?.finding(next) ?? .holds
        // What is broken is reported as such.
        guard !finding.isBroken else {
            (unproven, lastUnproven) = (nil, nil)
            return finding
        }
        if isProven { advance(to: next) } else { countUnproven(beat) }
        return wasRestored == true ? .restored : finding
    }

    /// Takes the position of a log in a new epoch. A restore of a backup continues one of the lines that the monitor knows; each
    /// heartbeat shows whether it is the newest, and else the next older one.
    private mutating func recordRestore(
        _ next: AuditCheckpoint, _ proof: AuditCheckpoint?, in beat: Heartbeat
    ) -> AuditCheckpoint.Finding {
        var pending = PendingRestore(head: next)
        if let known = pendingRestore, known.head.epoch == next.epoch {
            let finding = known.head.finding(next)
            guard !finding.isBroken else { return finding }
            pending.differsAt = known.differsAt
        }
        if let proof, let point = knownPoint(in: pending), proof.sequence == point.sequence {
            if proof.head == point.head {
                points?.removeAll { $0.sequence > point.sequence }
                (pendingRestore, wasRestored) = (nil, true)
                advance(to: next)
                return .restored
            }
            pending.differsAt = point.sequence
            (unproven, lastUnproven) = (nil, nil)
        }
        pendingRestore = pending
        guard knownPoint(in: pending) != nil else { return .unknownOrigin(epoch: next.epoch) }
        countUnproven(beat)
        return .holds
    }

    /// The newest known line that a restored log may have.
    private func knownPoint(in restore: PendingRestore) -> AuditPoint? {
        let newest = checkpoint.map { [AuditPoint(day: 0, sequence: $0.sequence, head: $0.head)] } ?? []
        return ((points ?? []) + newest).last {
            $0.sequence <= restore.head.sequence && $0.sequence < restore.differsAt ?? .max
        }
    }

    private mutating func advance(to next: AuditCheckpoint) {
        checkpoint = next
        (unproven, lastUnproven) = (nil, nil)
        var points = points ?? []
        points.add(next, day: (lastBeat ?? 0) / 86_400_000)
        self.points = points
    }

    private mutating func countUnproven(_ beat: Heartbeat) {
        // The rules may read one heartbeat several times.
        guard beat.seq == nil || lastUnproven != beat.seq else { return }
        (unproven, lastUnproven) = ((unproven ?? 0) + 1, beat.seq)
    }

    /// An operator accepts the present log, whatever it is.
    mutating func acceptCheckpoint() {
        checkpoint = body.flatMap { AuditCheckpoint($0) }
        (points, pendingRestore, unproven, lastUnproven) = (nil, nil, nil, nil)
        if let checkpoint { advance(to: checkpoint) }
    }
}
