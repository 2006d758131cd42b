import ArgumentParser
import FoundationEssentials
import Logging
import Monitor
import NIOPosix
import ServiceLifecycle
import UnixSignals

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Take heartbeats, judge, tell, and show.")

    @OptionGroup var options: DataOptions
    @OptionGroup var serving: ServeOptions

    func run() async throws {
        let settings = try Settings(serving)
        LoggingSystem.bootstrap { _ in JSONLog(logLevel: settings.logLevel) }
        let logger = Logger(label: "clavitor-monitor")
        let store = try options.store()
        let outbox = Outbox(database: store.database, channels: settings.notifications.channels.map(\.name))
        let notifier = Notifier(
            outbox: outbox, settings: settings.notifications, clock: ContinuousClock(), now: wallTime, logger: logger)
        let watch = try await Watch(
            store: store, timing: settings.timing, places: settings.places, logger: logger
        ) { changes in
            for change in changes {
                logger.notice(
                    "incident",
                    metadata: [
                        "kind": "\(change.kind)", "key": "\(change.incident.key)",
                        "severity": "\(change.incident.severity)",
                        "hidden": "\(change.incident.hiddenBy ?? "-")",
                    ])
            }
            try await notifier.tell(changes)
        }
        let web = try WebSender(trustedPEM: settings.trustedPEM)
        let couriers = try ChannelFactory(
            web: web,
            mail: try MailSender(trustedPEM: settings.trustedPEM),
            logger: logger
        ).couriers(settings.notifications)
        let delivery = Delivery(
            outbox: outbox, couriers: couriers, world: .init(clock: ContinuousClock(), now: wallTime), logger: logger)
        let api = MonitorAPI(
            watch: watch, operators: Operators(store: store, now: wallTime), version: Version.current,
            deliveries: { (try? await delivery.figures()) ?? [:] })
        let server = try Server(api: api, settings: settings, data: options.data, logger: logger)

        var services: [any Service] = [
            notifier, delivery, watch,
            Periodic(name: "nodes", interval: .seconds(5), logger: logger) { try await watch.reloadNodes() },
        ]
        services += server.certificateServices
        if let path = settings.deadMan {
            services.append(
                Periodic(name: "own heartbeat", interval: .milliseconds(settings.timing.interval * 2), logger: logger) {
                    try await DeadMan(urlFile: path, send: web.send).beat(isWell: watch.figures.isStoreWell)
                })
        }
        services.append(try server.application(on: MultiThreadedEventLoopGroup.singleton))
        var configuration = ServiceGroupConfiguration(
            services: services.map { .init(service: $0, successTerminationBehavior: .ignore) },
            gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        configuration.maximumGracefulShutdownDuration = .seconds(15)
        configuration.maximumCancellationDuration = .seconds(5)
        do {
            try await ServiceGroup(configuration: configuration).run()
        } catch {
            try? await web.shutdown()
            throw Failure("The monitor stopped: \(error)")
        }
        try await web.shutdown()
        logger.info("stopped")
    }
}
