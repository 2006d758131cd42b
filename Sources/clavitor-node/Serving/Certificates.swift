import API
import Autocert
import Backup
import DNSUpdate
import FoundationEssentials
import Logging
import ServiceLifecycle
import Synchronization
import Vault

/// The certificate's part of a node: what is served, and who sees to it that it stays good.
struct Certificates: Sendable {
    let served: ServedCertificates
    /// Answers for port 80.
    let challenges = HTTPChallenges()
    /// Nil unless a CA is asked.
    let keeper: CertificateKeeper?
    let services: [any Service]
    private let web: WebClient?

    init(_ settings: Settings, _ directory: DataDirectory, _ node: Node, _ logger: Logger, port: Shared<Int?>) throws {
        switch settings.certificate {
        case .development:
            served = ServedCertificates(names: [])
            served.install(try Self.development(settings, directory))
            (keeper, services, web) = (nil, [], nil)
        case .files(let certificate, let key):
            served = ServedCertificates(names: [])
            let files = CertificateFilePair(certificate: certificate, key: key, served: served)
            guard try files.reload() else { throw Failure("There is nothing in \(certificate).") }
            (keeper, web) = (nil, nil)
            services = [
                Periodic(name: "certificate files", delay: .seconds(10), interval: .seconds(10), logger: logger) {
                    if try files.reload() {
                        logger.notice("certificate files read again", metadata: ["path": "\(certificate)"])
                    }
                }
            ]
        case .acme(let acme):
            served = ServedCertificates(names: Set(acme.keeper.names))
            let web = try WebClient(trustedPEM: acme.trustedPEM)
            let keeper = try Self.keeper(acme, directory, node, logger, served, challenges, web, port)
            (self.keeper, self.web) = (keeper, web)
            services = [keeper]
        }
    }

    /// Once the services have ended.
    func close() async { try? await web?.shutdown() }

    /// A certificate of the node's own making, the same one at each start.
    private static func development(_ settings: Settings, _ directory: DataDirectory) throws -> ServableCertificate {
        if !File.exists(directory.developmentCertificate) {
            let made = try DevelopmentCertificate(name: settings.origin, now: Date())
            try File.replace(directory.developmentKey, with: made.privateKeyPEM, mode: 0o600)
            try File.replace(directory.developmentCertificate, with: made.certificatePEM, mode: 0o644)
        }
        return try CertificateFilePair.read(directory.developmentCertificate, directory.developmentKey)
    }

    private static func keeper(
        _ acme: ACMESettings, _ directory: DataDirectory, _ node: Node, _ logger: Logger, _ served: ServedCertificates,
        _ challenges: HTTPChallenges, _ web: WebClient, _ port: Shared<Int?>
    ) throws -> CertificateKeeper {
        var solvers: [any ChallengeSolver] = []
        for type in acme.challenges {
            switch type {
            case "http-01": solvers.append(challenges)
            case "tls-alpn-01": solvers.append(TLSChallenges(served, now: { Date() }))
            default: if let dns = acme.dns { solvers.append(DNSChallenges(dns)) }
            }
        }
        let send: WebSend = { (request) async throws(ACMEError) in try await web.send(request) }
        return CertificateKeeper(
            settings: acme.keeper, store: CertificateStore(try DiskFiles(directory.certificates)), solvers: solvers,
            world: .init(send: send),
            install: { issued in
                let new = try ServableCertificate(
                    certificatePEM: Array(issued.chainPEM.utf8), privateKeyPEM: Array(issued.keyPEM.utf8))
                let old = served.current
                served.install(new)
                // Before the node listens there is nobody to ask.
                guard let port = port.value else { return }
                do {
                    try await SelfConnection.check(
                        .init(host: node.settings.https.host, port: port), name: acme.keeper.names[0], shows: new)
                } catch {
                    if let old { served.install(old) }
                    throw error
                }
            },
            report: { event in await report(event, node, logger) })
    }

    private static func report(_ event: CertificateKeeper.Event, _ node: Node, _ logger: Logger) async {
        switch event {
        case .ordering(let directory):
            await record(.certificateOrder, "account key used at \(directory)", node, logger)
        case .issued(let certificate, let old):
            logger.notice(
                "certificate issued",
                metadata: [
                    "names": "\(certificate.names.joined(separator: " "))", "issuer": "\(certificate.issuer)",
                    "serial": "\(certificate.serial)", "until": "\(certificate.notAfter.formatted(.iso8601))",
                    "directory": "\(certificate.directory)", "replaces": "\(old?.serial ?? "-")",
                ])
            await record(.certificateIssue, "serial \(certificate.serial) of \(certificate.issuer)", node, logger)
        case .failed(let why, let next):
            logger.error(
                "no new certificate",
                metadata: ["error": "\(why)", "next": "\(next?.formatted(.iso8601) ?? "-")"])
            await record(.certificateFail, why, node, logger)
        case .setAside(let name):
            logger.error("a stored certificate is torn or foreign, and was set aside", metadata: ["name": "\(name)"])
        case .explained(let url):
            logger.notice("the CA explains why it wants a renewal", metadata: ["url": "\(url)"])
        }
    }

    /// A read-only node renews its certificate all the same.
    private static func record(_ action: AuditEvent.Action, _ reason: String, _ node: Node, _ logger: Logger) async {
        do {
            try await node.record(
                AuditEvent(
                    action, by: .init(.node), outcome: action == .certificateFail ? .failed : .ok,
                    reason: String(reason.prefix(500))))
        } catch {
            logger.warning("the audit log did not take it", metadata: ["error": "\(error)"])
        }
    }
}

/// A value that one task sets and another reads.
final class Shared<Value: Sendable>: Sendable {
    private let state: Mutex<Value>

    init(_ value: Value) { state = Mutex(value) }

    var value: Value {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }
}

extension DNSChallenges {
    /// Through dynamic updates. A record lives for a minute, so that the next try is not answered with this one.
    init(_ updater: DNSUpdater) {
        self.init(
            add: { name, text in try await updater.perform([.add(try DNSName(name), ttl: 60, .txt(text))]) },
            remove: { name, text in try await updater.removeTXT(try DNSName(name), text) })
    }
}
