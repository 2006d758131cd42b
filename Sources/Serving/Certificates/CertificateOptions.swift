package import ArgumentParser

/// Where a program's certificate comes from, as flags. `CertificateKeys` has the same for a file.
package struct CertificateOptions: ParsableArguments {
    @Option(help: "A name to get a certificate for (repeatable). The first one is the server's own.")
    package var domain: [String] = []

    @Option(help: "Where to answer HTTP-01 and to redirect to HTTPS, as ADDRESS:PORT. By default port 80.")
    package var http: String?

    @Option(help: "A CA's ACME directory (repeatable, in order of preference). By default Let's Encrypt.")
    package var acmeDirectory: [String] = []

    @Option(help: "The staging directory of the first CA, for the try after one that failed.")
    package var acmeStaging: String?

    @Option(help: "Certificates to trust a private CA's directory by, in PEM.")
    package var acmeCaFile: String?

    @Option(help: "An e-mail address for the CA (repeatable).")
    package var acmeContact: [String] = []

    @Option(help: "The key id of an external account binding.")
    package var acmeEabKid: String?

    @Option(help: "A file with the key of an external account binding, as the CA prints it.")
    package var acmeEabKeyFile: String?

    @Option(help: "A profile that the CA offers, such as shortlived.")
    package var acmeProfile: String?

    @Option(help: "The common name of the root to prefer, if the CA has several chains.")
    package var acmeChain: String?

    @Option(help: "The kind of key: p256, p384 or rsa2048.")
    package var acmeKey: String?

    @Option(help: "The one kind of challenge to answer: http-01, tls-alpn-01 or dns-01.")
    package var acmeChallenge: String?

    @Option(help: "The name server to send updates to for dns-01 (RFC 2136), as ADDRESS:PORT.")
    package var dnsServer: String?

    @Option(help: "The zone to update for dns-01.")
    package var dnsZone: String?

    @Option(help: "A file with the TSIG key for updates, as ALGORITHM:NAME:SECRET.")
    package var dnsKeyFile: String?

    @Option(help: "Certificate chain in PEM, instead of getting one. Read again when it changes.")
    package var tlsCert: String?

    @Option(help: "Its private key in PEM.")
    package var tlsKey: String?

    package init() {}
}

/// The same as keys of a TOML file.
package struct CertificateKeys: Decodable, Sendable {
    package var domain: [String]?
    package var http: String?
    var tlsCert: String?
    var tlsKey: String?
    var acmeDirectory: [String]?
    var acmeStaging: String?
    var acmeCaFile: String?
    var acmeContact: [String]?
    var acmeEabKid: String?
    var acmeEabKeyFile: String?
    var acmeProfile: String?
    var acmeChain: String?
    var acmeKey: String?
    var acmeChallenge: String?
    var dnsServer: String?
    var dnsZone: String?
    var dnsKeyFile: String?

    enum CodingKeys: String, CodingKey, CaseIterable {
        case domain, http
        case tlsCert = "tls-cert"
        case tlsKey = "tls-key"
        case acmeDirectory = "acme-directory"
        case acmeStaging = "acme-staging"
        case acmeCaFile = "acme-ca-file"
        case acmeContact = "acme-contact"
        case acmeEabKid = "acme-eab-kid"
        case acmeEabKeyFile = "acme-eab-key-file"
        case acmeProfile = "acme-profile"
        case acmeChain = "acme-chain"
        case acmeKey = "acme-key"
        case acmeChallenge = "acme-challenge"
        case dnsServer = "dns-server"
        case dnsZone = "dns-zone"
        case dnsKeyFile = "dns-key-file"
    }

    /// The keys' names.
    package static let names = CodingKeys.allCases.map(\.rawValue)

    package init() {}
}
