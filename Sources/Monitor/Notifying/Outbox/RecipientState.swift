/// Delivery state of one recipient. Times are Unix milliseconds.
package struct RecipientState: Equatable, Sendable {
    /// Last successful delivery.
    package var sent: Int64?
    /// Since when all attempts have failed.
    package var failingSince: Int64?
    /// Consecutive failed attempts.
    package var attempts = 0
    /// Those of them that were rejected.
    package var rejections = 0
    package var nextAttempt: Int64?
    package var lastError: String?
    package var waiting = 0
    package var waitingSince: Int64?

    package init() {}
}
