/// The quotas of a tenant. Settings, API, command line and documentation are derived from this table.
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

    /// Maximum that an operator may set. One audit line lists all readers of a field, which bounds the number of agents.
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

    /// Description for operators and owners.
    package var meaning: String {
        switch self {
        case .bytes:
            "bytes of a vault at rest: values of every version, metadata, wrapped keys, search terms, idempotency records"
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

/// A node's quotas: the defaults and the operator's settings.
package struct Quotas: Equatable, Sendable {
    private var changed: [Quota: Int] = [:]

    package init() {}

    package subscript(quota: Quota) -> Int {
        get { changed[quota] ?? quota.standard }
        set { changed[quota] = newValue }
    }

    /// For a narrowing change, which rewrites an entry's tags or an agent's grants and must work in a full vault.
    var forNarrowing: Quotas {
        var quotas = self
        quotas[.bytes] += self[.bytes] / 8
        return quotas
    }
}

/// A vault's current usage of its quotas.
package struct VaultUsage: Equatable, Sendable {
    private var counts: [Quota: Int]

    package init(_ counts: [Quota: Int]) {
        self.counts = counts
    }

    package subscript(quota: Quota) -> Int { counts[quota] ?? 0 }

    /// The quotas that are counted per vault, rather than per time or per agent.
    package static let counted: [Quota] = [.bytes, .entries, .fields, .agents, .deposits, .sessions]

    /// Returns the first quota that `after` exceeds by more than `before` did. A vault above a lowered quota can still reduce its
    /// usage.
    package static func exceeded(_ quotas: Quotas, before: VaultUsage, after: VaultUsage) -> Quota? {
        // The oldest sessions end instead.
        counted.first { $0 != .sessions && after[$0] > quotas[$0] && after[$0] > before[$0] }
    }
}
