package import FoundationEssentials

/// What happened so far, kept over restarts: a program that crashes and starts again must not burn a CA's limits.
package struct Ledger: Codable, Equatable, Sendable {
    /// What the CA advised, for one certificate and no other.
    package var advice: Advice?
    package var authorities: [String: Authority] = [:]
    /// When certificates for these names came, of the last seven days.
    package var issued: [Date] = []
    package var pending: Pending?
    /// The serial of a certificate whose coming nobody may have heard of, because the program died over it.
    package var unreported: String?
    /// The last thing that went wrong, in words.
    package var lastError: String?
    package var lastErrorAt: Date?
    package var nextAttempt: Date?

    package struct Advice: Codable, Equatable, Sendable {
        /// RFC 9773 section 4.1. Advice about another certificate means nothing.
        package var renewalID: String
        /// Drawn once from the window: drawing again at each look would move all renewals to its end.
        package var moment: Date?
        /// The window that the moment was drawn from.
        package var start: Date?
        package var end: Date?
        package var explanation: String?
        package var askAgain: Date
    }

    /// One CA as it has treated us.
    package struct Authority: Codable, Equatable, Sendable {
        /// In a row.
        package var failures = 0
        package var notBefore: Date?
        /// When orders were made, of the last hour.
        package var orders: [Date] = []
        /// After a failed validation the next try goes to the CA's staging directory, if it has one.
        package var mustRehearse = false

        package init() {}
    }

    /// An order under way: to be gone on with after a crash, not made again.
    package struct Pending: Codable, Equatable, Sendable {
        package var directory: String
        package var names: [String]
        package var keyPEM: String
        package var replaces: String?
        /// Nil until the CA has answered.
        package var url: String?
        package var since: Date
    }

    package init() {}

    package mutating func note(_ error: String, at now: Date) {
        lastError = error
        lastErrorAt = now
    }
}
