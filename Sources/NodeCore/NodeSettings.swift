package import Auth
package import Backup
package import Serving
package import Vault

/// How a node serves: flags, file and defaults put together.
package struct NodeSettings: Sendable {
    package var https = BindAddress.everywhere(port: 443)
    package var origin: String
    package var certificate = CertificateSource.development
    /// For HTTP-01 and for whoever types the name without a scheme; nil to listen there not at all.
    package var http: BindAddress?
    package var registration = Accounts.Settings.Registration.invite
    package var nodes: String?
    package var sessionIdle = Span(seconds: 12 * 3_600)
    package var sessionLifetime = Span(seconds: 30 * 86_400)
    package var limits = ConnectionLimits(connections: 1_500, connectionsPerNetwork: 200)
    package var quotas = Quotas()
    package var backup: BackupSettings?
    package var push: PushSettings?
    package var logLevel = "info"

    package struct PushSettings: Sendable {
        package var name: String
        package var urlFiles: [String]
        package var trust: String?
        package var every = Span(seconds: 30)

        package init(name: String, urlFiles: [String], trust: String?) {
            self.name = name
            self.urlFiles = urlFiles
            self.trust = trust
        }
    }

    package struct BackupSettings: Sendable {
        package var folder: String
        package var recipients: [String]
        package var every = Span(seconds: 86_400)
        package var keep = Retention(last: 3, daily: 7, weekly: 5, monthly: 12)

        package init(folder: String, recipients: [String]) {
            self.folder = folder
            self.recipients = recipients
        }
    }

    /// The names that the node has, the one that clients know it by first.
    package var names: [String] {
        [origin] + certificate.names.filter { $0 != origin }
    }

    package init(origin: String) {
        self.origin = origin
    }
}
