package import Wire

/// What the monitor remembers of a node's audit chain. A node that lost its log, or whose log was written anew, can
/// show nothing that contradicts itself; the monitor can (the node's own check: `clavitor-node audit verify`).
package struct AuditWitness: Codable, Equatable, Sendable {
    package var epoch: Int64
    package var sequence: Int64
    /// base64url, as the node sent it.
    package var head: String

    package enum Finding: Equatable, Sendable {
        case holds
        /// A lawful restore opens a new epoch, and is reported as what it is.
        case restored
        case wentBack(from: Int64, to: Int64)
        case forked(at: Int64)
        case epochWentBack(from: Int64, to: Int64)

        package var isBroken: Bool {
            switch self {
            case .holds, .restored: false
            case .wentBack, .forked, .epochWentBack: true
            }
        }

        var text: String {
            switch self {
            case .holds, .restored: ""
            case .wentBack(let from, let to):
                "It had \(from) lines and has \(to): an older file was put back, or lines were removed."
            case .forked(let at): "Line \(at) is another than before: the log was written anew."
            case .epochWentBack(let from, let to):
                "It was in epoch \(from) and is in \(to): an older file was put back."
            }
        }
    }

    package init(epoch: Int64, sequence: Int64, head: String) {
        self.epoch = epoch
        self.sequence = sequence
        self.head = head
    }

    /// Nil when the beat does not tell.
    package init?(_ beat: Heartbeat) {
        guard let sequence = beat.auditSeq, let head = beat.auditHead else { return nil }
        self.init(epoch: beat.auditEpoch ?? 0, sequence: sequence, head: head)
    }

    package func finding(_ next: AuditWitness) -> Finding {
        if next.epoch > epoch { return .restored }
        if next.epoch < epoch { return .epochWentBack(from: epoch, to: next.epoch) }
        if next.sequence < sequence { return .wentBack(from: sequence, to: next.sequence) }
        if next.sequence == sequence, next.head != head { return .forked(at: sequence) }
        return .holds
    }
}
