package import FoundationEssentials

/// The history and state of renewal, stored in `ledger.json`, so that a program in a crash loop does not exhaust a CA's
/// rate limits.
package struct RenewalRecord: Codable, Equatable, Sendable {
    package var renewalInfo: CachedRenewalInfo?
    package var authorities: [String: Authority] = [:]
    /// When certificates for these names were issued during the last seven days.
    package var issued: [Date] = []
    package var pendingOrder: PendingOrder?
    /// The serial of a new certificate until it is reported: a crash in between must not suppress the report.
    package var unreportedSerial: String?
    package var lastError: String?
    package var lastErrorAt: Date?
    package var nextAttempt: Date?

    private enum CodingKeys: String, CodingKey {
        case renewalInfo = "advice"
        case authorities, issued
        case pendingOrder = "pending"
        case unreportedSerial = "unreported"
        case lastError, lastErrorAt, nextAttempt
    }

    /// The CA's renewal information for one certificate (RFC 9773).
    package struct CachedRenewalInfo: Codable, Equatable, Sendable {
        /// RFC 9773 section 4.1. Ignored for any other certificate.
        package var renewalID: String
        /// Drawn once from the window: drawing again at each poll would move all renewals to its end.
        package var renewAt: Date?
        /// The window that `renewAt` was drawn from.
        package var start: Date?
        package var end: Date?
        package var explanationURL: String?
        package var nextPoll: Date

        private enum CodingKeys: String, CodingKey {
            case renewalID
            case renewAt = "moment"
            case start, end
            case explanationURL = "explanation"
            case nextPoll = "askAgain"
        }
    }

    /// Back-off and rate limits for one CA.
    package struct Authority: Codable, Equatable, Sendable {
        /// Consecutive failures.
        package var failures = 0
        package var notBefore: Date?
        /// When orders were placed during the last hour.
        package var orders: [Date] = []
        /// After a failed validation the next attempt uses the CA's staging directory first, if it has one.
        package var mustUseStaging = false

        package init() {}

        private enum CodingKeys: String, CodingKey {
            case failures, notBefore, orders
            case mustUseStaging = "mustRehearse"
        }
    }

    /// An unfinished order, to be resumed after a crash instead of placed again.
    package struct PendingOrder: Codable, Equatable, Sendable {
        package var directory: String
        package var names: [String]
        package var keyPEM: String
        package var replaces: String?
        /// Nil until the CA has responded.
        package var url: String?
        package var since: Date
    }

    package init() {}

    package mutating func setError(_ error: String, at now: Date) {
        lastError = error
        lastErrorAt = now
    }
}
