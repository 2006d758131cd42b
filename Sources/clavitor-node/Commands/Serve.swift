import ArgumentParser
import Files
import FoundationEssentials
import Glibc
import Logging
import NodeCore
import RootKeySources
import SQLite
import ServerRuntime
import ServiceLifecycle
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
        ProcessMemory.limitHeapGrowth()
        try ProcessMemory.denyInspection()
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
        try directory.acquireLock()
        try Self.rejectNetworkFileSystem(directory)
        if serving.dev, !File.exists(directory.database) { _ = try directory.initialize(now: unixTime()) }

        let isFull = directory.releaseReserveIfLow()
        let isUnclean = try await UncleanShutdown(directory).run(logger)
        let node = try Node(directory, settings, logger: logger, isUnclean: isUnclean, now: unixTime)
        if isFull {
            node.health.note(.diskFull)
            // Whether revocations find space shows with the first attempt.
            if let free = FileStatus.freeSpace(directory.path), free < 1 << 19 { node.health.noteExhaustion() }
        }
        node.lockKeys(logger)
        var server = try NodeServer(node, directory, logger: logger)
        try await node.store.deleteAbandonedHolders()
        try await server.toleratingFullDisk { try await server.finishRotation() }
        try await server.toleratingFullDisk {
            try await node.record(AuditEvent(.nodeStart, by: .init(.node), reason: Version.current))
        }
        let isDevelopment = serving.dev
        server.onRunning = { port in
            if isDevelopment { Self.printFirstSteps(directory, settings, port) }
        }
        var configuration = ServiceGroupConfiguration(
            services: try server.services().map { .init(service: $0, successTerminationBehavior: .ignore) },
            gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        configuration.maximumGracefulShutdownDuration = .seconds(20)
        configuration.maximumCancellationDuration = .seconds(5)
        do {
            try await ServiceGroup(configuration: configuration).run()
            await server.close()
        } catch {
            await server.close()
            try? await server.recordStop(reason: "failed")
            throw Failure(error, serving: settings.https, by: "The node")
        }
        try await server.recordStop(reason: "asked")
        logger.info("stopped")
    }

    static func rejectNetworkFileSystem(_ directory: DataDirectory) throws {
        if case .network(let name) = try FileSystem(folder: directory.path) {
            throw Failure("\(directory.path) is on \(name), where SQLite can lose data. Use a local disk.")
        }
    }

    private static func printFirstSteps(_ directory: DataDirectory, _ settings: NodeSettings, _ port: Int?) {
        print(
            """

            Clavitor is serving on https://\(settings.origin):\(port ?? settings.https.port) with a self-signed certificate. In another terminal:

                alias clavitor='swift run -q clavitor --ca-file \(directory.certificates.developmentCertificate)'
                clavitor register --server https://\(settings.origin):\(port ?? settings.https.port) --email you@example.com

            """)
        // Standard output is buffered when it is not a terminal.
        fflush(nil)
    }
}
