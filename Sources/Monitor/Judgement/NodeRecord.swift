package import Wire

/// A node that is expected to beat.
package struct NodeName: Codable, Equatable, Sendable {
    package var name: String
    package var region: String?
    /// Milliseconds between its beats; nil for the fleet's usual.
    package var every: Int64?
    /// Wall milliseconds since when it is expected; nil when that is not known.
    package var added: Int64?

    package init(_ name: String, region: String? = nil, every: Int64? = nil, added: Int64? = nil) {
        self.name = name
        self.region = region
        self.every = every
        self.added = added
    }

    /// Of a machine's beats, in milliseconds.
    static let longestInterval: Int64 = 120_000

    /// It beats less often than any machine: work on a timer, which is no part of the service.
    var isJob: Bool { (every ?? 0) > Self.longestInterval }
}

/// What is known of one node, as it survives a restart of the monitor.
package struct NodeMemory: Codable, Equatable, Sendable {
    /// Wall milliseconds.
    package var lastBeat: Int64?
    package var isStopped = false
    package var body: Heartbeat?
    package var ill: String?
    package var ping: Double?
    /// The node's clock less ours, in milliseconds.
    package var skew: Int64 = 0
    package var bootID: String?
    package var sequence: Int64 = 0
    /// Earlier starts: a beat from one of them is a replay.
    package var pastBoots: [String] = []
    package var witness: AuditWitness?
    /// Whether a lawful restore was seen and could not be told yet.
    package var wasRestored: Bool?
    package var usualErrors = 0.0

    package init() {}

    /// Takes the number of a beat.
    ///
    /// - Returns: Whether the beat belongs to the present and not to the past.
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

    /// Remembers the audit chain as it goes on, and keeps what it was when it does not.
    mutating func witnessed(_ next: AuditWitness) -> AuditWitness.Finding {
        let finding = witness?.finding(next) ?? .holds
        guard !finding.isBroken else { return finding }
        witness = next
        if finding == .restored { wasRestored = true }
        return wasRestored == true ? .restored : finding
    }
}

/// A node under judgement.
package struct NodeRecord: Equatable, Sendable {
    package internal(set) var node: NodeName
    package internal(set) var memory: NodeMemory
    /// Steady milliseconds; nil until the first beat.
    package internal(set) var lastBeat: Int64?
    /// Since when it is expected, steady.
    var added: Int64?
    /// Of one that is silent, from when on that counts, steady.
    var quietFrom: Int64?
    package internal(set) var isSilent = false
    /// Beats in a row since it came back.
    var goodBeats = 0
    /// Silence counts from here at the earliest: the end of a maintenance, or of the monitor's own doubts.
    var judgedFrom: Int64 = .min
    /// When it is looked at next, steady: a deadline with another time was replaced by this one.
    var nextLook: Int64?
    /// When its old beats came again, steady; the last three.
    var replays: [Int64] = []
    /// Pushes that were refused since its last beat.
    var refusals: Refusals?

    struct Refusals: Equatable, Sendable {
        var count = 0
        /// Steady milliseconds.
        var since: Int64
        /// Of the last one.
        var why: String
    }

    /// What it said when it was last asked from here.
    var answer: Answer?

    struct Answer: Equatable, Sendable {
        /// Whether anything came.
        var isThere: Bool
        /// Steady milliseconds.
        var at: Int64
    }

    /// Since when a rule's condition has held, for those that must hold for a while.
    var pending: [String: Int64] = [:]

    init(_ node: NodeName, _ memory: NodeMemory = NodeMemory()) {
        self.node = node
        self.memory = memory
    }

    mutating func isFresh(_ body: Heartbeat) -> Bool {
        guard let boot = body.bootID, let sequence = body.seq else { return true }
        return memory.take(boot: boot, sequence: sequence)
    }

    /// A share of errors, moved towards the present one so slowly that a bad hour does not become usual.
    mutating func learnErrors(_ body: Heartbeat) {
        guard body.req1h >= 50 else { return }
        let share = Double(body.err1h) / Double(body.req1h)
        memory.usualErrors += (share - memory.usualErrors) / 2_880
    }
}
