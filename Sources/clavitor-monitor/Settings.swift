import ArgumentParser
import Files
import FoundationEssentials
import Logging
import Monitor
import ServerRuntime
import TOMLKit
import Wire

/// Options of `serve`. One TOML file; secrets are in separate files.
struct ServeOptions: ParsableArguments {
    @Option(
        help:
            "TOML file: the flags below as keys, dead-man-url-file, https-proxy-file, dashboard, and tables [[channel]] and [[route]]."
    )
    var config: String?

    @Flag(help: "Development mode: a self-signed certificate, on 127.0.0.1:8444.")
    var dev = false

    @Option(help: "HTTPS listen address, as ADDRESS:PORT.")
    var https: String?

    @OptionGroup(title: "Certificate") var certificate: CertificateOptions

    @Option(help: "JSON file with the fleet's nodes, for the map.")
    var nodes: String?

    @Option(
        help:
            "JSON file with nodes, operators and hashes of their tokens, which nix/hub.nix generates from an inventory."
    )
    var accessFile: String?

    @OptionGroup(title: "Backups") var backup: BackupFlags

    @Option(help: "Certificates to trust, in PEM, for notifications to private services.")
    var caFile: String?

    @Option(help: "Maximum number of TCP connections; each node keeps one.")
    var maxConnections: Int?

    @Option(help: "Maximum number of TCP connections of one network (a /24 of IPv4, a /64 of IPv6).")
    var maxConnectionsPerNetwork: Int?

    @Option(help: "Divide all of the fleet's times by this, for trials.")
    var hurry: Double?

    @Option(help: "Log level: trace, debug, info, notice, warning, error, critical.")
    var logLevel: String?
}

struct Settings: Sendable {
    var https = BindAddress.everywhere(port: 443)
    var certificate: CertificateSource
    /// Listen address for HTTP-01; nil to disable it.
    var http: BindAddress?
    var limits = ConnectionLimits(connections: 20_000, connectionsPerNetwork: 1_000)
    var locations: [NodeLocation] = []
    /// Nodes and operators listed by the configuration; nil when all are added manually.
    var access: MonitorAccess?
    /// Nil to make no backups.
    var backup: BackupPlan?
    var timing = Timing.standard
    var notifications: NotificationSettings
    /// File with the URL of the dead man's switch.
    var deadMansSwitch: String?
    var trustedPEM: [UInt8]?
    /// Proxy for services and nodes.
    var proxy: WebProxy?
    var logLevel = Logger.Level.info

    /// Keys of the TOML file.
    struct Keys: Decodable {
        var https: String?
        var nodes: String?
        var accessFile: String?
        var backupTo: String?
        var backupRecipient: [String]?
        var backupEvery: DurationOption?
        var backupKeep: String?
        var caFile: String?
        var maxConnections: Int?
        var maxConnectionsPerNetwork: Int?
        var deadManURLFile: String?
        var httpsProxyFile: String?
        var logLevel: String?

        enum CodingKeys: String, CodingKey, CaseIterable {
            case https, nodes
            case accessFile = "access-file"
            case backupTo = "backup-to"
            case backupRecipient = "backup-recipient"
            case backupEvery = "backup-every"
            case backupKeep = "backup-keep"
            case caFile = "ca-file"
            case maxConnections = "max-connections"
            case maxConnectionsPerNetwork = "max-connections-per-network"
            case deadManURLFile = "dead-man-url-file"
            case httpsProxyFile = "https-proxy-file"
            case logLevel = "log-level"
        }
    }

    /// Flags take precedence over the file, the file over defaults.
    init(_ flags: ServeOptions) throws {
        let table = try flags.config.map(SettingsTable.init)
        let file: Keys? = try table?.decode()
        let certificateKeys = try table?.decode(CertificateKeys.self) ?? CertificateKeys()
        notifications =
            try table.map(Self.notifications) ?? TOMLDecoder().decode(NotificationSettings.self, from: TOMLTable())
        certificate = try CertificateSource(flags.certificate, certificateKeys, isDevelopment: flags.dev)
        if flags.dev { https = BindAddress(host: "127.0.0.1", port: 8_444) }
        if let text = flags.https ?? file?.https { https = try BindAddress(text, option: "--https") }
        if case .acme = certificate { http = BindAddress.everywhere(port: 80) }
        if let text = flags.certificate.http ?? certificateKeys.http { http = try BindAddress(text, option: "--http") }
        limits = try limits.changed(
            connections: flags.maxConnections ?? file?.maxConnections,
            perNetwork: flags.maxConnectionsPerNetwork ?? file?.maxConnectionsPerNetwork)
        if let path = flags.nodes ?? file?.nodes { locations = try Self.locations(path) }
        if let path = flags.accessFile ?? file?.accessFile {
            do { access = try MonitorAccess(json: try File.read(path, most: 1 << 20)) } catch let error
                as MonitorAccessError
            {
                throw Failure("\(path) is not a list of nodes and operators: \(error).")
            }
        }
        backup = try BackupPlan(
            flags.backup,
            BackupPlan.Keys(
                to: file?.backupTo, recipients: file?.backupRecipient, every: file?.backupEvery, keep: file?.backupKeep)
        )
        deadMansSwitch = file?.deadManURLFile
        if let path = flags.caFile ?? file?.caFile { trustedPEM = Array(try File.read(path, most: 1 << 20).utf8) }
        proxy = try Self.proxy(file: file?.httpsProxyFile)
        if let hurry = flags.hurry {
            guard (1...1_000).contains(hurry) else { throw Failure("--hurry must be a number from 1 to 1000.") }
            timing = Timing(scale: hurry)
        }
        if let text = flags.logLevel ?? file?.logLevel {
            guard let level = Logger.Level(rawValue: text) else {
                throw Failure(
                    "--log-level must be trace, debug, info, notice, warning, error or critical, not \"\(text)\".")
            }
            logLevel = level
        }
    }

    /// Keys that are not the server's belong to the notification settings, which reject unknown ones.
    static func notifications(in table: SettingsTable) throws -> NotificationSettings {
        let ours = Set(Keys.CodingKeys.allCases.map(\.rawValue) + CertificateKeys.names)
        return try table.decode { !ours.contains($0) }
    }

    static func proxy(in table: SettingsTable) throws -> WebProxy? {
        try proxy(file: table.decode(Keys.self) { Keys.CodingKeys(rawValue: $0) != nil }.httpsProxyFile)
    }

    private static func proxy(file: String?) throws -> WebProxy? {
        do {
            return try WebProxy(
                file: try file.map { try File.read($0, most: 1 << 16) },
                environment: ProcessInfo.processInfo.environment)
        } catch let error as WebProxyError {
            throw Failure("\(error)")
        }
    }

    private static func locations(_ path: String) throws -> [NodeLocation] {
        let text = try File.read(path, most: 1 << 20)
        do {
            return try JSONDecoder().decode(NodesBody.self, from: Data(text.utf8)).nodes.map {
                NodeLocation(
                    name: $0.name, city: $0.city, latitude: $0.latitude, longitude: $0.longitude, url: $0.url)
            }
        } catch {
            throw Failure("\(path) does not list nodes: \(error)")
        }
    }
}
