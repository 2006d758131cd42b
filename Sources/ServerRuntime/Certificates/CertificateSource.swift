package import Autocert
import DNSUpdate
import Files

/// The source of a program's certificate.
package enum CertificateSource: Sendable {
    /// Self-signed, generated at the first start.
    case development
    case files(certificate: String, key: String)
    case acme(ACMESettings)

    /// The names of the ACME certificate; empty for other sources.
    package var names: [String] {
        guard case .acme(let acme) = self else { return [] }
        return acme.renewal.names
    }

    /// Flags take precedence over the file.
    package init(_ flags: CertificateOptions, _ file: CertificateKeys, isDevelopment: Bool) throws {
        let domains = flags.domain.isEmpty ? file.domain ?? [] : flags.domain
        switch (flags.tlsCert ?? file.tlsCert, flags.tlsKey ?? file.tlsKey) {
        case (let certificate?, let key?) where domains.isEmpty: self = .files(certificate: certificate, key: key)
        case (nil, nil) where !domains.isEmpty: self = .acme(try ACMESettings(flags, file, domains: domains))
        case (nil, nil) where isDevelopment: self = .development
        case (nil, nil):
            throw Failure(
                "A certificate is required: --domain NAME to get one from a CA, or --tls-cert FILE with --tls-key FILE. (For development on this machine: --dev.)"
            )
        case (_?, nil): throw Failure("--tls-cert requires --tls-key FILE, the certificate's private key in PEM.")
        case (nil, _?): throw Failure("--tls-key requires --tls-cert FILE, the certificate chain in PEM.")
        case (_?, _?):
            throw Failure(
                "--domain and --tls-cert exclude each other: --domain gets a certificate from a CA. To set only the server's name, use --origin NAME instead of --domain."
            )
        }
    }
}

/// Settings of the ACME certificate.
package struct ACMESettings: Sendable {
    static let letsEncrypt = "https://acme-v02.api.letsencrypt.org/directory"
    static let letsEncryptStaging = "https://acme-staging-v02.api.letsencrypt.org/directory"

    package var renewal: CertificateRenewer.Settings
    var trustedPEM: [UInt8]?
    /// Challenge types in order of preference.
    var challenges = ["tls-alpn-01", "http-01"]
    var dns: DNSUpdater?

    init(_ flags: CertificateOptions, _ file: CertificateKeys, domains: [String]) throws {
        let names = try domains.map { text in
            guard let name = try? DNSName(text), text.contains("."), !text.contains("*"), !text.hasSuffix(".") else {
                throw Failure("\"\(text)\" must be a DNS name that a CA can certify, such as vault.example.org.")
            }
            return "\(name)"
        }
        let given = flags.acmeDirectory.isEmpty ? file.acmeDirectory ?? [] : flags.acmeDirectory
        let directories = given.isEmpty ? [Self.letsEncrypt] : given
        renewal = CertificateRenewer.Settings(names: names, directories: directories)
        if let staging = flags.acmeStaging ?? file.acmeStaging { renewal.staging = [directories[0]: staging] }
        if directories.contains(Self.letsEncrypt), renewal.staging[Self.letsEncrypt] == nil {
            renewal.staging[Self.letsEncrypt] = Self.letsEncryptStaging
        }
        renewal.contact = flags.acmeContact.isEmpty ? file.acmeContact ?? [] : flags.acmeContact
        renewal.profile = flags.acmeProfile ?? file.acmeProfile
        renewal.preferredRoot = flags.acmeChain ?? file.acmeChain
        if let text = flags.acmeKey ?? file.acmeKey {
            guard let type = CertificateKeyType(rawValue: text) else {
                throw Failure("--acme-key must be p256, p384 or rsa2048, not \"\(text)\".")
            }
            renewal.keyType = type
        }
        if flags.acmeEabKid ?? file.acmeEabKid == nil, flags.acmeEabKeyFile ?? file.acmeEabKeyFile != nil {
            throw Failure("--acme-eab-key-file requires --acme-eab-kid KEYID, as issued by the CA.")
        }
        if let keyID = flags.acmeEabKid ?? file.acmeEabKid {
            guard let path = flags.acmeEabKeyFile ?? file.acmeEabKeyFile else {
                throw Failure("--acme-eab-kid requires --acme-eab-key-file FILE.")
            }
            let text = try File.read(path, most: 4_096).filter { !$0.isWhitespace }
            guard let external = ExternalAccount(keyID: keyID, base64URLKey: text) else {
                throw Failure("\(path) must contain a base64url key of at least 16 bytes.")
            }
            renewal.external = external
        }
        if let path = flags.acmeCaFile ?? file.acmeCaFile {
            trustedPEM = Array(try File.read(path, most: 1 << 20).utf8)
        }
        dns = try Self.dns(flags, file)
        if let type = flags.acmeChallenge ?? file.acmeChallenge {
            guard ["http-01", "tls-alpn-01", "dns-01"].contains(type) else {
                throw Failure("--acme-challenge must be http-01, tls-alpn-01 or dns-01, not \"\(type)\".")
            }
            guard type != "dns-01" || dns != nil else {
                throw Failure("--acme-challenge dns-01 requires --dns-server, --dns-zone and --dns-key-file.")
            }
            challenges = [type]
        }
    }

    private static func dns(_ flags: CertificateOptions, _ file: CertificateKeys) throws -> DNSUpdater? {
        guard let server = flags.dnsServer ?? file.dnsServer else {
            for (name, value) in [
                ("--dns-zone", flags.dnsZone ?? file.dnsZone), ("--dns-key-file", flags.dnsKeyFile ?? file.dnsKeyFile),
            ] where value != nil {
                throw Failure("\(name) requires --dns-server ADDRESS:PORT, the name server for updates.")
            }
            return nil
        }
        guard let zone = flags.dnsZone ?? file.dnsZone else { throw Failure("--dns-server requires --dns-zone.") }
        let address = try BindAddress(server, option: "--dns-server")
        do {
            let key = try (flags.dnsKeyFile ?? file.dnsKeyFile).map {
                try TSIGKey(try File.read($0, most: 4_096).filter { !$0.isWhitespace })
            }
            return DNSUpdater(
                server: (address.host, address.port), zone: try DNSName(zone), key: key, now: unixTime)
        } catch let error as TSIGKeyError {
            throw Failure("--dns-key-file: \(error)")
        } catch let error as DNSNameError {
            throw Failure("--dns-zone: \(error)")
        }
    }
}
