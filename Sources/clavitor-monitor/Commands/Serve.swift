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
import ServiceLifecycle
import Serving
import UnixSignals
import Wire

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Take heartbeats, judge, tell, and show.")

    @OptionGroup var options: DataOptions
    @OptionGroup var serving: ServeOptions

    func run() async throws {
        ProcessMemory.keepSmall()
        try ProcessMemory.hide()
        let settings = try Settings(serving)
        LoggingSystem.bootstrap { _ in JSONLog(logLevel: settings.logLevel) }
        let logger = Logger(label: "clavitor-monitor")
        try options.lock(isDevelopment: serving.dev)
        let room = Room(folder: options.data, logger: logger)
        // On a full disk there is no opening a database.
        room.look()
        let store = try options.storeMadeIfNeeded(gathering: 20)
        if let access = settings.access {
            do {
                try await store.declare(access, now: wallTime())
            } catch {
                // On a full disk those of the last start are known.
                logger.error("the list of nodes was not taken", metadata: ["error": "\(error)"])
            }
        }
        let outbox = Outbox(ledger: store.ledger, lines: settings.notifications.lines)
        let notifier = Notifier(
            outbox: outbox, settings: settings.notifications, clock: ContinuousClock(), now: wallTime, logger: logger)
        let web = try WebSender(trustedPEM: settings.trustedPEM, proxy: settings.proxy)
        do {
            let watch = try await Self.watch(store, room, settings, notifier, web, logger)
            try await serve(watch, store, outbox, notifier, web, settings, logger)
        } catch {
            try? await web.shutdown()
            throw error
        }
        try await web.shutdown()
        logger.info("stopped")
    }

    private static func watch(
        _ store: MonitorStore, _ room: Room, _ settings: Settings, _ notifier: Notifier<ContinuousClock>,
        _ web: WebSender, _ logger: Logger
    ) async throws -> Watch {
        try await Watch(
            store: store, timing: settings.timing, places: settings.places,
            world: .init(asks: { await web.isAnswered($0) }), room: room, logger: logger
        ) { changes, record in
            try await notifier.tell(changes, record: record)
            for change in changes {
                logger.notice(
                    "incident",
                    metadata: [
                        "kind": "\(change.kind)", "key": "\(change.incident.key)",
                        "severity": "\(change.incident.severity)",
                        "hidden": "\(change.incident.hiddenBy ?? "-")",
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
            outbox: outbox, senders: senders, world: .init(clock: ContinuousClock(), now: wallTime), logger: logger)
        let operators = Operators(store: store, now: wallTime)
        let deadMan = try settings.deadMan.map { try Self.deadMan($0, web) }
        let port = Shared<Int?>(nil)
        let certificates = try Certificates(
            settings.certificate, name: "localhost", in: CertificatePlaces(data: options.data),
            address: settings.https, port: port, logger: logger)
        let served = certificates.served
        let api = MonitorAPI(
            watch: watch, operators: operators, version: Version.current,
            deliveries: { try? await delivery.figures() },
            certificate: {
                served.current.map {
                    CertificateLife(from: milliseconds($0.notBefore), until: milliseconds($0.notAfter))
                }
            }, trial: ChannelTrial(senders, now: wallTime))
        let group = MultiThreadedEventLoopGroup.singleton
        try await Self.sayWhatIsMissing(store, operators, logger)

        var services: [any Service] = [
            notifier, delivery, watch,
            Periodic(name: "nodes", interval: .seconds(5), logger: logger) { try await watch.reloadNodes() },
        ]
        services.append(
            Periodic(name: "disk", interval: .seconds(5), logger: logger) {
                if store.ledger.trouble != nil { watch.room?.noteFailure() }
                watch.room?.look()
                await store.ledger.returnToFile()
            })
        services.append(
            Periodic(name: "own health", interval: .seconds(5), logger: logger) { await api.check.report() })
        services += certificates.services
        if let backup = settings.backup {
            let folder = BackupFolder(path: backup.folder)
            let backOff = BackOff()
            services.append(
                Periodic(name: "backup", interval: .seconds(min(backup.every, 300)), logger: logger) {
                    let now = wallTime() / 1_000
                    guard backOff.hasElapsed(at: now), watch.room?.isShort != true else { return }
                    try await backOff.run(at: now) { try await Self.backUp(store, to: folder, backup, at: now) }
                })
        }
        if let deadMan {
            services.append(
                Periodic(name: "own heartbeat", interval: .milliseconds(settings.timing.interval * 2), logger: logger) {
                    try await deadMan.beat(await api.check.ills())
                })
        }
        if let http = settings.http {
            services.append(
                PlainHTTP(
                    address: http, challenges: certificates.challenges, names: settings.certificate.names,
                    served: certificates.served,
                    httpsPort: settings.https.port, group: group, logger: logger))
        }
        let supervision = Supervision(logger: logger) { try await store.ping() }
        if let supervision { services.append(supervision) }
        var server = HTTPSServer(
            address: settings.https, served: certificates.served, limits: settings.limits, logger: logger)
        server.onRunning = { channel in
            logger.info("serving", metadata: ["address": "\(channel.localAddress?.description ?? "-")"])
            port.value = channel.localAddress?.port
            supervision?.tellReady()
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
        await store.ledger.returnToFile()
        await certificates.close()
    }

    /// Unless one is younger than its interval.
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

    private static func deadMan(_ path: String, _ web: WebSender) throws -> DeadMan {
        let line = try File.read(path, most: 1 << 16).prefix { !$0.isNewline }
        do {
            return try DeadMan(url: line, send: web.send)
        } catch {
            throw Failure("\(path) \(error)")
        }
    }

    /// A monitor that watches nobody looks as well as one that has nothing to tell.
    private static func sayWhatIsMissing(_ store: MonitorStore, _ operators: Operators, _ logger: Logger) async throws {
        if try await store.nodeNames().isEmpty {
            logger.warning("nobody is watched: `clavitor-monitor node add NAME` makes a push URL")
        }
        if try await operators.all().isEmpty {
            logger.warning("nobody can sign in: `clavitor-monitor operator add NAME` lets somebody")
        }
    }
}

/// Unix milliseconds.
private func milliseconds(_ date: Date) -> Int64 { Int64(date.timeIntervalSince1970 * 1_000) }
