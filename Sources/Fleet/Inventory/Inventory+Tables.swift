/// The inventory's tables for features that every system has besides its vaults.
extension Inventory {
    /// The emergency sshd, which is in every system and stopped by default: its authorized key and source addresses.
    package struct BreakGlass: Decodable, Equatable, Sendable {
        package var sshKey: String
        package var from: [String]
        /// False if explicitly disabled.
        package var enabled: Bool?

        package var isThere: Bool { !sshKey.isEmpty }

        private enum CodingKeys: String, CodingKey {
            case sshKey = "ssh-key"
            case from, enabled
        }
    }

    /// The encrypted backups of every machine's vaults, and of the hub's monitor.
    package struct Backup: Decodable, Equatable, Sendable {
        /// False if explicitly disabled.
        package var enabled: Bool?
        /// The age recipients, who can decrypt the backups.
        package var recipients: [String]?
        /// A duration, such as `1d`.
        package var every: String?
        /// `last,daily,weekly,monthly`.
        package var keep: String?
        /// A directory on each machine.
        package var target: String?

        package static let usualTarget = "/var/backups/clavitor"

        init() {}
    }

    /// Whether the monitor sends notifications, and whether it has a dead man's switch.
    package struct Notifying: Decodable, Equatable, Sendable {
        /// False if notifications are explicitly disabled.
        package var enabled: Bool?
        /// False if explicitly disabled.
        package var deadMan: Bool?

        private enum CodingKeys: String, CodingKey {
            case enabled
            case deadMan = "dead-man"
        }
    }

    /// A scheduled job of a machine outside the fleet, which reports to the monitor. See `ScheduledJob`.
    package struct Job: Decodable, Equatable, Sendable {
        package var name: String
        /// A duration, such as `1d`. The monitor notifies after twice this time without a report.
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

    /// A `[[channel]]` of the monitor (docs/OPERATIONS.md). The monitor checks the other keys when its configuration is built;
    /// `clavitor-soc secrets` stores the secrets.
    package struct Channel: Decodable, Equatable, Sendable {
        package var name: String
        package var type: String
        package var username: String?
        /// Secrets in addition to those that the type requires.
        package var secrets: [String]?

        /// The secret parts of a channel.
        package static let parts = ["key", "password", "token", "url"]

        /// The required secrets of each type.
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
