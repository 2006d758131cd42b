import API
import ArgumentParser
import Auth
import Backup
import Files
import FoundationEssentials
import Glibc
import Hummingbird
import Logging
import NIOCore
import NIOPosix
import NodeCore
import RootKeySources
import SQLite
import ServiceLifecycle
import Serving
import Storage
import UnixSignals
import Vault
import VaultFormat
import Wire

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Serve the vault over HTTPS.")

    @OptionGroup var options: DataOptions
    @OptionGroup var serving: ServeOptions

    func run() async throws {
        ProcessMemory.keepSmall()
        try ProcessMemory.hide()
        let settings = try NodeSettings(serving)
        let directory = options.directory
        if !serving.dev { try directory.requireVault() }
        guard let level = Logger.Level(rawValue: settings.logLevel) else {
            throw Failure(
                "--log-level must be trace, debug, info, notice, warning, error or critical, not \"\(settings.logLevel)\"."
            )
        }
        LoggingSystem.bootstrap { _ in JSONLog(logLevel: level) }
        let logger = Logger(label: "clavitor-node")
        try directory.takeLock()
        try Self.refuseNetworkFileSystem(directory)
        if serving.dev, !File.exists(directory.database) { _ = try directory.initialize(now: unixTime()) }

        let isFull = directory.giveReserveBackIfFull()
        let isUnclean = try await UncleanStop(directory).run(logger)
        let node = try Node(directory, settings, logger: logger, isUnclean: isUnclean, now: unixTime)
        if isFull {
            node.health.note(.diskFull)
            // Whether anything can be taken away shows with the first try.
            if let free = FileFacts.freeSpace(directory.path), free < 1 << 19 { node.health.noteExhaustion() }
        }
        node.lockKeys(logger)
        let port = Shared<Int?>(nil)
        let certificates = try Certificates(
            settings.certificate, name: settings.origin, in: directory.certificates, address: settings.https,
            port: port,
            logger: logger, record: CertificateRecord(node: node, logger: logger).add)
        try await node.store.deleteAbandonedHolders()
        try await Self.evenOnAFullDisk(node, logger) { try await Self.finishRotation(node, directory, logger) }
        try await Self.evenOnAFullDisk(node, logger) {
            try await node.record(AuditEvent(.nodeStart, by: .init(.node), reason: Version.current))
        }

        var server = HTTPSServer(
            address: settings.https, served: certificates.served, limits: settings.limits, logger: logger)
        let supervision = Supervision(logger: logger) { try await node.store.ping() }
        let isDevelopment = serving.dev
        server.onRunning = { channel in
            logger.info("serving", metadata: ["address": "\(channel.localAddress?.description ?? "-")"])
            port.value = channel.localAddress?.port
            supervision?.tellReady()
            if isDevelopment { Self.sayWhatNext(directory, settings, channel.localAddress?.port) }
        }
        let maintenance = Maintenance(node: node, directory: directory, logger: logger)
        var services = maintenance.services
        if let backup = settings.backup { services.append(try Self.backups(backup, node, logger)) }
        services += certificates.services
        let heartbeats = try settings.push.map { try Heartbeats($0, node, directory, certificates, logger: logger) }
        if let heartbeats { services.append(heartbeats.service) }
        if let supervision { services.append(supervision) }
        let group = MultiThreadedEventLoopGroup.singleton
        if let http = settings.http {
            services.append(
                PlainHTTP(
                    address: http, challenges: certificates.challenges, names: settings.names,
                    served: certificates.served,
                    httpsPort: settings.https.port, group: group, logger: logger))
        }
        services.append(server.application(responder: try node.api.router().buildResponder(), on: group))
        var configuration = ServiceGroupConfiguration(
            services: services.map { .init(service: $0, successTerminationBehavior: .ignore) },
            gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        configuration.maximumGracefulShutdownDuration = .seconds(20)
        configuration.maximumCancellationDuration = .seconds(5)
        do {
            try await ServiceGroup(configuration: configuration).run()
            await certificates.close()
            await heartbeats?.close()
        } catch {
            await certificates.close()
            await heartbeats?.close()
            try? await Self.stop(node, reason: "failed", logger)
            throw Failure(error, serving: settings.https, by: "The node")
        }
        try await Self.stop(node, reason: "asked", logger)
        logger.info("stopped")
    }

    private static func stop(_ node: Node, reason: String, _ logger: Logger) async throws {
        try await evenOnAFullDisk(node, logger) { try await node.failures.flush(isStopping: true) }
        try await evenOnAFullDisk(node, logger) {
            try await node.record(AuditEvent(.nodeStop, by: .init(.node), reason: reason))
        }
        try await evenOnAFullDisk(node, logger) { try await node.store.database.truncateLog(evenSoon: true) }
    }

    /// On a disk that takes nothing the node starts and stops all the same: it says why it does nothing, and goes on by itself
    /// when there is room.
    private static func evenOnAFullDisk(
        _ node: Node, _ logger: Logger, _ write: () async throws -> Void
    ) async throws {
        do {
            try await write()
        } catch  where node.health.mode == .readOnly(.diskFull) {
            logger.critical("the disk is full; this is not on record", metadata: ["error": "\(error)"])
        }
    }

    static func refuseNetworkFileSystem(_ directory: DataDirectory) throws {
        if case .network(let name) = try FileSystem(folder: directory.path) {
            throw Failure("\(directory.path) is on \(name). SQLite loses data there; use a local disk.")
        }
    }

    /// Goes on with a rotation of the root key that was begun or interrupted.
    private static func finishRotation(_ node: Node, _ directory: DataDirectory, _ logger: Logger) async throws {
        guard node.keys.root.ids.count > 1 else { return }
        let renewed = try await RootKeyRotation(node.store.database, root: node.keys.root).run()
        try await node.record(AuditEvent(.rootKeyRotate, by: .init(.node), reason: "key \(node.keys.root.current)"))
        guard directory.rootKeySource.isReplaceable else {
            logger.notice(
                "root key rotated; keep only the last line of the credential",
                metadata: ["current": "\(node.keys.root.current)", "renewed": "\(renewed)"])
            return
        }
        try directory.rootKeySource.replace(with: node.keys.root.retiringOthers())
        logger.notice("root key rotated", metadata: ["current": "\(node.keys.root.current)", "renewed": "\(renewed)"])
    }

    private static func backups(_ settings: NodeSettings.BackupSettings, _ node: Node, _ logger: Logger) throws
        -> Periodic
    {
        let job = BackupJob(
            node: node, folder: BackupFolder(path: settings.folder),
            recipients: try settings.recipients.map { try AgeRecipient($0) },
            keep: settings.keep)
        let every = settings.every.seconds
        let pause = GrowingPause()
        return Periodic(name: "backup", interval: .seconds(min(every, 300)), logger: logger) {
            guard pause.isOver(at: node.now()), try await job.isDue(every: every) else { return }
            let written = try await pause.noting(at: node.now()) { try await job.run() }
            logger.info(
                "backup written", metadata: ["name": "\(written.name.fileName)", "bytes": "\(written.byteCount)"])
        }
    }

    private static func sayWhatNext(_ directory: DataDirectory, _ settings: NodeSettings, _ port: Int?) {
        print(
            """

            Clavitor is serving on https://\(settings.origin):\(port ?? settings.https.port) with a certificate of its own. In another terminal:

                alias clavitor='swift run -q clavitor --ca-file \(directory.certificates.developmentCertificate)'
                clavitor register --server https://\(settings.origin):\(port ?? settings.https.port) --email you@example.com

            """)
        // Standard output is buffered when it is not a terminal.
        fflush(nil)
    }
}
