import Autocert
import FoundationEssentials
import Hummingbird
import HummingbirdCore
import HummingbirdHTTP2
import Logging
import Monitor
import NIOCore
import ServiceLifecycle

/// HTTP/1.1 and HTTP/2 over TLS.
struct Server {
    private let api: MonitorAPI
    private let settings: Settings
    private let served = ServedCertificates(names: [])
    private let logger: Logger
    let certificateServices: [any Service]

    init(api: MonitorAPI, settings: Settings, data: String, logger: Logger) throws {
        self.api = api
        self.settings = settings
        self.logger = logger
        let served = served
        guard let files = settings.certificate else {
            let (chain, key) = ("\(data)/dev-cert.pem", "\(data)/dev-key.pem")
            if !FileManager.default.fileExists(atPath: chain) {
                let made = try DevelopmentCertificate(name: "localhost", now: Date())
                guard
                    FileManager.default.createFile(
                        atPath: key, contents: Data(made.privateKeyPEM.utf8), attributes: [.posixPermissions: 0o600])
                else { throw Failure("\(key) cannot be written.") }
                try Data(made.certificatePEM.utf8).write(to: URL(filePath: chain))
            }
            served.install(try Self.read(chain, key))
            certificateServices = []
            return
        }
        served.install(try Self.read(files.chain, files.key))
        certificateServices = [
            Periodic(name: "certificate files", interval: .seconds(10), logger: logger) {
                let fresh = try Self.read(files.chain, files.key)
                guard fresh.chain != served.current?.chain else { return }
                served.install(fresh)
                logger.notice("certificate files read again", metadata: ["path": "\(files.chain)"])
            }
        ]
    }

    private static func read(_ chain: String, _ key: String) throws -> ServableCertificate {
        do {
            return try ServableCertificate(
                certificatePEM: Array(try Data(contentsOf: URL(filePath: chain))),
                privateKeyPEM: Array(try Data(contentsOf: URL(filePath: key))))
        } catch {
            throw Failure("The certificate in \(chain) with the key in \(key) cannot be used: \(error)")
        }
    }

    func application(on group: any EventLoopGroup) throws -> some ApplicationProtocol {
        let served = served
        let streams = HTTP1Channel.Configuration(
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: 16_384, maxHeaderListSize: 16_384, maxHeaderFieldCount: 64))
        let connections = HTTP2ChannelConfiguration(
            idleTimeout: .seconds(75), gracefulCloseTimeout: .seconds(5), streamConfiguration: streams)
        return Application(
            responder: api.router().buildResponder(),
            server: HTTPServerBuilder { responder in
                try HTTP2UpgradeChannel(
                    tlsConfiguration: served.tlsConfiguration(), configuration: connections, responder: responder)
            },
            configuration: ApplicationConfiguration(address: .hostname(settings.host, port: settings.port)),
            onServerRunning: { [logger] channel in
                logger.info("serving", metadata: ["address": "\(channel.localAddress?.description ?? "-")"])
            },
            eventLoopGroupProvider: .shared(group), logger: logger)
    }
}
