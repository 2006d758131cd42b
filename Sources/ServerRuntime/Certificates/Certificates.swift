package import Autocert
import DNSUpdate
import Files
import FoundationEssentials
package import Logging
package import ServiceLifecycle

/// The paths of a program's certificates in its data directory.
package struct CertificatePaths: Sendable {
    /// The certificate store: ACME certificates, keys, accounts and the renewal record.
    package let folder: String
    package let developmentCertificate: String
    package let developmentKey: String

    package init(data: String) {
        folder = "\(data)/tls"
        developmentCertificate = "\(data)/dev-cert.pem"
        developmentKey = "\(data)/dev-key.pem"
    }
}

/// The certificates of a server program: the one in service, and the services that renew it.
package struct Certificates: Sendable {
    package let served: ServedCertificates
    /// HTTP-01 responses for port 80.
    package let challenges = HTTP01Solver()
    /// Nil for sources other than ACME.
    package let renewer: CertificateRenewer?
    package let services: [any Service]
    private let web: ACMEHTTPClient?

    /// - Parameters:
    ///   - source: The source of the certificate.
    ///   - name: The name in the development certificate.
    ///   - paths: The paths of the certificates.
    ///   - address: The address of the server, for the TLS self-check.
    ///   - port: The actual port, set once the server listens.
    ///   - logger: Logs every event.
    ///   - record: Writes an event to the program's audit log.
    /// - Throws: A `Failure` when the files cannot be read or are not a certificate with its key.
    package init(
        _ source: CertificateSource, name: String, in paths: CertificatePaths, address: BindAddress,
        port: Shared<Int?>, logger: Logger,
        record: @escaping @Sendable (CertificateRenewer.Event) async -> Void = { _ in }
    ) throws {
        switch source {
        case .development:
            served = ServedCertificates(names: [])
            served.install(try Self.development(name, paths))
            (renewer, services, web) = (nil, [], nil)
        case .files(let certificate, let key):
            served = ServedCertificates(names: [])
            let files = CertificateFilePair(certificate: certificate, key: key, served: served)
            guard try files.reload() else { throw Failure("\(certificate) is empty.") }
            (renewer, web) = (nil, nil)
            services = [
                Periodic(name: "certificate files", delay: .seconds(10), interval: .seconds(10), logger: logger) {
                    if try files.reload() {
                        logger.notice("certificate files reloaded", metadata: ["path": "\(certificate)"])
                    }
                }
            ]
        case .acme(let acme):
            served = ServedCertificates(names: Set(acme.renewal.names))
            let web = try ACMEHTTPClient(trustedPEM: acme.trustedPEM)
            let files = try DiskFiles(paths.folder)
            let renewer = Self.makeRenewer(acme, files, served, challenges, web, address, port) { event in
                Self.log(event, logger)
                await record(event)
            }
            (self.renewer, self.web) = (renewer, web)
            services = [renewer]
        }
    }

    /// Call after the services have ended.
    package func close() async { try? await web?.shutdown() }

    /// Loads the self-signed certificate; generates it at the first start.
    private static func development(_ name: String, _ paths: CertificatePaths) throws -> ServableCertificate {
        if !File.exists(paths.developmentCertificate) {
            let made = try DevelopmentCertificate(name: name, now: Date())
            try File.replace(paths.developmentKey, with: made.privateKeyPEM, mode: 0o600)
            try File.replace(paths.developmentCertificate, with: made.certificatePEM, mode: 0o644)
        }
        return try CertificateFilePair.read(paths.developmentCertificate, paths.developmentKey)
    }

    private static func makeRenewer(
        _ acme: ACMESettings, _ files: DiskFiles, _ served: ServedCertificates, _ challenges: HTTP01Solver,
        _ web: ACMEHTTPClient, _ address: BindAddress, _ port: Shared<Int?>,
        report: @escaping @Sendable (CertificateRenewer.Event) async -> Void
    ) -> CertificateRenewer {
        var solvers: [any ChallengeSolver] = []
        for type in acme.challenges {
            switch type {
            case "http-01": solvers.append(challenges)
            case "tls-alpn-01": solvers.append(TLSALPN01Solver(served, now: { Date() }))
            default: if let dns = acme.dns { solvers.append(DNS01Solver(dns)) }
            }
        }
        let transport: ACMETransport = { (request) async throws(ACMEError) in try await web.send(request) }
        return CertificateRenewer(
            settings: acme.renewal, store: CertificateStore(files), solvers: solvers,
            dependencies: .init(transport: transport),
            install: { issued in
                let new = try ServableCertificate(
                    certificatePEM: Array(issued.chainPEM.utf8), privateKeyPEM: Array(issued.keyPEM.utf8))
                let old = served.current
                served.install(new)
                // Before the server listens there is nothing to check.
                guard let port = port.value else { return }
                do {
                    try await TLSSelfCheck.check(
                        .init(host: address.host, port: port), name: acme.renewal.names[0], presents: new)
                } catch {
                    if let old { served.install(old) }
                    throw error
                }
            },
            report: report)
    }

    private static func log(_ event: CertificateRenewer.Event, _ logger: Logger) {
        switch event {
        case .ordering: break
        case .issued(let certificate, let old):
            logger.notice(
                "certificate issued",
                metadata: [
                    "names": "\(certificate.names.joined(separator: " "))", "issuer": "\(certificate.issuer)",
                    "serial": "\(certificate.serial)", "until": "\(certificate.notAfter.formatted(.iso8601))",
                    "directory": "\(certificate.directory)", "repaths": "\(old?.serial ?? "-")",
                ])
        case .failed(let why, let next):
            logger.error(
                "certificate renewal failed",
                metadata: ["error": "\(why)", "next": "\(next?.formatted(.iso8601) ?? "-")"])
        case .quarantined(let name):
            logger.error(
                "a stored certificate is damaged or has other names; it was renamed", metadata: ["name": "\(name)"])
        case .renewalExplained(let url):
            logger.notice("the CA recommends renewal", metadata: ["url": "\(url)"])
        }
    }
}

extension DNS01Solver {
    /// Publishes challenge records by dynamic update, with a TTL of a minute, so that the next attempt does not see an old one.
    init(_ updater: DNSUpdater) {
        self.init(
            add: { name, text in try await updater.perform([.add(try DNSName(name), ttl: 60, .txt(text))]) },
            remove: { name, text in try await updater.removeTXT(try DNSName(name), text) })
    }
}
