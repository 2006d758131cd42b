import FoundationEssentials

/// A person's word that a node is not to answer for the nearest name: it may look healthy and be broken into.
package struct ManualOverride: Codable, Equatable, Sendable {
    package var by: String
    /// Unix milliseconds, as `until`.
    package var at: Int64
    /// Nil: until it is restored.
    package var until: Int64?
    /// Although fewer than the floor, or than half, are left.
    package var isBelowFloor: Bool

    package init(by: String, at: Int64, until: Int64? = nil, isBelowFloor: Bool = false) {
        self.by = by
        self.at = at
        self.until = until
        self.isBelowFloor = isBelowFloor
    }

    package func isOver(at now: Int64) -> Bool { until.map { $0 <= now } ?? false }
}

extension ManualOverride {
    /// What a person's word makes of the one that is there already; nil when there was none.
    package func change(from before: ManualOverride?, of node: String) -> String? {
        before.map { "\(node) was out already, \($0). It is out now \(self)." }
    }
}

extension ManualOverride: CustomStringConvertible {
    package var description: String {
        "by hand of \(by), \(Self.moment(at))" + (until.map { " until \(Self.moment($0))" } ?? ", until it is restored")
    }

    private static func moment(_ milliseconds: Int64) -> String {
        Date(timeIntervalSince1970: Double(milliseconds / 1_000)).formatted(.iso8601)
    }
}

/// Why a person's word is not taken.
package enum ManualOverrideError: Error, Equatable, Sendable, CustomStringConvertible {
    case tooFew(String)
    case last(String)
    case notByHand(String)

    package var description: String {
        switch self {
        case .tooFew(let node):
            """
            Without \(node) fewer than the floor, or than half of all nodes, would answer for the nearest name. \
            --below-floor takes it out all the same.
            """
        case .last(let node):
            "\(node) is the last that answers for the nearest name. Bring another one back first."
        case .notByHand(let node):
            "\(node) was not taken out by hand. `dns plan` says who is out, and why; the watch puts back whom it took out."
        }
    }
}

extension ManualOverrideError: Refusal {}
