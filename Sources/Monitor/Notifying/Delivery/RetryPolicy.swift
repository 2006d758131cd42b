/// Exponential backoff for failed messages, without an upper limit on attempts. Times are Unix milliseconds.
package enum RetryPolicy {
    static let first = 5.0
    package static let longest = 600.0
    /// Attempts after which a message that may be faulty no longer blocks others.
    static let maxBlockingAttempts = 3

    /// - Parameters:
    ///   - failure: The failure.
    ///   - attempts: Attempts so far, including this one.
    ///   - now: The time.
    ///   - random: Between 0.5 and 1, so that not everything is retried at once.
    /// - Returns: The time of the next attempt, at most ten minutes away.
    package static func next(after failure: DeliveryFailure, attempts: Int, now: Int64, random: Double) -> Int64 {
        let delay = first * Double(1 << min(max(attempts - 1, 0), 16))
        // A service may request no longer wait than that: an alarm that arrives a day late is useless.
        let wait = max(min(delay, longest) * random, min(failure.retryAfter ?? 0, longest))
        return now + Int64(wait * 1_000)
    }
}
