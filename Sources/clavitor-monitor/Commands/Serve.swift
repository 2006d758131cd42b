import ArgumentParser
import FoundationEssentials
import Hummingbird
import Logging
import Monitor
import NIOCore
import NIOPosix
import ServiceLifecycle
import Serving
import UnixSignals

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Take heartbeats, judge, tell, and show.")

    @OptionGroup var options: DataOptions
    @OptionGroup var serving: ServeOptions

    func run() async throws {
        keepMemorySmall()
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
        let port = Shared<Int?>(nil)
        let certificates = try Certificates(
            settings.certificate, name: "localhost", in: CertificatePlaces(data: options.data),
            address: settings.https, port: port, logger: logger)
        let group = MultiThreadedEventLoopGroup.singleton

        var services: [any Service] = [
            notifier, delivery, watch,
            Periodic(name: "nodes", interval: .seconds(5), logger: logger) { try await watch.reloadNodes() },
        ]
        services += certificates.services
        if let path = settings.deadMan {
            services.append(
                Periodic(name: "own heartbeat", interval: .milliseconds(settings.timing.interval * 2), logger: logger) {
                    try await DeadMan(urlFile: path, send: web.send).beat(isWell: watch.figures.isStoreWell)
                })
        }
        if let http = settings.http {
            services.append(
                PlainHTTP(
                    address: http, challenges: certificates.challenges, names: settings.certificate.names,
                    httpsPort: settings.https.port, group: group, logger: logger))
        }
        let supervision = Supervision(logger: logger) { try await store.ping() }
        if let supervision { services.append(supervision) }
        var server = HTTPSServer(
            address: settings.https, served: certificates.served, maxConnections: settings.maxConnections,
            logger: logger)
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
            try? await web.shutdown()
            throw Failure("The monitor stopped: \(error)")
        }
        await certificates.close()
        try await web.shutdown()
        logger.info("stopped")
    }
}
