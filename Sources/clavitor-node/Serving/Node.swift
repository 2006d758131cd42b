import API
import Auth
import Crypto
import Files
import FoundationEssentials
import Hummingbird
import Logging
import Serving
import Storage
import Vault
import VaultFormat
import Wire

/// A node put together: the one place that knows every module. Serves the program and the tests.
struct Node: Sendable {
    let keys: NodeKeys
    let store: Store
    let health: NodeHealth
    let journal: AuditJournal
    /// What the last verification of the audit log found; nil before the first.
    let isAuditWell = Shared<Bool?>(nil)
    let audit: AuditSealer
    let failures: FailureLog
    let api: NodeAPI
    let settings: Settings
    let now: @Sendable () -> Int64
    let mark: DamageMark
    let locks: VaultLocks

    /// `isUnclean`: Whether the process before this one ended without a word, see `Recovery`.
    init(
        _ directory: DataDirectory, _ settings: Settings, logger: Logger, isUnclean: Bool = false,
        now: @escaping @Sendable () -> Int64
    ) throws {
        let keys = try directory.nodeKeys()
        let mark = DamageMark(path: directory.damageMark)
        let health = NodeHealth { mark.set("found while running") }
        if mark.isSet { health.note(.damaged) }
        let onFault: @Sendable (any Error) -> Void = { error in
            if health.note(error) {
                logger.critical("the node goes read-only", metadata: ["mode": "\(health.mode)", "error": "\(error)"])
            }
        }
        let journal = AuditJournal(key: keys.auditHeadKey, onFault: onFault)
        let store = try Store(path: directory.database, journal: journal, health: health, now: now) {
            FileFacts.freeSpace(directory.path)
        }
        let audit = AuditSealer(keys: keys, now: now) { try store.auditKey(of: $0) }
        let failures = FailureLog(audit: audit, now: now) { try await store.commit($0, $1) }
        let locks = VaultLocks()
        let work = WorkQueue(locks: locks, now: now)
        let quotas = settings.quotas
        let operations = OperationBudget(
            perDay: quotas[.operationsPerDay], isUnclean: isUnclean, now: now)
        let unit = UnitOfWork(
            store: store, audit: audit, locks: locks, work: work, operations: operations, now: now)
        let limits = AbuseLimits(keys: keys, now: now) { try store.abuseRow($0) }
        let entries = Entries(
            unit: unit, keys: keys, quotas: quotas, rates: AgentRates(isUnclean: isUnclean, now: now))
        var accountSettings = Accounts.Settings(
            registration: settings.registration, sessionLifetime: settings.sessionLifetime.seconds)
        accountSettings.quotas = quotas
        accountSettings.isUnclean = isUnclean
        self.keys = keys
        self.store = store
        self.health = health
        self.journal = journal
        self.audit = audit
        self.failures = failures
        self.settings = settings
        self.now = now
        self.mark = mark
        self.locks = locks
        api = NodeAPI(
            accounts: Accounts(
                store: store, unit: unit, keys: keys, limits: limits, failures: failures, operations: operations,
                settings: accountSettings),
            authenticator: Authenticator(
                store: store, keys: keys, failures: failures, sessionIdle: settings.sessionIdle.seconds,
                now: now),
            entries: entries,
            roster: AgentRoster(entries: entries),
            trail: AuditTrail(store: store, sealer: audit, work: work, now: now),
            tokens: AgentTokens(keys: keys, now: now),
            idempotency: IdempotencyRecords(store: store, now: now),
            counters: RequestCounters(now: now),
            node: NodeBody(
                origin: settings.origin, version: Version.current, registration: settings.registration.rawValue),
            nodes: try settings.nodes.map(Self.fleet) ?? NodesBody(nodes: []), cursorKey: keys.cursorKey,
            readiness: {
                switch health.mode {
                case .normal: []
                case .readOnly(let fault): ["read-only: \(fault.rawValue)"]
                case .closed(let fault): ["closed: \(fault.rawValue)"]
                }
            },
            onFault: { error in
                if error is VaultError || error is RootBoxError || error is BoxError {
                    health.note(NodeHealth.Fault.damaged)
                } else {
                    onFault(error)
                }
            })
    }

    var verification: AuditVerification {
        AuditVerification(headKey: keys.auditHeadKey) { [audit] in try audit.open($0) }
    }

    /// Keeps the node's own keys out of swap, as far as the limit on locked memory goes.
    func lockKeys(_ logger: Logger) {
        let isLocked = keys.all.allSatisfy { ProcessMemory.lock($0) }
        if !isLocked { logger.notice("the node's keys could not be locked in memory; keep swap off or encrypted") }
    }

    /// Puts something that the node itself did on record.
    func record(_ event: AuditEvent) async throws {
        try await store.record([try audit.seal(event, vault: nil)])
    }

    private static func fleet(_ path: String) throws -> NodesBody {
        do {
            return try JSONDecoder().decode(NodesBody.self, from: Data(try File.read(path, most: 1 << 20).utf8))
        } catch let error as DecodingError {
            throw Failure("\(path) does not list nodes: \(error)")
        }
    }
}
