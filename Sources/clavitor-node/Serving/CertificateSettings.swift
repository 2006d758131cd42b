import ArgumentParser
import Autocert
import DNSUpdate

/// Where the node's certificate comes from.
struct CertificateOptions: ParsableArguments {
    @Option(help: "A name to get a certificate for (repeatable). The first one is the origin unless that is given.")
    var domain: [String] = []

    @Option(help: "Where to answer HTTP-01 and to redirect to HTTPS, as ADDRESS:PORT. By default port 80.")
    var http: String?

    @Option(help: "A CA's ACME directory (repeatable, in order of preference). By default Let's Encrypt.")
    var acmeDirectory: [String] = []

    @Option(help: "The staging directory of the first CA, for the try after one that failed.")
    var acmeStaging: String?

    @Option(help: "Certificates to trust a private CA's directory by, in PEM.")
    var acmeCaFile: String?

    @Option(help: "An e-mail address for the CA (repeatable).")
    var acmeContact: [String] = []

    @Option(help: "The key id of an external account binding.")
    var acmeEabKid: String?

    @Option(help: "A file with the key of an external account binding, as the CA prints it.")
    var acmeEabKeyFile: String?

    @Option(help: "A profile that the CA offers, such as shortlived.")
    var acmeProfile: String?

    @Option(help: "The common name of the root to prefer, if the CA has several chains.")
    var acmeChain: String?

    @Option(help: "The kind of key: p256, p384 or rsa2048.")
    var acmeKey: String?

    @Option(help: "The one kind of challenge to answer: http-01, tls-alpn-01 or dns-01.")
    var acmeChallenge: String?

    @Option(help: "The name server to send updates to for dns-01 (RFC 2136), as ADDRESS:PORT.")
    var dnsServer: String?

    @Option(help: "The zone to update for dns-01.")
    var dnsZone: String?

    @Option(help: "A file with the TSIG key for updates, as ALGORITHM:NAME:SECRET.")
    var dnsKeyFile: String?

    @Option(help: "Certificate chain in PEM, instead of getting one. Read again when it changes.")
    var tlsCert: String?

    @Option(help: "Its private key in PEM.")
    var tlsKey: String?
}

enum CertificateSource: Sendable {
    /// Self-signed, made at the first start.
    case development
    case files(certificate: String, key: String)
    case acme(ACMESettings)

    init(_ flags: CertificateOptions, _ file: SettingsFile, domains: [String], isDevelopment: Bool) throws {
        switch (flags.tlsCert ?? file.tlsCert, flags.tlsKey ?? file.tlsKey) {
        case (let certificate?, let key?) where domains.isEmpty: self = .files(certificate: certificate, key: key)
        case (nil, nil) where !domains.isEmpty: self = .acme(try ACMESettings(flags, file, domains: domains))
        case (nil, nil) where isDevelopment: self = .development
        default:
            throw Failure(
                "The node needs a certificate: --domain NAME to get one, or --tls-cert with --tls-key, not both. (For a node on your own machine: --dev.)"
            )
        }
    }
}

struct ACMESettings: Sendable {
    static let letsEncrypt = "https://acme-v02.api.letsencrypt.org/directory"
    static let letsEncryptStaging = "https://acme-staging-v02.api.letsencrypt.org/directory"

    var keeper: CertificateKeeper.Settings
    var trustedPEM: [UInt8]?
    /// Challenge types in order.
    var challenges = ["tls-alpn-01", "http-01"]
    var dns: DNSUpdater?

    init(_ flags: CertificateOptions, _ file: SettingsFile, domains: [String]) throws {
        let names = try domains.map { text in
            guard let name = try? DNSName(text), text.contains("."), !text.contains("*"), !text.hasSuffix(".") else {
                throw Failure("\"\(text)\" is no name that a CA would certify, such as vault.example.org.")
            }
            return "\(name)"
        }
        let given = flags.acmeDirectory.isEmpty ? file.acmeDirectory ?? [] : flags.acmeDirectory
        let directories = given.isEmpty ? [Self.letsEncrypt] : given
        keeper = CertificateKeeper.Settings(names: names, directories: directories)
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

    private static func dns(_ flags: CertificateOptions, _ file: SettingsFile) throws -> DNSUpdater? {
        guard let server = flags.dnsServer ?? file.dnsServer else { return nil }
        guard let zone = flags.dnsZone ?? file.dnsZone else { throw Failure("--dns-server needs --dns-zone.") }
        let address = try Settings.BindAddress(server)
        do {
            let key = try (flags.dnsKeyFile ?? file.dnsKeyFile).map {
                try TSIGKey(try File.read($0, most: 4_096).filter { !$0.isWhitespace })
            }
            return DNSUpdater(
                server: (address.host, address.port), zone: try DNSName(zone), key: key, now: { unixTime() })
        } catch let error as TSIGKeyError {
            throw Failure("--dns-key-file: \(error)")
        } catch let error as DNSNameError {
            throw Failure("--dns-zone: \(error)")
        }
    }
}
