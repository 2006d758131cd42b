package import Auth
package import Storage
package import Vault
package import VaultFormat

/// Wires the use cases of a node on one store.
package struct VaultServices: Sendable {
    package let audit: AuditSealer
    package let failures: FailureLog
    package let locks: VaultLocks
    package let limits: AbuseLimits
    package let accounts: Accounts
    package let authenticator: Authenticator
    package let entries: Entries
    package let agents: Agents
    package let trail: AuditTrail
    package let tokens: AgentTokens
    package let idempotency: IdempotencyRecords

    /// `sessionIdle`: Seconds of inactivity after which a session ends.
    package init(
        store: Store, keys: NodeKeys, settings: Accounts.Settings, sessionIdle: Int64,
        now: @escaping @Sendable () -> Int64
    ) throws {
        audit = AuditSealer(keys: keys, now: now) { try store.auditKey(of: $0) }
        failures = FailureLog(audit: audit, now: now) { try await store.commit($0, $1) }
        locks = VaultLocks()
        limits = AbuseLimits(keys: keys, now: now) { try store.abuseRow($0) }
        let work = WorkQueue(locks: locks, now: now)
        let operations = OperationBudget(
            perDay: settings.quotas[.operationsPerDay], isUnclean: settings.isUnclean, now: now)
        let unit = UnitOfWork(
            store: store, audit: audit, locks: locks, work: work, operations: operations, now: now)
        accounts = try Accounts(
            store: store, unit: unit, keys: keys, limits: limits, failures: failures,
            settings: settings)
        authenticator = Authenticator(
            store: store, keys: keys, audit: audit, failures: failures, sessionIdle: sessionIdle, now: now)
        entries = Entries(
            unit: unit, keys: keys, quotas: settings.quotas,
            rates: AgentRates(isUnclean: settings.isUnclean, now: now))
        agents = Agents(entries: entries)
        trail = AuditTrail(unit: unit)
        tokens = AgentTokens(keys: keys, now: now)
        idempotency = IdempotencyRecords(store: store, now: now)
    }
}
