/// Why a message was not taken. Fit for a log: names the channel, its host, a status, and a little of the answer.
package struct DeliveryFailure: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Kind: Equatable, Sendable {
        /// It may go better later.
        case passing
        /// The service does not want this, and asking again will hardly change its mind.
        case refused
    }

    package let kind: Kind
    package let description: String
    /// Seconds that the service asks for.
    package let retryAfter: Double?
    /// Whether the fault may lie with this message, so that the next one could be taken.
    package let mayBeTheMessage: Bool

    package init(_ kind: Kind, _ description: String, retryAfter: Double? = nil, mayBeTheMessage: Bool = false) {
        self.kind = kind
        self.description = description
        self.retryAfter = retryAfter
        self.mayBeTheMessage = mayBeTheMessage
    }
}

/// When a message that was not taken is sent again: ever more slowly, and never given up. Times are Unix milliseconds.
package enum RetryRule {
    static let first = 5.0
    package static let longest = 600.0
    /// From here on a message that may itself be the fault lets others pass.
    static let mostInTheWay = 3

    /// - Parameters:
    ///   - failure: What went wrong.
    ///   - attempts: With this one.
    ///   - now: The time.
    ///   - random: Between 0.5 and 1, so that not everything comes back at once.
    /// - Returns: The time, at most ten minutes away.
    package static func next(after failure: DeliveryFailure, attempts: Int, now: Int64, random: Double) -> Int64 {
        let delay = first * Double(1 << min(max(attempts - 1, 0), 16))
        // A service may ask for no more than that: an alarm that comes a day late is none.
        let wait = max(min(delay, longest) * random, min(failure.retryAfter ?? 0, longest))
        return now + Int64(wait * 1_000)
    }
}
