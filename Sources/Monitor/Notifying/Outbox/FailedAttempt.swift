/// A failed attempt, as it is recorded.
struct FailedAttempt: Sendable {
    var error: String
    var isRejection: Bool
    var at: Int64
    var next: Int64
    /// Whether the notifications themselves may be the cause: they are sent separately from now on, and no longer block
    /// others.
    var deferSeparately: Bool
}
