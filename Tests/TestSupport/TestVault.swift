package import Auth
package import IPNetworks
import NodeCore
package import SQLite
package import Storage
import Synchronization
package import Vault
package import VaultFormat

/// A complete node without HTTP, in a temporary directory, with a stopped clock.
///
/// Wired by the program's `VaultServices`. Tests tamper with its database through `file`.
package final class TestVault: Sendable {
    package let scratch: Scratch
    package let moments: Moments
    package let root: RootKeys
    package let keys: NodeKeys
    package let health = NodeHealth()
    package let disk = FakeDisk()
    /// Vaults whose records were found to be changed.
    package let damaged = DamagedVaults()
    package let store: Store
    private let services: VaultServices

    package var audit: AuditSealer { services.audit }
    package var failures: FailureLog { services.failures }
    package var limits: AbuseLimits { services.limits }
    package var locks: VaultLocks { services.locks }
    package var accounts: Accounts { services.accounts }
    package var authenticator: Authenticator { services.authenticator }
    package var entries: Entries { services.entries }
    package var agents: Agents { services.agents }
    package var trail: AuditTrail { services.trail }
    package var tokens: AgentTokens { services.tokens }
    package var idempotency: IdempotencyRecords { services.idempotency }

    /// The default client address.
    package static let home = IPAddress(bytes: [192, 0, 2, 7])!

    package struct Options: Sendable {
        package var registration = Accounts.Settings.Registration.open
        /// Seconds.
        package var sessionLifetime: Int64 = 30 * 86_400
        package var sessionIdle: Int64 = 86_400
        package var quotas = Quotas()
        package var isUnclean = false
        package var mostRecords = 700_000

        package init() {}
    }

    package convenience init(_ options: Options = Options()) throws {
        let scratch = try Scratch()
        let moments = Moments()
        let root = RootKeys.generate()
        try Store.create(path: scratch.file(Self.name), root: root, now: moments.now)
        try self.init(opening: scratch, root: root, moments: moments, options)
    }

    /// Opens an existing file, as after a restart.
    package init(opening scratch: Scratch, root: RootKeys, moments: Moments, _ options: Options = Options()) throws {
        let path = scratch.file(Self.name)
        let now = moments.source
        let health = self.health
        let keys = try NodeKeys(root: root, stored: try Store.nodeKey(path: path))
        let store = try Store(
            path: path,
            journal: AuditJournal(
                key: keys.auditHeadKey, mostRecords: options.mostRecords, onFault: { _ = health.note($0) },
                onDamage: { [damaged] vault, _ in damaged.add(vault) }),
            health: health, now: now, freeSpace: { [disk] in disk.free })
        var settings = Accounts.Settings(
            registration: options.registration, sessionLifetime: options.sessionLifetime)
        settings.quotas = options.quotas
        settings.isUnclean = options.isUnclean
        services = try VaultServices(
            store: store, keys: keys, settings: settings, sessionIdle: options.sessionIdle, now: now)
        self.scratch = scratch
        self.moments = moments
        self.root = root
        self.keys = keys
        self.store = store
    }

    package static let name = "vault.db"
    package var path: String { scratch.file(Self.name) }

    /// An attacker's connection to the file, without foreign keys and observer.
    package func file() throws -> Connection {
        try Connection(path: path, access: .readWrite)
    }

    /// Runs SQL on the node's own writer: triggers, limits.
    package func sabotage(_ sql: String) async throws {
        try await store.database.maintain { try $0.script(sql) }
    }

    /// The single number that a query returns.
    package func count(_ sql: StaticString) throws -> Int {
        try file().first(sql) { $0.int(0) } ?? 0
    }

    /// Runs the daily verification of the audit log.
    package func verification() async throws -> AuditVerification.Report {
        try await AuditVerification(headKey: keys.auditHeadKey, root: keys.root) { [audit] in try audit.open($0) }.run(
            store.database)
    }

    /// Authenticates a token.
    package func principal(
        _ token: Token, from address: IPAddress? = TestVault.home, on connection: OpenHolders? = nil
    ) async throws -> Principal {
        try await authenticator.principal(token: token.text, from: address, on: connection)
    }
}

/// What a node's `onDamage` was called with.
package final class DamagedVaults: Sendable {
    private let vaults = Mutex<Set<VaultID>>([])

    package var all: Set<VaultID> { vaults.withLock { $0 } }
    func add(_ vault: VaultID) { vaults.withLock { _ = $0.insert(vault) } }
}
