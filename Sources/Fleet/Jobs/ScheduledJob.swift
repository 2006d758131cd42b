/// Work for the fleet that a machine outside it does on a timer. Each run is told to the monitor, which notifies somebody when
/// one fails or two do not come.
package enum ScheduledJob: String, CaseIterable, Sendable {
    /// Brings the newest backups away from the machines.
    case backups
    /// Verifies every audit chain where it lies.
    case integrity
    /// What people forget: an inventory with faults, break-glass untested, a nixpkgs that grows old.
    case upkeep
    /// `dns watch`, which runs all the time.
    case names

    /// Its name at the monitor.
    package var name: String { "soc-\(rawValue)" }

    /// How often the monitor expects it.
    package var every: String {
        switch self {
        case .backups: "1d"
        case .integrity, .upkeep: "7d"
        case .names: "5m"
        }
    }

    /// As `OnCalendar=` has it (systemd.time(7)); nil for what runs all the time.
    var calendar: String? {
        switch self {
        case .backups: "daily"
        case .integrity: "Sat 03:00"
        case .upkeep: "Mon 09:00"
        case .names: nil
        }
    }

    var description: String {
        switch self {
        case .backups: "the fleet's backups are fetched"
        case .integrity: "the fleet's audit chains are verified"
        case .upkeep: "what a fleet forgets"
        case .names: "ill nodes leave the nearest name"
        }
    }

    /// Those that a fleet has use for.
    package static func all(of inventory: Inventory) -> [ScheduledJob] {
        allCases.filter { $0 != .names || inventory.dns != nil }
    }
}
