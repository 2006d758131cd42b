package import API
package import Auth
import Crypto
import Files
import FoundationEssentials
import Hummingbird
package import Logging
package import ServerRuntime
package import Storage
package import Telemetry
package import Vault
package import VaultFormat
import Wire

/// Wires a node from all its modules, for the program and for tests.
package final class Node: Sendable {
    package let keys: NodeKeys
    package let store: Store
    package let health: NodeHealth
    package let journal: AuditJournal
    /// The result of the last audit verification; nil before the first.
    package let isAuditVerified = Shared<Bool?>(nil)
    /// Commits of other programs that were noticed since the start.
    package let foreignCommits = Shared(0)
    package let services: VaultServices
    package let api: NodeAPI
    package let settings: NodeSettings
    package let now: @Sendable () -> Int64
    package let damageMark: DamageMark
    /// Requests a heartbeat at once when access was taken, so that a restored older file cannot hide it until the next one.
    package let heartbeatRequests: HeartbeatRequests

    /// `isUnclean`: Whether the previous process ended without a clean shutdown, see `UncleanShutdown`.
    package init(
        _ directory: DataDirectory, _ settings: NodeSettings, logger: Logger, isUnclean: Bool = false,
        now: @escaping @Sendable () -> Int64
    ) throws {
        let keys = try directory.nodeKeys()
        let damageMark = DamageMark(path: directory.damageMark)
        let health = NodeHealth { damageMark.set("found while running") }
        if damageMark.isSet { health.note(.damaged) }
        let onFault: @Sendable (any Error) -> Void = { error in
            if health.note(error) {
                logger.critical("the node is now read-only", metadata: ["mode": "\(health.mode)", "error": "\(error)"])
            }
        }
        let journal = AuditJournal(
            key: keys.auditHeadKey, onFault: onFault,
            onDamage: { [isAuditVerified] vault, finding in
                isAuditVerified.value = false
                if vault == .node { health.note(.damaged) }
                logger.critical(
                    "records were changed by another program; the vault is not served",
                    metadata: ["vault": "\(vault == .node ? "the node's own" : vault.text)", "finding": "\(finding)"])
            },
            onForeignCommit: { [foreignCommits] in
                foreignCommits.value += 1
                logger.critical("another program wrote to the database; only the node may, while it serves")
            })
        let heartbeatRequests = HeartbeatRequests()
        let store = try Store(
            path: directory.database, journal: journal, health: health, now: now,
            freeSpace: { FileStatus.freeSpace(directory.path) }, onAccessTaken: { heartbeatRequests.request() })
        var accounts = Accounts.Settings(
            registration: settings.registration, sessionLifetime: settings.sessionLifetime.seconds)
        accounts.quotas = settings.quotas
        accounts.isUnclean = isUnclean
        accounts.web = WebOrigin(name: settings.origin, port: settings.https.port)
        services = try VaultServices(
            store: store, keys: keys, settings: accounts, sessionIdle: settings.sessionIdle.seconds, now: now)
        self.keys = keys
        self.store = store
        self.health = health
        self.journal = journal
        self.settings = settings
        self.now = now
        self.damageMark = damageMark
        self.heartbeatRequests = heartbeatRequests
        api = NodeAPI(
            accounts: services.accounts, authenticator: services.authenticator, entries: services.entries,
            agents: services.agents, trail: services.trail, tokens: services.tokens,
            idempotency: services.idempotency,
            counters: RequestCounters(now: now),
            node: NodeBody(
                origin: settings.origin, version: Version.current, registration: settings.registration.rawValue),
            nodes: try settings.nodes.map(Self.readNodes) ?? NodesBody(nodes: []), cursorKey: keys.cursorKey,
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
        AuditVerification(headKey: keys.auditHeadKey, root: keys.root) { [audit] in try audit.open($0) }
    }

    /// Locks the node's keys in memory, as far as the limit on locked memory allows.
    package func lockKeys(_ logger: Logger) {
        let isLocked = keys.all.allSatisfy { ProcessMemory.lock($0) }
        if !isLocked { logger.notice("the node's keys are not locked in memory; disable or encrypt swap") }
    }

    /// Writes an event of the node itself to the audit log.
    package func record(_ event: AuditEvent) async throws {
        try await store.record([try audit.seal(event, vault: nil)])
    }

    private static func readNodes(_ path: String) throws -> NodesBody {
        do {
            return try JSONDecoder().decode(NodesBody.self, from: Data(try File.read(path, most: 1 << 20).utf8))
        } catch let error as DecodingError {
            throw Failure("\(path) must be a JSON list of nodes: \(error)")
        }
    }
}

extension Node {
    /// A node without network, for commands other than `serve`. Only a command that holds the directory's lock may change anything.
    package convenience init(offline directory: DataDirectory) throws {
        try self.init(
            directory, NodeSettings(origin: "localhost"),
            logger: Logger(label: "clavitor-node") { _ in SwiftLogNoOpLogHandler() }, now: unixTime)
    }
}
