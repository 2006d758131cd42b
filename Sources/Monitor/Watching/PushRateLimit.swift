/// Token bucket for the pushes of one node: five per second, a burst of twenty. A misbehaving client loses its own
/// heartbeats only.
struct PushRateLimit: Sendable {
    private var tokens = 20.0
    private var last: Int64 = 0

    /// Takes a token, if one is left. `now`: Monotonic milliseconds.
    mutating func allow(at now: Int64) -> Bool {
        tokens = min(20, tokens + Double(max(0, now - last)) / 200)
        last = now
        guard tokens >= 1 else { return false }
        tokens -= 1
        return true
    }
}
