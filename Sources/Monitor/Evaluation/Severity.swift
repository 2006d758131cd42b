/// Severity of an incident, ordered `warning < sev2 < sev1`.
package enum Severity: String, Codable, CaseIterable, Comparable, Sendable {
    /// Shown, and notified only on routes that include warnings. Pages no one.
    case warning
    /// Needs attention now.
    case sev2
    /// Users are affected, or will be soon.
    case sev1

    private var rank: Int {
        switch self {
        case .warning: 0
        case .sev2: 1
        case .sev1: 2
        }
    }

    package static func < (left: Severity, right: Severity) -> Bool { left.rank < right.rank }
}
