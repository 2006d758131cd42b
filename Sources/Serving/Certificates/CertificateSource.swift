package import Autocert
import DNSUpdate
import Files

/// Where a program's certificate comes from.
package enum CertificateSource: Sendable {
    /// Self-signed, made at the first start.
    case development
    case files(certificate: String, key: String)
    case acme(ACMESettings)

    /// The names that a CA is asked for.
    package var names: [String] {
        guard case .acme(let acme) = self else { return [] }
        return acme.keeper.names
    }

    /// Flags over file.
    package init(_ flags: CertificateOptions, _ file: CertificateKeys, isDevelopment: Bool) throws {
        let domains = flags.domain.isEmpty ? file.domain ?? [] : flags.domain
        switch (flags.tlsCert ?? file.tlsCert, flags.tlsKey ?? file.tlsKey) {
        case (let certificate?, let key?) where domains.isEmpty: self = .files(certificate: certificate, key: key)
        case (nil, nil) where !domains.isEmpty: self = .acme(try ACMESettings(flags, file, domains: domains))
        case (nil, nil) where isDevelopment: self = .development
        case (nil, nil):
            throw Failure(
                "A certificate is needed: --domain NAME to get one from a CA, or --tls-cert FILE with --tls-key FILE. (To try it out on your own machine: --dev.)"
            )
        case (_?, nil): throw Failure("--tls-cert needs --tls-key FILE, the certificate's private key in PEM.")
        case (nil, _?): throw Failure("--tls-key needs --tls-cert FILE, the certificate chain in PEM.")
        case (_?, _?):
            throw Failure(
                "--domain gets a certificate from a CA, --tls-cert and --tls-key bring one: leave one of the two out. Where --domain was meant to name the server, --origin NAME does."
            )
        }
    }
}

/// How to get a certificate from a CA.
package struct ACMESettings: Sendable {
    static let letsEncrypt = "https://acme-v02.api.letsencrypt.org/directory"
    static let letsEncryptStaging = "https://acme-staging-v02.api.letsencrypt.org/directory"

    package var keeper: CertificateRenewer.Settings
    var trustedPEM: [UInt8]?
    /// Challenge types in order.
    var challenges = ["tls-alpn-01", "http-01"]
    var dns: DNSUpdater?

    init(_ flags: CertificateOptions, _ file: CertificateKeys, domains: [String]) throws {
        let names = try domains.map { text in
            guard let name = try? DNSName(text), text.contains("."), !text.contains("*"), !text.hasSuffix(".") else {
                throw Failure("\"\(text)\" is no name that a CA would certify, such as vault.example.org.")
            }
            return "\(name)"
        }
        let given = flags.acmeDirectory.isEmpty ? file.acmeDirectory ?? [] : flags.acmeDirectory
        let directories = given.isEmpty ? [Self.letsEncrypt] : given
        keeper = CertificateRenewer.Settings(names: names, directories: directories)
        if let staging = flags.acmeStaging ?? file.acmeStaging { keeper.staging = [directories[0]: staging] }
        if directories.contains(Self.letsEncrypt), keeper.staging[Self.letsEncrypt] == nil {
            keeper.staging[Self.letsEncrypt] = Self.letsEncryptStaging
        }
        keeper.contact = flags.acmeContact.isEmpty ? file.acmeContact ?? [] : flags.acmeContact
        keeper.profile = flags.acmeProfile ?? file.acmeProfile
        keeper.preferredRoot = flags.acmeChain ?? file.acmeChain
        if let text = flags.acmeKey ?? file.acmeKey {
            guard let type = CertificateKeyType(rawValue: text) else {
                throw Failure("A certificate's key is p256, p384 or rsa2048, not \"\(text)\".")
            }
            keeper.keyType = type
        }
        if flags.acmeEabKid ?? file.acmeEabKid == nil, flags.acmeEabKeyFile ?? file.acmeEabKeyFile != nil {
            throw Failure("--acme-eab-key-file needs --acme-eab-kid KEYID, as the CA gave it.")
        }
        if let keyID = flags.acmeEabKid ?? file.acmeEabKid {
            guard let path = flags.acmeEabKeyFile ?? file.acmeEabKeyFile else {
                throw Failure("--acme-eab-kid needs --acme-eab-key-file.")
            }
            let text = try File.read(path, most: 4_096).filter { !$0.isWhitespace }
            guard let external = ExternalAccount(keyID: keyID, base64URLKey: text) else {
                throw Failure("\(path) holds no key in base64url of 16 bytes or more.")
            }
            keeper.external = external
        }
        if let path = flags.acmeCaFile ?? file.acmeCaFile {
            trustedPEM = Array(try File.read(path, most: 1 << 20).utf8)
        }
        dns = try Self.dns(flags, file)
        if let type = flags.acmeChallenge ?? file.acmeChallenge {
            guard ["http-01", "tls-alpn-01", "dns-01"].contains(type) else {
                throw Failure("A challenge is http-01, tls-alpn-01 or dns-01, not \"\(type)\".")
            }
            guard type != "dns-01" || dns != nil else {
                throw Failure("dns-01 needs --dns-server, --dns-zone and --dns-key-file.")
            }
            challenges = [type]
        }
    }

    private static func dns(_ flags: CertificateOptions, _ file: CertificateKeys) throws -> DNSUpdater? {
        guard let server = flags.dnsServer ?? file.dnsServer else {
            for (name, value) in [
                ("--dns-zone", flags.dnsZone ?? file.dnsZone), ("--dns-key-file", flags.dnsKeyFile ?? file.dnsKeyFile),
            ] where value != nil {
                throw Failure("\(name) needs --dns-server ADDRESS:PORT, the name server to send updates to.")
            }
            return nil
        }
        guard let zone = flags.dnsZone ?? file.dnsZone else { throw Failure("--dns-server needs --dns-zone.") }
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
