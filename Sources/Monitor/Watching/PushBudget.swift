/// How many pushes one token may send: five a second, twenty at once. A pusher gone wild costs its own beats and
/// nobody else's.
struct PushBudget: Sendable {
    private var left = 20.0
    private var last: Int64 = 0

    /// Whether there is one left. `now`: Steady milliseconds.
    mutating func spend(at now: Int64) -> Bool {
        left = min(20, left + Double(max(0, now - last)) / 200)
        last = now
        guard left >= 1 else { return false }
        left -= 1
        return true
    }
}
