/// Tables of the inventory that say what every system has besides its vaults.
extension Inventory {
    /// The emergency sshd that is in every system and shut: whose key opens it, and from which addresses.
    package struct BreakGlass: Decodable, Equatable, Sendable {
        package var sshKey: String
        package var from: [String]
        /// False: the fleet is meant to have none.
        package var enabled: Bool?

        package var isThere: Bool { !sshKey.isEmpty }

        private enum CodingKeys: String, CodingKey {
            case sshKey = "ssh-key"
            case from, enabled
        }
    }

    /// Encrypted backups that every machine makes of its vaults, and the hub of its monitor.
    package struct Backup: Decodable, Equatable, Sendable {
        /// False: the fleet is meant to have none.
        package var enabled: Bool?
        /// age recipients; who can open them.
        package var recipients: [String]?
        /// A duration, `1d`.
        package var every: String?
        /// `last,daily,weekly,monthly`.
        package var keep: String?
        /// A folder on each machine.
        package var target: String?

        package static let usualTarget = "/var/backups/clavitor"

        init() {}
    }

    /// Whether the monitor notifies somebody, and whether it has a dead man's switch.
    package struct Notifying: Decodable, Equatable, Sendable {
        /// False: it is meant to notify nobody.
        package var enabled: Bool?
        /// False: it is meant to have none.
        package var deadMan: Bool?

        private enum CodingKeys: String, CodingKey {
            case enabled
            case deadMan = "dead-man"
        }
    }

    /// Work that a machine outside the fleet does on a timer, and tells the monitor of: see `ScheduledJob`.
    package struct Job: Decodable, Equatable, Sendable {
        package var name: String
        /// A duration, `1d`: when it is heard for the last time twice as long ago, somebody is notified.
        package var every: String
        /// SHA-256 of the token in its push URL, in hexadecimal.
        package var pushToken: String?

        private enum CodingKeys: String, CodingKey {
            case name, every
            case pushToken = "push-token"
        }

        package init(name: String, every: String, pushToken: String?) {
            (self.name, self.every, self.pushToken) = (name, every, pushToken)
        }
    }

    /// A `[[channel]]` of the monitor (docs/OPERATIONS.md). Its other keys are the monitor's and checked by it, when its
    /// configuration is built; its secrets are kept by `clavitor-soc secrets`.
    package struct Channel: Decodable, Equatable, Sendable {
        package var name: String
        package var type: String
        package var username: String?
        /// Secrets beyond those that its type cannot do without.
        package var secrets: [String]?

        /// Parts of a channel that are secrets.
        package static let parts = ["key", "password", "token", "url"]

        /// By type, those that it cannot do without.
        package static let needed = [
            "webhook": ["url"], "ntfy": ["url"], "chat": ["url"], "pagerduty": ["key"], "telegram": ["token"],
            "email": [],
        ]

        /// All of its secrets.
        package var allSecrets: [String] {
            let password = type == "email" && username != nil ? ["password"] : []
            return Set((Self.needed[type] ?? []) + password + (secrets ?? [])).sorted()
        }
    }
}
