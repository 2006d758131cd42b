import ArgumentParser
import FoundationEssentials
import Logging
import Monitor
import TOMLKit
import Wire

/// How the monitor serves. One TOML file; secrets stand in files of their own.
struct ServeOptions: ParsableArguments {
    @Option(
        help:
            "A TOML file: https, tls-cert, tls-key, nodes, dead-man-url-file, dashboard, and tables [[channel]] and [[route]]."
    )
    var config: String?

    @Flag(help: "With a certificate of its own, on 127.0.0.1:8444, for trying things out.")
    var dev = false

    @Option(help: "Where to serve HTTPS, as ADDRESS:PORT.")
    var https: String?

    @Option(help: "Certificate chain in PEM. Read again when it changes.")
    var tlsCert: String?

    @Option(help: "Its private key in PEM.")
    var tlsKey: String?

    @Option(help: "A JSON file with the fleet's nodes, for the map.")
    var nodes: String?

    @Option(help: "Certificates to trust, in PEM, for notifications to services of one's own.")
    var caFile: String?

    @Option(help: "Divide all of the fleet's times by this, for trying things out.")
    var hurry: Double?

    @Option(help: "What to log: trace, debug, info, notice, warning, error, critical.")
    var logLevel: String?
}

struct Settings: Sendable {
    var host = "0.0.0.0"
    var port = 443
    /// Nil for one of its own.
    var certificate: (chain: String, key: String)?
    var places: [NodePlace] = []
    var timing = Timing.standard
    var notifications: NotificationSettings
    /// The file with the URL to which the monitor's own heartbeat goes.
    var deadMan: String?
    var trustedPEM: [UInt8]?
    var logLevel = Logger.Level.info

    private struct File: Decodable {
        var https: String?
        var tlsCert: String?
        var tlsKey: String?
        var nodes: String?
        var deadManURLFile: String?
        var logLevel: String?

        enum CodingKeys: String, CodingKey, CaseIterable {
            case https, nodes
            case tlsCert = "tls-cert"
            case tlsKey = "tls-key"
            case deadManURLFile = "dead-man-url-file"
            case logLevel = "log-level"
        }
    }

    /// Flags over file over defaults.
    init(_ flags: ServeOptions) throws {
        let table = try flags.config.map(Self.table) ?? TOMLTable()
        // What is not the server's is the notifications', which refuse what they do not know.
        let rest = TOMLTable()
        for (key, value) in table where !File.CodingKeys.allCases.map(\.rawValue).contains(key) { rest[key] = value }
        let file: File
        do {
            file = try TOMLDecoder().decode(File.self, from: table)
            notifications = try TOMLDecoder().decode(NotificationSettings.self, from: rest)
        } catch {
            throw Failure("\(flags.config ?? "The configuration"): \(error)")
        }
        if flags.dev { (host, port) = ("127.0.0.1", 8_444) }
        if let text = flags.https ?? file.https { (host, port) = try Self.address(text) }
        switch (flags.tlsCert ?? file.tlsCert, flags.tlsKey ?? file.tlsKey) {
        case (let chain?, let key?): certificate = (chain, key)
        case (nil, nil) where flags.dev: certificate = nil
        default:
            throw Failure("The monitor needs --tls-cert and --tls-key. (To try it out on your own machine: --dev.)")
        }
        if let path = flags.nodes ?? file.nodes {
            let body = try JSONDecoder().decode(NodesBody.self, from: try Data(contentsOf: URL(filePath: path)))
            places = body.nodes.map {
                NodePlace(name: $0.name, city: $0.city, latitude: $0.latitude, longitude: $0.longitude)
            }
        }
        deadMan = file.deadManURLFile
        if let path = flags.caFile { trustedPEM = Array(try Data(contentsOf: URL(filePath: path))) }
        if let hurry = flags.hurry {
            guard (1...1_000).contains(hurry) else { throw Failure("--hurry is a number from 1 to 1000.") }
            timing = Timing(scale: hurry)
        }
        if let text = flags.logLevel ?? file.logLevel {
            guard let level = Logger.Level(rawValue: text) else { throw Failure("There is no log level \"\(text)\".") }
            logLevel = level
        }
    }

    private static func table(_ path: String) throws -> TOMLTable {
        do {
            return try TOMLTable(string: String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self))
        } catch let error as TOMLParseError {
            throw Failure("\(path): \(error.description)")
        }
    }

    /// `192.0.2.1:443` or `[2001:db8::1]:443`.
    private static func address(_ text: String) throws -> (String, Int) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count >= 2, let port = UInt16(parts.last ?? "") else {
            throw Failure("\"\(text)\" is no ADDRESS:PORT, such as 0.0.0.0:443 or [::]:443.")
        }
        let host = parts.dropLast().joined(separator: ":")
        return (host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host, Int(port))
    }
}
