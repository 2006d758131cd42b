import API
import Auth
import Backup
import Hummingbird
package import Logging
import NIOCore
import NIOPosix
import RootKeySources
import SQLite
package import ServiceLifecycle
package import Serving
import Storage
import Vault
import VaultFormat

/// A node that serves: HTTPS with its certificates, and everything that runs beside it.
package struct NodeServer: Sendable {
    private let node: Node
    private let directory: DataDirectory
    private let logger: Logger
    private let certificates: Certificates
    private let port = Shared<Int?>(nil)
    private let heartbeats: Heartbeats?
    private let supervision: Supervision?
    package let https: HTTPSServer
    /// Called with the port once the node listens.
    package var onRunning: @Sendable (Int?) -> Void = { _ in }

    /// `spans`: How long a request and its answer may take.
    package init(
        _ node: Node, _ directory: DataDirectory, logger: Logger, spans: RequestDeadline.Spans = .standard
    ) throws {
        self.node = node
        self.directory = directory
        self.logger = logger
        let settings = node.settings
        certificates = try Certificates(
            settings.certificate, name: settings.origin, in: directory.certificates, address: settings.https,
            port: port, logger: logger, record: CertificateRecord(node: node, logger: logger).add)
        heartbeats = try settings.push.map { [certificates] in
            try Heartbeats($0, node, directory, certificates, logger: logger)
        }
        supervision = Supervision(logger: logger) { try await node.store.ping() }
        https = HTTPSServer(
            address: settings.https, served: certificates.served, limits: settings.limits, logger: logger, spans: spans)
    }

    /// The HTTPS server alone.
    package func application() throws -> some Service {
        var https = https
        https.onRunning = { [port, logger, supervision, onRunning] channel in
            logger.info("serving", metadata: ["address": "\(channel.localAddress?.description ?? "-")"])
            port.value = channel.localAddress?.port
            supervision?.tellReady()
            onRunning(channel.localAddress?.port)
        }
        return https.application(
            responder: try node.api.router().buildResponder(), on: MultiThreadedEventLoopGroup.singleton)
    }

    /// Everything that runs while the node serves, in the order of its start.
    package func services() throws -> [any Service] {
        let settings = node.settings
        var services = Maintenance(node: node, directory: directory, logger: logger).services
        if let backup = settings.backup { services.append(try backups(backup)) }
        services += certificates.services
        if let heartbeats { services.append(heartbeats.service) }
        if let supervision { services.append(supervision) }
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

    /// Once the services have ended.
    package func close() async {
        await certificates.close()
        await heartbeats?.close()
    }

    /// Writes the last lines of the audit log.
    package func recordStop(reason: String) async throws {
        try await evenOnAFullDisk { try await node.failures.flush(isStopping: true) }
        try await evenOnAFullDisk {
            try await node.record(AuditEvent(.nodeStop, by: .init(.node), reason: reason))
        }
        try await evenOnAFullDisk { try await node.store.database.truncateWAL(ignoringBackOff: true) }
    }

    /// On a disk that takes nothing the node starts and stops all the same: it says why it does nothing, and goes on by itself
    /// when there is room.
    package func evenOnAFullDisk(_ write: () async throws -> Void) async throws {
        do {
            try await write()
        } catch  where node.health.mode == .readOnly(.diskFull) {
            logger.critical("the disk is full; this is not on record", metadata: ["error": "\(error)"])
        }
    }

    /// Goes on with a rotation of the root key that was begun or interrupted.
    package func finishRotation() async throws {
        let root = node.keys.root
        guard root.ids.count > 1 else { return }
        let renewed = try await RootKeyRotation(node.store.database, root: root).run()
        try await node.record(AuditEvent(.rootKeyRotate, by: .init(.node), reason: "key \(root.current)"))
        let figures: Logger.Metadata = ["current": "\(root.current)", "renewed": "\(renewed)"]
        guard directory.rootKeySource.isReplaceable else {
            logger.notice("root key rotated; keep only the last line of the credential", metadata: figures)
            return
        }
        try directory.rootKeySource.replace(with: root.retiringOthers())
        logger.notice("root key rotated", metadata: figures)
    }

    private func backups(_ settings: NodeSettings.BackupSettings) throws -> Periodic {
        let job = BackupJob(
            node: node, folder: BackupFolder(path: settings.folder),
            recipients: try settings.recipients.map { try AgeRecipient($0) }, keep: settings.keep)
        let every = settings.every.seconds
        let backOff = BackOff()
        return Periodic(name: "backup", interval: .seconds(min(every, 300)), logger: logger) {
            guard backOff.hasElapsed(at: node.now()), try await job.isDue(every: every) else { return }
            let written = try await backOff.run(at: node.now()) { try await job.run() }
            logger.info(
                "backup written", metadata: ["name": "\(written.name.fileName)", "bytes": "\(written.byteCount)"])
        }
    }
}
