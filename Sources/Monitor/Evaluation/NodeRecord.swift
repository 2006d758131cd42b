package import Wire

/// A node or job whose heartbeats the monitor expects.
package struct MonitoredNode: Codable, Equatable, Sendable {
    package var name: String
    package var region: String?
    /// Milliseconds between heartbeats; nil for the fleet's interval.
    package var every: Int64?
    /// Wall milliseconds when it was added; nil when unknown.
    package var added: Int64?

    package init(_ name: String, region: String? = nil, every: Int64? = nil, added: Int64? = nil) {
        self.name = name
        self.region = region
        self.every = every
        self.added = added
    }

    /// The longest heartbeat interval of a machine, in milliseconds.
    static let longestInterval: Int64 = 120_000

    /// Whether this is a scheduled job rather than a machine: its interval is longer than any machine's. Jobs are not
    /// part of the service.
    var isJob: Bool { (every ?? 0) > Self.longestInterval }
}

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
