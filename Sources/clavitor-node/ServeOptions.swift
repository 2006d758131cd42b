import ArgumentParser
import Auth
import Backup
import NodeCore
import Serving
import Vault
import VaultFormat

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

    @Option(help: "TCP connections of one network (a /24 of IPv4, a /64 of IPv6) at the same time.")
    var maxConnectionsPerNetwork: Int?

    @Option(
        help: ArgumentHelp(
            "What a tenant may store or do (repeatable): one of the quotas in docs/OPERATIONS.md.",
            valueName: "name=number"))
    var quota: [String] = []

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

extension NodeSettings {
    /// Flags over file over defaults.
    init(_ flags: ServeOptions) throws {
        self.init(origin: "")
        let file = try flags.config.map(SettingsFile.read) ?? SettingsFile()
        certificate = try CertificateSource(flags.certificate, file.certificate, isDevelopment: flags.dev)
        guard let origin = flags.origin ?? file.origin ?? certificate.names.first ?? (flags.dev ? "localhost" : nil)
        else {
            throw Failure(
                "The node needs the DNS name that clients bind their keys to: --origin NAME beside --tls-cert and --tls-key, or --domain NAME to get a certificate as well. (To try it out on your own machine: --dev.)"
            )
        }
        self.origin = origin.lowercased()
        if flags.dev { https = BindAddress(host: "127.0.0.1", port: 8_443) }
        if let text = flags.https ?? file.https { https = try BindAddress(text, option: "--https") }
        if case .acme = certificate { http = BindAddress.everywhere(port: 80) }
        if let text = flags.certificate.http ?? file.certificate.http { http = try BindAddress(text, option: "--http") }
        if flags.dev { registration = .open }
        if let text = flags.registration ?? file.registration {
            guard let mode = Accounts.Settings.Registration(rawValue: text) else {
                throw Failure("--registration must be open, invite or closed, not \"\(text)\".")
            }
            registration = mode
        }
        nodes = flags.nodes ?? file.nodes
        sessionIdle = flags.sessionIdle ?? file.sessionIdle ?? sessionIdle
        guard sessionIdle.seconds >= 120 else {
            throw Failure("--session-idle must be at least 2m: that a session is used is noted once a minute.")
        }
        sessionLifetime = flags.sessionLifetime ?? file.sessionLifetime ?? sessionLifetime
        limits = try limits.changed(
            connections: flags.maxConnections ?? file.maxConnections,
            perNetwork: flags.maxConnectionsPerNetwork ?? file.maxConnectionsPerNetwork)
        quotas = try Self.quotas((file.quota ?? []) + flags.quota)
        logLevel = flags.logLevel ?? file.logLevel ?? logLevel
        let urlFiles = flags.pushUrlFile.isEmpty ? file.pushUrlFile ?? [] : flags.pushUrlFile
        if !urlFiles.isEmpty {
            let name = flags.nodeName ?? file.nodeName ?? String(self.origin.prefix { $0 != "." })
            var push = PushSettings(name: name, urlFiles: urlFiles, trust: flags.pushCaFile ?? file.pushCaFile)
            push.every = flags.pushEvery ?? file.pushEvery ?? push.every
            self.push = push
        } else {
            try Self.refuse(
                "--push-url-file FILE, with a monitor's push URL",
                [
                    ("--push-ca-file", flags.pushCaFile ?? file.pushCaFile),
                    ("--push-every", (flags.pushEvery ?? file.pushEvery)?.description),
                ])
        }
        let recipients = flags.backupRecipient.isEmpty ? file.backupRecipient ?? [] : flags.backupRecipient
        if let folder = flags.backupTo ?? file.backupTo {
            guard !recipients.isEmpty else {
                throw Failure(
                    "--backup-to needs --backup-recipient age1…, somebody who can open the backups (`age-keygen` makes one)."
                )
            }
            var backup = BackupSettings(folder: folder, recipients: recipients)
            backup.every = flags.backupEvery ?? file.backupEvery ?? backup.every
            if let text = flags.backupKeep ?? file.backupKeep { backup.keep = try Self.keep(text) }
            self.backup = backup
        } else {
            try Self.refuse(
                "--backup-to DIR, the folder for backups",
                [
                    ("--backup-recipient", recipients.first),
                    ("--backup-every", (flags.backupEvery ?? file.backupEvery)?.description),
                    ("--backup-keep", flags.backupKeep ?? file.backupKeep),
                ])
        }
    }

    /// Refuses options that are for nothing without another one.
    private static func refuse(_ missing: String, _ options: [(name: String, value: String?)]) throws {
        if let option = options.first(where: { $0.value != nil }) {
            throw Failure("\(option.name) needs \(missing).")
        }
    }

    private static func quotas(_ texts: [String]) throws -> Quotas {
        var quotas = Quotas()
        for text in texts {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let quota = parts.first.flatMap({ Quota(rawValue: String($0)) }) else {
                throw Failure(
                    "--quota \"\(text)\": there is no such quota. They are \(Quota.allCases.map(\.rawValue).joined(separator: ", "))."
                )
            }
            guard parts.count == 2, let number = Int(parts[1]), (1...quota.most).contains(number) else {
                throw Failure("--quota \(quota.rawValue)=NUMBER must be an integer from 1 to \(quota.most).")
            }
            quotas[quota] = number
        }
        return quotas
    }

    static func keep(_ text: String) throws -> Retention {
        guard let keep = Retention(text) else {
            throw Failure("\"\(text)\" does not say what to keep: \(Retention.form).")
        }
        return keep
    }
}
