import FoundationEssentials

/// An operator's decision to keep a node out of the nearest name, for a node that looks healthy but may be compromised.
package struct ManualOverride: Codable, Equatable, Sendable {
    package var by: String
    /// Unix milliseconds, as `until`.
    package var at: Int64
    /// Nil: until it is restored.
    package var until: Int64?
    /// Applies even if fewer than the floor, or than half, are left.
    package var isBelowFloor: Bool

    package init(by: String, at: Int64, until: Int64? = nil, isBelowFloor: Bool = false) {
        self.by = by
        self.at = at
        self.until = until
        self.isBelowFloor = isBelowFloor
    }

    package func hasExpired(at now: Int64) -> Bool { until.map { $0 <= now } ?? false }
}

extension ManualOverride {
    /// Describes the replacement of an earlier override; nil if there was none.
    package func change(from before: ManualOverride?, of node: String) -> String? {
        before.map { "\(node) was withdrawn already, \($0). It is withdrawn now \(self)." }
    }
}

extension ManualOverride: CustomStringConvertible {
    package var description: String {
        "by manual override of \(by), \(Self.timestamp(at))"
            + (until.map { " until \(Self.timestamp($0))" } ?? ", until it is restored")
    }

    private static func timestamp(_ milliseconds: Int64) -> String {
        Date(timeIntervalSince1970: Double(milliseconds / 1_000)).formatted(.iso8601)
    }
}

/// Why a manual override is rejected.
package enum ManualOverrideError: Error, Equatable, Sendable, CustomStringConvertible {
    case tooFew(String)
    case last(String)
    case noOverride(String)

    package var description: String {
        switch self {
        case .tooFew(let node):
            """
            Without \(node) fewer than the floor, or than half of all nodes, would be in the nearest name. \
            --below-floor withdraws it nevertheless.
            """
        case .last(let node):
            "\(node) is the last node in the nearest name. Restore another one first."
        case .noOverride(let node):
            "\(node) has no manual override. `dns plan` says which nodes are withdrawn, and why; the watch restores its own."
        }
    }
}

extension ManualOverrideError: PreconditionError {}
