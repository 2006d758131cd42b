/// A job for the fleet on a machine outside of it. Each run is reported to the monitor, which notifies when one fails or two
/// are missing.
package enum ScheduledJob: String, CaseIterable, Sendable {
    /// Fetches the newest backups from the machines.
    case backups
    /// Verifies every audit chain on its node.
    case integrity
    /// Checks for an invalid inventory, untested break-glass access and an old nixpkgs.
    case upkeep
    /// `dns watch`, which runs continuously.
    case names

    /// Its name at the monitor.
    package var name: String { "soc-\(rawValue)" }

    /// The interval at which the monitor expects a report.
    package var every: String {
        switch self {
        case .backups: "1d"
        case .integrity, .upkeep: "7d"
        case .names: "5m"
        }
    }

    /// The value of `OnCalendar=` (systemd.time(7)); nil for a continuous job.
    package var calendar: String? {
        switch self {
        case .backups: "daily"
        case .integrity: "Sat 03:00"
        case .upkeep: "Mon 09:00"
        case .names: nil
        }
    }

    var description: String {
        switch self {
        case .backups: "fetch the fleet's backups"
        case .integrity: "verify the fleet's audit chains"
        case .upkeep: "check inventory, break-glass and nixpkgs"
        case .names: "keep unhealthy nodes out of the nearest name"
        }
    }

    /// The jobs that apply to a fleet.
    package static func all(of inventory: Inventory) -> [ScheduledJob] {
        allCases.filter { $0 != .names || inventory.dns != nil }
    }
}
