package import API
package import Auth
import Crypto
import Files
import FoundationEssentials
import Hummingbird
package import Logging
package import Serving
package import Storage
package import Vault
package import VaultFormat
import Wire

/// A node put together: the one place that knows every module. Serves the program and the tests.
package struct Node: Sendable {
    package let keys: NodeKeys
    package let store: Store
    package let health: NodeHealth
    package let journal: AuditJournal
    /// What the last verification of the audit log found; nil before the first.
    package let isAuditWell = Shared<Bool?>(nil)
    package let services: VaultServices
    package let api: NodeAPI
    package let settings: NodeSettings
    package let now: @Sendable () -> Int64
    package let mark: DamageMark

    /// `isUnclean`: Whether the process before this one ended without a word, see `UncleanStop`.
    package init(
        _ directory: DataDirectory, _ settings: NodeSettings, logger: Logger, isUnclean: Bool = false,
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
            FileStatus.freeSpace(directory.path)
        }
        var accounts = Accounts.Settings(
            registration: settings.registration, sessionLifetime: settings.sessionLifetime.seconds)
        accounts.quotas = settings.quotas
        accounts.isUnclean = isUnclean
        services = VaultServices(
            store: store, keys: keys, settings: accounts, sessionIdle: settings.sessionIdle.seconds, now: now)
        self.keys = keys
        self.store = store
        self.health = health
        self.journal = journal
        self.settings = settings
        self.now = now
        self.mark = mark
        api = NodeAPI(
            accounts: services.accounts, authenticator: services.authenticator, entries: services.entries,
            agents: services.agents, trail: services.trail, tokens: services.tokens,
            idempotency: services.idempotency,
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

    package var audit: AuditSealer { services.audit }
    package var failures: FailureLog { services.failures }
    package var locks: VaultLocks { services.locks }

    package var verification: AuditVerification {
        AuditVerification(headKey: keys.auditHeadKey) { [audit] in try audit.open($0) }
    }

    /// Keeps the node's own keys out of swap, as far as the limit on locked memory goes.
    package func lockKeys(_ logger: Logger) {
        let isLocked = keys.all.allSatisfy { ProcessMemory.lock($0) }
        if !isLocked { logger.notice("the node's keys could not be locked in memory; keep swap off or encrypted") }
    }

    /// Puts something that the node itself did on record.
    package func record(_ event: AuditEvent) async throws {
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

extension Node {
    /// For a command beside or instead of `serve`: the same node without a network.
    package init(offline directory: DataDirectory) throws {
        try self.init(
            directory, NodeSettings(origin: "localhost"),
            logger: Logger(label: "clavitor-node") { _ in SwiftLogNoOpLogHandler() },
            now: unixTime)
    }
}
