package import Wire

/// Position of a node's audit chain that the monitor has seen and that the chain was proven to contain since. A node that lost its
/// log, or whose log was rewritten, cannot detect this from its own data; the monitor can. (The node's own check is `clavitor-node
/// audit verify`.)
///
/// A head with more lines proves nothing by itself: lines could have been cut and replaced by others. So the monitor asks for the hash at
/// its checkpoint, and moves on when the next heartbeat has it. A restored log must continue one of the lines that it keeps, one a day.
package struct AuditCheckpoint: Codable, Equatable, Sendable {
    package var epoch: Int64
    package var sequence: Int64
    /// base64url, as the node sent it.
    package var head: String

    package enum Finding: Equatable, Sendable {
        case holds
        /// A legitimate restore starts a new epoch and is reported as a restore.
        case restored
        case wentBack(from: Int64, to: Int64)
        case forked(at: Int64)
        case epochWentBack(from: Int64, to: Int64)
        /// A new epoch whose log continues no line that the monitor knows.
        case unknownOrigin(epoch: Int64)

        package var isBroken: Bool {
            switch self {
            case .holds, .restored: false
            case .wentBack, .forked, .epochWentBack, .unknownOrigin: true
            }
        }

        var text: String {
            switch self {
            case .holds, .restored: ""
            case .wentBack(let from, let to):
                "The log had \(from) lines and now has \(to): an older file was restored, or lines were removed."
            case .forked(let at): "Line \(at) differs from the one seen before: the log was rewritten."
            case .epochWentBack(let from, let to):
                "The epoch was \(from) and is now \(to): an older file was restored."
            case .unknownOrigin(let epoch):
                "Epoch \(epoch) continues no line that this monitor has seen: it is another vault's file, or a backup from before."
            }
        }
    }

    package init(epoch: Int64, sequence: Int64, head: String) {
        self.epoch = epoch
        self.sequence = sequence
        self.head = head
    }

    /// Returns nil when the heartbeat carries no audit position.
    package init?(_ beat: Heartbeat) {
        guard let sequence = beat.auditSeq, let head = beat.auditHead else { return nil }
        self.init(epoch: beat.auditEpoch ?? 0, sequence: sequence, head: head)
    }

    /// The proof that a heartbeat carries, in the epoch of its head.
    package init?(proofIn beat: Heartbeat) {
        guard let sequence = beat.auditAt, let head = beat.auditAtHash else { return nil }
        self.init(epoch: beat.auditEpoch ?? 0, sequence: sequence, head: head)
    }

    package func finding(_ next: AuditCheckpoint) -> Finding {
        if next.epoch > epoch { return .restored }
        if next.epoch < epoch { return .epochWentBack(from: epoch, to: next.epoch) }
        if next.sequence < sequence { return .wentBack(from: sequence, to: next.sequence) }
        if next.sequence == sequence, next.head != head { return .forked(at: sequence) }
        return .holds
    }
}
