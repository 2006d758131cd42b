package import ArgumentParser

/// Command-line options of a program's certificate. `CertificateKeys` has the same for a TOML file.
package struct CertificateOptions: ParsableArguments {
    @Option(help: "DNS name of the certificate (repeatable). The first is the server's own name.")
    package var domain: [String] = []

    @Option(help: "Address for HTTP-01 responses and redirects to HTTPS, as ADDRESS:PORT. Default: port 80.")
    package var http: String?

    @Option(help: "ACME directory URL of a CA (repeatable, in order of preference). Default: Let's Encrypt.")
    package var acmeDirectory: [String] = []

    @Option(help: "Staging directory of the first CA, used for the attempt after a failed one.")
    package var acmeStaging: String?

    @Option(help: "PEM file with trusted certificates for the directory of a private CA.")
    package var acmeCaFile: String?

    @Option(help: "Contact e-mail address for the CA (repeatable).")
    package var acmeContact: [String] = []

    @Option(help: "Key id of the external account binding.")
    package var acmeEabKid: String?

    @Option(help: "File with the key of the external account binding, as the CA prints it.")
    package var acmeEabKeyFile: String?

    @Option(help: "Certificate profile of the CA, such as shortlived.")
    package var acmeProfile: String?

    @Option(help: "Common name of the preferred root, if the CA offers several chains.")
    package var acmeChain: String?

    @Option(help: "Key type: p256, p384 or rsa2048.")
    package var acmeKey: String?

    @Option(help: "Challenge type to use exclusively: http-01, tls-alpn-01 or dns-01.")
    package var acmeChallenge: String?

    @Option(help: "Name server for dns-01 updates (RFC 2136), as ADDRESS:PORT.")
    package var dnsServer: String?

    @Option(help: "Zone to update for dns-01.")
    package var dnsZone: String?

    @Option(help: "File with the TSIG key for dns-01 updates, as ALGORITHM:NAME:SECRET.")
    package var dnsKeyFile: String?

    @Option(help: "PEM file with the certificate chain, instead of ACME. Reloaded when it changes.")
    package var tlsCert: String?

    @Option(help: "PEM file with the private key of --tls-cert.")
    package var tlsKey: String?

    package init() {}
}

/// The keys of a program's certificate in a TOML file.
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
