import API
import Auth
import Backup
import Hummingbird
package import Logging
import NIOCore
import NIOPosix
import RootKeySources
import SQLite
package import ServerRuntime
package import ServiceLifecycle
import Storage
import Vault
import VaultFormat

/// Serves a node: HTTPS with its certificates, and all background services.
package struct NodeServer: Sendable {
    private let node: Node
    private let directory: DataDirectory
    private let logger: Logger
    private let certificates: Certificates
    private let port = Shared<Int?>(nil)
    private let heartbeats: Heartbeats?
    private let systemd: SystemdNotifier?
    package let https: HTTPSServer
    /// Called with the port once the node listens.
    package var onRunning: @Sendable (Int?) -> Void = { _ in }

    /// `timeouts`: The timeouts of requests and responses.
    package init(
        _ node: Node, _ directory: DataDirectory, logger: Logger, timeouts: RequestDeadline.Timeouts = .standard
    ) throws {
        self.node = node
        self.directory = directory
        self.logger = logger
        let settings = node.settings
        certificates = try Certificates(
            settings.certificate, name: settings.origin, in: directory.certificates, address: settings.https,
            port: port, logger: logger, record: CertificateEventRecorder(node: node, logger: logger).add)
        heartbeats = try settings.push.map { [certificates] in
            try Heartbeats($0, node, directory, certificates, logger: logger)
        }
        systemd = SystemdNotifier(logger: logger) { try await node.store.ping() }
        https = HTTPSServer(
            address: settings.https, served: certificates.served, limits: settings.limits, logger: logger,
            timeouts: timeouts)
    }

    /// The HTTPS server alone.
    package func application() throws -> some Service {
        var https = https
        https.onRunning = { [port, logger, systemd, onRunning] channel in
            logger.info("serving", metadata: ["address": "\(channel.localAddress?.description ?? "-")"])
            port.value = channel.localAddress?.port
            systemd?.notifyReady()
            onRunning(channel.localAddress?.port)
        }
        return https.application(
            responder: try node.api.router().buildResponder(), on: MultiThreadedEventLoopGroup.singleton)
    }

    /// All services, in start order.
    package func services() throws -> [any Service] {
        let settings = node.settings
        var services = Maintenance(node: node, directory: directory, logger: logger).services
        let backup = try settings.backup.map { try job($0) }
        if let backup, let every = settings.backup?.every.seconds { services.append(backups(backup, every: every)) }
        services.append(
            ControlServer(
                path: directory.controlSocket, handler: ControlHandler(node: node, backup: backup), logger: logger))
        services += certificates.services
        if let heartbeats { services.append(heartbeats.service) }
        if let systemd { services.append(systemd) }
        if let http = settings.http {
            services.append(
                PlainHTTP(
                    address: http, challenges: certificates.challenges, names: settings.names,
                    served: certificates.served, httpsPort: settings.https.port,
                    group: MultiThreadedEventLoopGroup.singleton, logger: logger))
        }
        services.append(try application())
        return services
    }

    /// Call after the services have ended.
    package func close() async {
        await certificates.close()
        await heartbeats?.close()
    }

    /// Writes the last audit lines of a clean shutdown.
    package func recordStop(reason: String) async throws {
        try await toleratingFullDisk { try await node.failures.flush(isStopping: true) }
        try await toleratingFullDisk {
            try await node.record(AuditEvent(.nodeStop, by: .init(.node), reason: reason))
        }
        try await toleratingFullDisk { try await node.store.database.truncateWAL(ignoringBackOff: true) }
    }

    /// Performs a write whose failure on a full disk is logged and ignored, so that the node can start and stop. It recovers by
    /// itself when there is space.
    package func toleratingFullDisk(_ write: () async throws -> Void) async throws {
        do {
            try await write()
        } catch  where node.health.mode == .readOnly(.diskFull) {
            logger.critical("the disk is full; the event is not in the audit log", metadata: ["error": "\(error)"])
        }
    }

    /// Completes a root key rotation that was started or interrupted.
    package func finishRotation() async throws {
        let root = node.keys.root
        guard root.ids.count > 1 else { return }
        let renewed: Int
        do {
            renewed = try await RootKeyRotation(node.store, root: root, audit: node.audit).run()
        } catch VaultError.vaultDamaged {
            // The others are served; the old key stays, as the damaged vault still requires it.
            logger.critical("the rotation of the root key waits until the damaged vault is accepted or restored")
            return
        }
        try await node.record(AuditEvent(.rootKeyRotate, by: .init(.node), reason: "key \(root.current)"))
        let figures: Logger.Metadata = ["current": "\(root.current)", "renewed": "\(renewed)"]
        guard directory.rootKeySource.isReplaceable else {
            logger.notice("root key rotated; keep only the last line of the credential", metadata: figures)
            return
        }
        try directory.rootKeySource.replace(with: root.retiringOthers())
        logger.notice("root key rotated", metadata: figures)
    }

    private func job(_ settings: NodeSettings.BackupSettings) throws -> BackupJob {
        BackupJob(
            node: node, folder: BackupFolder(path: settings.folder),
            recipients: try settings.recipients.map { try AgeRecipient($0) }, keep: settings.keep)
    }

    private func backups(_ job: BackupJob, every: Int64) -> Periodic {
        let backOff = BackOff()
        return Periodic(name: "backup", interval: .seconds(min(every, 300)), logger: logger) {
            guard backOff.hasElapsed(at: node.now()), try await job.isDue(every: every) else { return }
            let written = try await backOff.run(at: node.now()) { try await job.run() }
            logger.info(
                "backup written", metadata: ["name": "\(written.name.fileName)", "bytes": "\(written.byteCount)"])
        }
    }
}
