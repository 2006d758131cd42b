import ServerRuntime

/// The TOML file of `serve`.
struct SettingsFile: Decodable {
    var https: String?
    var origin: String?
    /// Decoded from the same table.
    var certificate = CertificateKeys()
    var registration: String?
    var nodes: String?
    var sessionIdle: DurationOption?
    var sessionLifetime: DurationOption?
    var maxConnections: Int?
    var maxConnectionsPerNetwork: Int?
    var quota: [String]?
    var backupTo: String?
    var backupRecipient: [String]?
    var backupEvery: DurationOption?
    var backupKeep: String?
    var pushUrlFile: [String]?
    var pushCaFile: String?
    var pushEvery: DurationOption?
    var nodeName: String?
    var logLevel: String?

    enum CodingKeys: String, CodingKey, CaseIterable {
        case https, origin, registration, nodes, quota
        case sessionIdle = "session-idle"
        case sessionLifetime = "session-lifetime"
        case maxConnections = "max-connections"
        case maxConnectionsPerNetwork = "max-connections-per-network"
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

    static func read(_ path: String) throws -> SettingsFile {
        let table = try SettingsTable(path)
        try table.rejectUnknownKeys(known: CodingKeys.allCases.map(\.rawValue) + CertificateKeys.names)
        var file = try table.decode(SettingsFile.self)
        file.certificate = try table.decode()
        return file
    }
}
