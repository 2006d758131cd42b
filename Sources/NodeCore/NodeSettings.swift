package import Auth
package import Backup
package import ServerRuntime
package import Vault

/// The settings of a node, merged from flags, file and defaults.
package struct NodeSettings: Sendable {
    package var https = BindAddress.everywhere(port: 443)
    package var origin: String
    package var certificate = CertificateSource.development
    /// The plain HTTP address for HTTP-01 and redirects; nil to disable it.
    package var http: BindAddress?
    package var registration = Accounts.Settings.Registration.invite
    package var nodes: String?
    package var sessionIdle = DurationOption(seconds: 12 * 3_600)
    package var sessionLifetime = DurationOption(seconds: 30 * 86_400)
    package var limits = ConnectionLimits(connections: 1_500, connectionsPerNetwork: 200)
    package var quotas = Quotas()
    package var backup: BackupSettings?
    package var push: PushSettings?
    package var logLevel = "info"

    package struct PushSettings: Sendable {
        package var name: String
        package var urlFiles: [String]
        package var trust: String?
        package var every = DurationOption(seconds: 30)

        package init(name: String, urlFiles: [String], trust: String?) {
            self.name = name
            self.urlFiles = urlFiles
            self.trust = trust
        }
    }

    package struct BackupSettings: Sendable {
        package var folder: String
        package var recipients: [String]
        package var every = DurationOption(seconds: 86_400)
        package var keep = Retention(last: 3, daily: 7, weekly: 5, monthly: 12)

        package init(folder: String, recipients: [String]) {
            self.folder = folder
            self.recipients = recipients
        }
    }

    /// The node's names, the origin first.
    package var names: [String] {
        [origin] + certificate.names.filter { $0 != origin }
    }

    package init(origin: String) {
        self.origin = origin
    }
}
