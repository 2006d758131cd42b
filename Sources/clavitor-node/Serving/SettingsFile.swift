import TOMLKit

/// The keys of the TOML file.
struct SettingsFile: Decodable {
    var https: String?
    var origin: String?
    var tlsCert: String?
    var tlsKey: String?
    var domain: [String]?
    var http: String?
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
    var registration: String?
    var nodes: String?
    var sessionIdle: Span?
    var sessionLifetime: Span?
    var maxConnections: Int?
    var backupTo: String?
    var backupRecipient: [String]?
    var backupEvery: Span?
    var backupKeep: String?
    var pushUrlFile: [String]?
    var pushCaFile: String?
    var pushEvery: Span?
    var nodeName: String?
    var logLevel: String?

    enum CodingKeys: String, CodingKey, CaseIterable {
        case https, http, origin, domain, registration, nodes
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
        case tlsCert = "tls-cert"
        case tlsKey = "tls-key"
        case sessionIdle = "session-idle"
        case sessionLifetime = "session-lifetime"
        case maxConnections = "max-connections"
        case backupTo = "backup-to"
        case backupRecipient = "backup-recipient"
        case backupEvery = "backup-every"
        case backupKeep = "backup-keep"
        case pushUrlFile = "push-url-file"
        case pushCaFile = "push-ca-file"
        case pushEvery = "push-every"
        case nodeName = "node-name"
        case logLevel = "log-level"
    }

    /// A key that nobody reads is a mistake that should be heard of before the night.
    static func read(_ path: String) throws -> SettingsFile {
        do {
            let table = try TOMLTable(string: try File.read(path, most: 1 << 20))
            let known = Set(CodingKeys.allCases.map(\.rawValue))
            let unknown = table.keys.filter { !known.contains($0) }.sorted()
            guard unknown.isEmpty else {
                throw Failure("\(path): unknown keys: \(unknown.joined(separator: ", ")).")
            }
            return try TOMLDecoder().decode(SettingsFile.self, from: table)
        } catch let error as TOMLParseError {
            throw Failure("\(path): \(error.description)")
        } catch let error as DecodingError {
            throw Failure("\(path): \(error)")
        }
    }
}
