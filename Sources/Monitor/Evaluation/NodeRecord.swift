import Wire

/// A node's full evaluation state.
package struct NodeRecord: Equatable, Sendable {
    package internal(set) var node: MonitoredNode
    package internal(set) var persisted: PersistedNodeState
    /// Monotonic milliseconds; nil until the first heartbeat.
    package internal(set) var lastBeat: Int64?
    /// When it was added, in monotonic milliseconds.
    var added: Int64?
    /// Start of the present silence, in monotonic milliseconds.
    var silentSince: Int64?
    package internal(set) var isSilent = false
    /// Consecutive heartbeats since it came back.
    var consecutiveBeats = 0
    /// Earliest start of silence: the end of a maintenance window or of an evaluation pause.
    var evaluatedFrom: Int64 = .min
    /// Next evaluation, in monotonic milliseconds. A queued deadline with another time is obsolete.
    var nextEvaluation: Int64?
    /// Times of the last three replays, in monotonic milliseconds.
    var replays: [Int64] = []
    /// Pushes rejected since the last heartbeat.
    var rejections: Rejections?

    struct Rejections: Equatable, Sendable {
        var count = 0
        /// Steady milliseconds.
        var since: Int64
        /// Reason of the last rejection.
        var why: String
    }

    /// The latest probe result.
    var probeResult: ProbeResult?

    struct ProbeResult: Equatable, Sendable {
        /// Whether the node responded.
        var isResponding: Bool
        /// Steady milliseconds.
        var at: Int64
    }

    /// Start of each rule's condition, for rules that must hold for a while.
    var pending: [String: Int64] = [:]

    init(_ node: MonitoredNode, _ persisted: PersistedNodeState = PersistedNodeState()) {
        self.node = node
        self.persisted = persisted
    }

    mutating func isFresh(_ body: Heartbeat) -> Bool {
        guard let boot = body.bootID, let sequence = body.seq else { return true }
        return persisted.take(boot: boot, sequence: sequence)
    }

    /// Moves the usual error ratio towards the present one, so slowly that a bad hour does not become usual.
    mutating func updateUsualErrors(_ body: Heartbeat) {
        guard body.req1h >= 50 else { return }
        let share = Double(body.err1h) / Double(body.req1h)
        persisted.usualErrors += (share - persisted.usualErrors) / 2_880
    }
}
