import FoundationEssentials

/// Reads the machine's clocks.
package enum SystemClocks {
    private static let origin = ContinuousClock.now

    package static let now: @Sendable () -> ClockReading = {
        let passed = (ContinuousClock.now - origin).components
        return ClockReading(
            monotonic: passed.seconds * 1_000 + passed.attoseconds / 1_000_000_000_000_000,
            wall: Int64(Date().timeIntervalSince1970 * 1_000))
    }
}
