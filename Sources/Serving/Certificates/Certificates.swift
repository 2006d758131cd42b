package import Autocert
import DNSUpdate
import Files
import FoundationEssentials
package import Logging
package import ServiceLifecycle

/// Where a program keeps its certificates, in its data directory.
package struct CertificatePlaces: Sendable {
    /// Certificates and keys from CAs, accounts, and what happened with them.
    package let folder: String
    package let developmentCertificate: String
    package let developmentKey: String

    package init(data: String) {
        folder = "\(data)/tls"
        developmentCertificate = "\(data)/dev-cert.pem"
        developmentKey = "\(data)/dev-key.pem"
    }
}

/// The certificate's part of a program: what is served, and who sees to it that it stays good.
package struct Certificates: Sendable {
    package let served: ServedCertificates
    /// Answers for port 80.
    package let challenges = HTTP01Solver()
    /// Nil unless a CA is asked.
    package let keeper: CertificateRenewer?
    package let services: [any Service]
    private let web: ACMEHTTPClient?

    /// - Parameters:
    ///   - source: Where the certificate comes from.
    ///   - name: Whose name the development certificate has.
    ///   - places: Where everything is kept.
    ///   - address: Where the program listens, for a look at what it shows.
    ///   - port: The port that it really has, once it listens.
    ///   - logger: Hears of every event.
    ///   - record: Puts an event on record where the program has one.
    /// - Throws: A `Failure` when files cannot be read or hold no certificate that fits.
    package init(
        _ source: CertificateSource, name: String, in places: CertificatePlaces, address: BindAddress,
        port: Shared<Int?>, logger: Logger,
        record: @escaping @Sendable (CertificateRenewer.Event) async -> Void = { _ in }
    ) throws {
        switch source {
        case .development:
            served = ServedCertificates(names: [])
            served.install(try Self.development(name, places))
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
            let web = try ACMEHTTPClient(trustedPEM: acme.trustedPEM)
            let files = try DiskFiles(places.folder)
            let keeper = Self.keeper(acme, files, served, challenges, web, address, port) { event in
                Self.log(event, logger)
                await record(event)
            }
            (self.keeper, self.web) = (keeper, web)
            services = [keeper]
        }
    }

    /// Once the services have ended.
    package func close() async { try? await web?.shutdown() }

    /// A certificate of the program's own making, the same one at each start.
    private static func development(_ name: String, _ places: CertificatePlaces) throws -> ServableCertificate {
        if !File.exists(places.developmentCertificate) {
            let made = try DevelopmentCertificate(name: name, now: Date())
            try File.replace(places.developmentKey, with: made.privateKeyPEM, mode: 0o600)
            try File.replace(places.developmentCertificate, with: made.certificatePEM, mode: 0o644)
        }
        return try CertificateFilePair.read(places.developmentCertificate, places.developmentKey)
    }

    private static func keeper(
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
            settings: acme.keeper, store: CertificateStore(files), solvers: solvers,
            dependencies: .init(transport: transport),
            install: { issued in
                let new = try ServableCertificate(
                    certificatePEM: Array(issued.chainPEM.utf8), privateKeyPEM: Array(issued.keyPEM.utf8))
                let old = served.current
                served.install(new)
                // Before the node listens there is nobody to ask.
                guard let port = port.value else { return }
                do {
                    try await TLSSelfCheck.check(
                        .init(host: address.host, port: port), name: acme.keeper.names[0], shows: new)
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
                    "directory": "\(certificate.directory)", "replaces": "\(old?.serial ?? "-")",
                ])
        case .failed(let why, let next):
            logger.error(
                "no new certificate",
                metadata: ["error": "\(why)", "next": "\(next?.formatted(.iso8601) ?? "-")"])
        case .quarantined(let name):
            logger.error("a stored certificate is torn or foreign, and was set aside", metadata: ["name": "\(name)"])
        case .renewalExplained(let url):
            logger.notice("the CA explains why it wants a renewal", metadata: ["url": "\(url)"])
        }
    }
}

extension DNS01Solver {
    /// Through dynamic updates. A record lives for a minute, so that the next try is not answered with this one.
    init(_ updater: DNSUpdater) {
        self.init(
            add: { name, text in try await updater.perform([.add(try DNSName(name), ttl: 60, .txt(text))]) },
            remove: { name, text in try await updater.removeTXT(try DNSName(name), text) })
    }
}
