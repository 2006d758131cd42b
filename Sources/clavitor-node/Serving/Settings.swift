import ArgumentParser
import Auth
import Serving

/// How a node serves. One TOML file; every key is also a flag, which wins. Secrets stand in files of their own.
struct ServeOptions: ParsableArguments {
    @Option(help: "A TOML file whose keys are the flags below.")
    var config: String?

    @Flag(help: "A node on this machine for development: self-signed certificate, 127.0.0.1:8443, open registration.")
    var dev = false

    @Option(help: "Where to serve HTTPS, as ADDRESS:PORT.")
    var https: String?

    @Option(
        help: "The node's DNS name, to which clients bind their keys. Cannot change later without resetting passwords.")
    var origin: String?

    @OptionGroup(title: "Certificate") var certificate: CertificateOptions

    @Option(help: "Who may register: open, invite or closed.")
    var registration: String?

    @Option(help: "A JSON file with the fleet's nodes, for clients that look for the nearest.")
    var nodes: String?

    @Option(help: "A session ends after this long without a request.")
    var sessionIdle: Span?

    @Option(help: "A session ends after this long in any case.")
    var sessionLifetime: Span?

    @Option(help: "TCP connections at the same time.")
    var maxConnections: Int?

    @Option(help: "A folder for encrypted backups; without it the node makes none.")
    var backupTo: String?

    @Option(help: "An age recipient for backups (repeatable).")
    var backupRecipient: [String] = []

    @Option(help: "How often to make a backup.")
    var backupEvery: Span?

    @Option(help: "How many backups to keep, as last,daily,weekly,monthly.")
    var backupKeep: String?

    @Option(help: "A file with a monitor's push URL (repeatable). The URL is a credential.")
    var pushUrlFile: [String] = []

    @Option(help: "Certificates to trust a private monitor by, in PEM.")
    var pushCaFile: String?

    @Option(help: "How often to push a heartbeat. Monitors expect 30s.")
    var pushEvery: Span?

    @Option(help: "The node's name in the fleet. By default the first label of its DNS name.")
    var nodeName: String?

    @Option(help: "What to log: trace, debug, info, notice, warning, error, critical.")
    var logLevel: String?
}

struct Settings: Sendable {
    var https = BindAddress(host: "0.0.0.0", port: 443)
    var origin: String
    var certificate = CertificateSource.development
    /// For HTTP-01 and for whoever types the name without a scheme; nil to listen there not at all.
    var http: BindAddress?
    var registration = Accounts.Settings.Registration.invite
    var nodes: String?
    var sessionIdle = Span(seconds: 12 * 3_600)
    var sessionLifetime = Span(seconds: 30 * 86_400)
    var maxConnections = 2_000
    var backup: BackupSettings?
    var push: PushSettings?
    var logLevel = "info"

    struct PushSettings: Sendable {
        var name: String
        var urlFiles: [String]
        var trust: String?
        var every = Span(seconds: 30)
    }

    struct BackupSettings: Sendable {
        var folder: String
        var recipients: [String]
        var every = Span(seconds: 86_400)
        var keep = [3, 7, 5, 12]
    }

    /// The names that the node has, the one that clients know it by first.
    var names: [String] {
        [origin] + certificate.names.filter { $0 != origin }
    }

    /// For commands that do not serve.
    static let offline = Settings(origin: "localhost")

    private init(origin: String) {
        self.origin = origin
    }

    /// Flags over file over defaults.
    init(_ flags: ServeOptions) throws {
        let file = try flags.config.map(SettingsFile.read) ?? SettingsFile()
        certificate = try CertificateSource(flags.certificate, file.certificate, isDevelopment: flags.dev)
        guard let origin = flags.origin ?? file.origin ?? certificate.names.first ?? (flags.dev ? "localhost" : nil)
        else {
            throw Failure("The node needs its DNS name: --domain NAME. (For a node on your own machine: --dev.)")
        }
        self.origin = origin.lowercased()
        if flags.dev { https = BindAddress(host: "127.0.0.1", port: 8_443) }
        if let text = flags.https ?? file.https { https = try BindAddress(text) }
        if case .acme = certificate { http = BindAddress(host: "0.0.0.0", port: 80) }
        if let text = flags.certificate.http ?? file.certificate.http { http = try BindAddress(text) }
        if flags.dev { registration = .open }
        if let text = flags.registration ?? file.registration {
            guard let mode = Accounts.Settings.Registration(rawValue: text) else {
                throw Failure("Registration is open, invite or closed, not \"\(text)\".")
            }
            registration = mode
        }
        nodes = flags.nodes ?? file.nodes
        sessionIdle = flags.sessionIdle ?? file.sessionIdle ?? sessionIdle
        sessionLifetime = flags.sessionLifetime ?? file.sessionLifetime ?? sessionLifetime
        maxConnections = flags.maxConnections ?? file.maxConnections ?? maxConnections
        guard maxConnections > 0 else { throw Failure("max-connections is at least 1.") }
        logLevel = flags.logLevel ?? file.logLevel ?? logLevel
        let urlFiles = flags.pushUrlFile.isEmpty ? file.pushUrlFile ?? [] : flags.pushUrlFile
        if !urlFiles.isEmpty {
            let name = flags.nodeName ?? file.nodeName ?? String(self.origin.prefix { $0 != "." })
            var push = PushSettings(name: name, urlFiles: urlFiles, trust: flags.pushCaFile ?? file.pushCaFile)
            push.every = flags.pushEvery ?? file.pushEvery ?? push.every
            self.push = push
        }
        let recipients = flags.backupRecipient.isEmpty ? file.backupRecipient ?? [] : flags.backupRecipient
        if let folder = flags.backupTo ?? file.backupTo {
            guard !recipients.isEmpty else {
                throw Failure(
                    "Backups need somebody who can open them: --backup-recipient age1… (`age-keygen` makes one).")
            }
            var backup = BackupSettings(folder: folder, recipients: recipients)
            backup.every = flags.backupEvery ?? file.backupEvery ?? backup.every
            if let text = flags.backupKeep ?? file.backupKeep { backup.keep = try Self.keep(text) }
            self.backup = backup
        }
    }

    static func keep(_ text: String) throws -> [Int] {
        let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) ?? -1 }
        guard numbers.count == 4, numbers.allSatisfy({ $0 >= 0 }), numbers.contains(where: { $0 > 0 }) else {
            throw Failure(
                "\"\(text)\" does not say what to keep: four numbers, last,daily,weekly,monthly, as in 3,7,5,12.")
        }
        return numbers
    }
}
