import ArgumentParser
import Autocert
import Backup
import Files
import FoundationEssentials
import Hummingbird
import Logging
import Monitor
import NIOCore
import NIOPosix
import SQLite
import ServerRuntime
import ServiceLifecycle
import UnixSignals
import Wire

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the monitor: receive and evaluate heartbeats, notify, and serve the dashboard.")

    @OptionGroup var options: DataOptions
    @OptionGroup var serving: ServeOptions

    func run() async throws {
        ProcessMemory.limitHeapGrowth()
        try ProcessMemory.denyInspection()
        let settings = try Settings(serving)
        LoggingSystem.bootstrap { _ in JSONLog(logLevel: settings.logLevel) }
        let logger = Logger(label: "clavitor-monitor")
        try options.lock(isDevelopment: serving.dev)
        let diskSpace = DiskSpaceGuard(directory: options.data, logger: logger)
        // A database cannot be opened on a full disk.
        diskSpace.check()
        let store = try options.storeCreatedIfNeeded(gathering: 20)
        if let access = settings.access {
            do {
                try await store.apply(access, now: wallTime())
            } catch {
                // On a full disk the list of the last start remains in effect.
                logger.error("the list of nodes could not be applied", metadata: ["error": "\(error)"])
            }
        }
        let outbox = Outbox(alerts: store.alerts, recipients: settings.notifications.recipients)
        let notifier = Notifier(
            outbox: outbox, settings: settings.notifications, clock: ContinuousClock(), now: wallTime, logger: logger)
        let web = try WebSender(trustedPEM: settings.trustedPEM, proxy: settings.proxy)
        do {
            let watch = try await Self.watch(store, diskSpace, settings, notifier, web, logger)
            try await serve(watch, store, outbox, notifier, web, settings, logger)
        } catch {
            try? await web.shutdown()
            throw error
        }
        try await web.shutdown()
        logger.info("stopped")
    }

    private static func watch(
        _ store: MonitorStore, _ diskSpace: DiskSpaceGuard, _ settings: Settings, _ notifier: Notifier<ContinuousClock>,
        _ web: WebSender, _ logger: Logger
    ) async throws -> Watch {
        try await Watch(
            store: store, timing: settings.timing, locations: settings.locations,
            dependencies: .init(probe: { await web.isAnswered($0) }), diskSpace: diskSpace, logger: logger
        ) { changes, record in
            try await notifier.notify(changes, record: record)
            for change in changes {
                logger.notice(
                    "incident",
                    metadata: [
                        "kind": "\(change.kind)", "key": "\(change.incident.key)",
                        "severity": "\(change.incident.severity)",
                        "inhibited_by": "\(change.incident.inhibitedBy ?? "-")",
                    ])
            }
        }
    }

    private func serve(
        _ watch: Watch, _ store: MonitorStore, _ outbox: Outbox, _ notifier: Notifier<ContinuousClock>,
        _ web: WebSender,
        _ settings: Settings, _ logger: Logger
    ) async throws {
        let senders = try ChannelFactory(web: web, mail: try MailSender(trustedPEM: settings.trustedPEM))
            .senders(settings.notifications)
        let delivery = Delivery(
            outbox: outbox, senders: senders, dependencies: .init(clock: ContinuousClock(), now: wallTime),
            logger: logger)
        let operators = Operators(store: store, now: wallTime)
        let deadMansSwitch = try settings.deadMansSwitch.map { try Self.deadMansSwitch($0, web) }
        let port = Shared<Int?>(nil)
        let certificates = try Certificates(
            settings.certificate, name: "localhost", in: CertificatePaths(data: options.data),
            address: settings.https, port: port, logger: logger)
        let served = certificates.served
        let api = MonitorAPI(
            watch: watch, operators: operators, version: Version.current,
            deliveries: { try? await delivery.statistics() },
            certificate: {
                served.current.map {
                    CertificateValidity(from: milliseconds($0.notBefore), until: milliseconds($0.notAfter))
                }
            }, tester: ChannelTester(senders, now: wallTime))
        let group = MultiThreadedEventLoopGroup.singleton
        try await Self.warnAboutMissingSetup(store, operators, logger)

        var services: [any Service] = [
            notifier, delivery, watch,
            Periodic(name: "nodes", interval: .seconds(5), logger: logger) { try await watch.reloadNodes() },
        ]
        services.append(
            Periodic(name: "disk", interval: .seconds(5), logger: logger) {
                if store.alerts.fallbackReason != nil { watch.diskSpace?.recordWriteFailure() }
                watch.diskSpace?.check()
                await store.alerts.returnToFile()
            })
        services.append(
            Periodic(name: "own health", interval: .seconds(5), logger: logger) { await api.check.report() })
        services += certificates.services
        if let backup = settings.backup {
            let folder = BackupFolder(path: backup.directory)
            let backOff = BackOff()
            services.append(
                Periodic(name: "backup", interval: .seconds(min(backup.every, 300)), logger: logger) {
                    let now = wallTime() / 1_000
                    guard backOff.hasElapsed(at: now), watch.diskSpace?.isLow != true else { return }
                    try await backOff.run(at: now) { try await Self.backUp(store, to: folder, backup, at: now) }
                })
        }
        if let deadMansSwitch {
            services.append(
                Periodic(name: "own heartbeat", interval: .milliseconds(settings.timing.interval * 2), logger: logger) {
                    try await deadMansSwitch.send(await api.check.healthProblems())
                })
        }
        if let http = settings.http {
            services.append(
                PlainHTTP(
                    address: http, challenges: certificates.challenges, names: settings.certificate.names,
                    served: certificates.served,
                    httpsPort: settings.https.port, group: group, logger: logger))
        }
        let systemd = SystemdNotifier(logger: logger) { try await store.ping() }
        if let systemd { services.append(systemd) }
        var server = HTTPSServer(
            address: settings.https, served: certificates.served, limits: settings.limits, logger: logger)
        server.onRunning = { channel in
            logger.info("serving", metadata: ["address": "\(channel.localAddress?.description ?? "-")"])
            port.value = channel.localAddress?.port
            systemd?.notifyReady()
        }
        services.append(server.application(responder: api.router().buildResponder(), on: group))
        var configuration = ServiceGroupConfiguration(
            services: services.map { .init(service: $0, successTerminationBehavior: .ignore) },
            gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        configuration.maximumGracefulShutdownDuration = .seconds(15)
        configuration.maximumCancellationDuration = .seconds(5)
        do {
            try await ServiceGroup(configuration: configuration).run()
        } catch {
            await certificates.close()
            throw Failure(error, serving: settings.https, by: "The monitor")
        }
        await store.alerts.returnToFile()
        await certificates.close()
    }

    /// Makes a backup, unless the latest one is younger than its interval.
    private static func backUp(
        _ store: MonitorStore, to folder: BackupFolder, _ plan: BackupPlan, at now: Int64
    ) async throws {
        if let age = try await folder.age(at: now), age < plan.every { return }
        try folder.requireFreeSpace(for: store.database.path)
        _ = try await folder.write(
            recipients: plan.recipients, now: Date(timeIntervalSince1970: Double(now))
        ) { path in
            try await store.database.copy(to: path)
        }
        _ = try await folder.prune(keep: plan.keep, now: now)
    }

    private static func deadMansSwitch(_ path: String, _ web: WebSender) throws -> DeadMansSwitch {
        let line = try File.read(path, most: 1 << 16).prefix { !$0.isNewline }
        do {
            return try DeadMansSwitch(url: line, send: web.send)
        } catch {
            throw Failure("\(path) \(error)")
        }
    }

    /// Warns about an incomplete setup: a monitor without nodes looks as healthy as one without incidents.
    private static func warnAboutMissingSetup(_ store: MonitorStore, _ operators: Operators, _ logger: Logger)
        async throws
    {
        if try await store.nodeNames().isEmpty {
            logger.warning("no nodes are configured: `clavitor-monitor node add NAME` creates a push URL")
        }
        if try await operators.all().isEmpty {
            logger.warning("no operators are configured: `clavitor-monitor operator add NAME` adds one")
        }
    }
}

/// Unix milliseconds.
private func milliseconds(_ date: Date) -> Int64 { Int64(date.timeIntervalSince1970 * 1_000) }
