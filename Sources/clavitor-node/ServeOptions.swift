import ArgumentParser
import Auth
import Backup
import NodeCore
import ServerRuntime
import Vault
import VaultFormat

/// The options of `serve`. Every flag is also a key of the TOML file; flags take precedence. Secrets are read from files.
struct ServeOptions: ParsableArguments {
    @Option(help: "TOML file whose keys are the flags below.")
    var config: String?

    @Flag(help: "Run a development node: self-signed certificate, 127.0.0.1:8443, open registration.")
    var dev = false

    @Option(help: "HTTPS address, as ADDRESS:PORT.")
    var https: String?

    @Option(
        help:
            "DNS name of the node, to which clients bind their keys. Changing it later invalidates all passwords and passkeys."
    )
    var origin: String?

    @OptionGroup(title: "Certificate") var certificate: CertificateOptions

    @Option(help: "Registration mode: open, invite or closed.")
    var registration: String?

    @Option(help: "JSON file with the fleet's nodes, from which clients choose the nearest.")
    var nodes: String?

    @Option(help: "Idle timeout of a session.")
    var sessionIdle: DurationOption?

    @Option(help: "Maximum lifetime of a session.")
    var sessionLifetime: DurationOption?

    @Option(help: "Maximum concurrent TCP connections.")
    var maxConnections: Int?

    @Option(help: "Maximum concurrent TCP connections of one network (IPv4 /24 or IPv6 /64).")
    var maxConnectionsPerNetwork: Int?

    @Option(
        help: ArgumentHelp(
            "Quota of a vault (repeatable), e.g. entries=20000. The quotas are listed in docs/OPERATIONS.md.",
            valueName: "name=number"))
    var quota: [String] = []

    @Option(help: "Directory for encrypted backups; no backups without it.")
    var backupTo: String?

    @Option(help: "age recipient of backups (repeatable).")
    var backupRecipient: [String] = []

    @Option(help: "Backup interval.")
    var backupEvery: DurationOption?

    @Option(help: "Backup retention, as last,daily,weekly,monthly.")
    var backupKeep: String?

    @Option(help: "File with a monitor's push URL, which is a credential (repeatable).")
    var pushUrlFile: [String] = []

    @Option(help: "PEM file with trusted certificates for a private monitor.")
    var pushCaFile: String?

    @Option(help: "Heartbeat interval. Monitors expect 30s.")
    var pushEvery: DurationOption?

    @Option(help: "Name of the node in the fleet. Default: the first label of its DNS name.")
    var nodeName: String?

    @Option(help: "Log level: trace, debug, info, notice, warning, error or critical.")
    var logLevel: String?
}

extension NodeSettings {
    /// Merges flags, file and defaults, in this order of precedence.
    init(_ flags: ServeOptions) throws {
        self.init(origin: "")
        let file = try flags.config.map(SettingsFile.read) ?? SettingsFile()
        certificate = try CertificateSource(flags.certificate, file.certificate, isDevelopment: flags.dev)
        guard let origin = flags.origin ?? file.origin ?? certificate.names.first ?? (flags.dev ? "localhost" : nil)
        else {
            throw Failure(
                "The DNS name of the node is required: --origin NAME with --tls-cert and --tls-key, or --domain NAME to get a certificate too. (For development on this machine: --dev.)"
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
            throw Failure("--session-idle must be at least 2m: the use of a session is recorded once a minute.")
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
            try Self.reject(
                "--push-url-file FILE, a file with a monitor's push URL",
                [
                    ("--push-ca-file", flags.pushCaFile ?? file.pushCaFile),
                    ("--push-every", (flags.pushEvery ?? file.pushEvery)?.description),
                ])
        }
        let recipients = flags.backupRecipient.isEmpty ? file.backupRecipient ?? [] : flags.backupRecipient
        if let folder = flags.backupTo ?? file.backupTo {
            guard !recipients.isEmpty else {
                throw Failure(
                    "--backup-to requires --backup-recipient age1…, whose key decrypts the backups (`age-keygen` makes one)."
                )
            }
            var backup = BackupSettings(folder: folder, recipients: recipients)
            backup.every = flags.backupEvery ?? file.backupEvery ?? backup.every
            if let text = flags.backupKeep ?? file.backupKeep { backup.keep = try Self.keep(text) }
            self.backup = backup
        } else {
            try Self.reject(
                "--backup-to DIR, the directory for backups",
                [
                    ("--backup-recipient", recipients.first),
                    ("--backup-every", (flags.backupEvery ?? file.backupEvery)?.description),
                    ("--backup-keep", flags.backupKeep ?? file.backupKeep),
                ])
        }
    }

    /// Rejects options that have no effect without another one.
    private static func reject(_ missing: String, _ options: [(name: String, value: String?)]) throws {
        if let option = options.first(where: { $0.value != nil }) {
            throw Failure("\(option.name) requires \(missing).")
        }
    }

    private static func quotas(_ texts: [String]) throws -> Quotas {
        var quotas = Quotas()
        for text in texts {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let quota = parts.first.flatMap({ Quota(rawValue: String($0)) }) else {
                throw Failure(
                    "--quota \"\(text)\": unknown quota. The quotas are \(Quota.allCases.map(\.rawValue).joined(separator: ", "))."
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
            throw Failure("\"\(text)\" is not a retention: \(Retention.form).")
        }
        return keep
    }
}
