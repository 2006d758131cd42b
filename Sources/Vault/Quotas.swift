/// What a tenant may store and do. One table: settings, API, command line and documentation follow from it.
package enum Quota: String, CaseIterable, Sendable {
    case bytes
    case entries
    case fields
    case agents
    case deposits
    case sessions
    case operationsPerDay = "operations-per-day"
    case agentDeposits = "agent-deposits"
    case agentBytesPerDay = "agent-bytes-per-day"
    case versions
    case historyDays = "history-days"
    case trashDays = "trash-days"
    case depositDays = "deposit-days"

    package var standard: Int {
        switch self {
        case .bytes: 64 << 20
        case .entries: 5_000
        case .fields: 50_000
        case .agents: 64
        case .deposits: 100
        case .sessions: 50
        case .operationsPerDay: 200_000
        case .agentDeposits: 20
        case .agentBytesPerDay: 8 << 20
        case .versions: 50
        case .historyDays: 365
        case .trashDays: 30
        case .depositDays: 30
        }
    }

    /// What an operator may set it to. An agent's every reader stands in one audit line, which bounds agents.
    package var most: Int {
        switch self {
        case .bytes: 1 << 40
        case .agents: 256
        case .sessions: 1_000
        case .historyDays, .trashDays, .depositDays: 36_500
        case .agentBytesPerDay, .operationsPerDay: 1 << 40
        case .entries, .fields, .deposits, .agentDeposits, .versions: 1 << 24
        }
    }

    /// What is counted, as an operator and an owner read it.
    package var meaning: String {
        switch self {
        case .bytes:
            "bytes of a vault at rest: values of every version, metadata, wrapped keys, search terms, remembered answers"
        case .entries: "entries of a vault, with those in the trash and deposits"
        case .fields: "fields of a vault"
        case .agents: "agents of a vault"
        case .deposits: "deposits that wait in a vault"
        case .sessions: "sessions of an account; the least recently used one ends for a new one"
        case .operationsPerDay: "reads, changes and sign-ins of a vault in a day: what stands in its audit log"
        case .agentDeposits: "deposits of one agent that wait"
        case .agentBytesPerDay: "bytes that one agent may write in a day"
        case .versions: "versions of an entry that are kept"
        case .historyDays: "days for which a version is kept after a newer one"
        case .trashDays: "days after which an entry in the trash is deleted for good"
        case .depositDays: "days after which a deposit that nobody accepted is deleted"
        }
    }
}

/// The quotas in force on a node: the defaults, and what its operator set.
package struct Quotas: Equatable, Sendable {
    private var changed: [Quota: Int] = [:]

    package init() {}

    package subscript(quota: Quota) -> Int {
        get { changed[quota] ?? quota.standard }
        set { changed[quota] = newValue }
    }

    /// For a change that only takes away: it writes an entry's tags or an agent's grants anew, and must go on in a vault that
    /// is full.
    var forTakingAway: Quotas {
        var quotas = self
        quotas[.bytes] += self[.bytes] / 8
        return quotas
    }
}

/// What a vault holds now, of what has a quota.
package struct VaultUsage: Equatable, Sendable {
    private var counts: [Quota: Int]

    package init(_ counts: [Quota: Int]) {
        self.counts = counts
    }

    package subscript(quota: Quota) -> Int { counts[quota] ?? 0 }

    /// The quotas that are counted in a vault, rather than over a time or per agent.
    package static let counted: [Quota] = [.bytes, .entries, .fields, .agents, .deposits, .sessions]

    /// The first quota that `after` exceeds and that it did not exceed as much before: who is above a quota, because it was
    /// lowered, can still make less of it.
    package static func exceeded(_ quotas: Quotas, before: VaultUsage, after: VaultUsage) -> Quota? {
        // Sessions give way instead.
        counted.first { $0 != .sessions && after[$0] > quotas[$0] && after[$0] > before[$0] }
    }
}
