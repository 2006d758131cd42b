/// Heartbeat times of a node: once per interval, at a phase derived from its name.
///
/// Slots are aligned to the wall clock, so that a restarted node keeps its phase, and a fleet that starts at once does
/// not send in unison. After the first slot they are counted on a monotonic clock.
package struct HeartbeatSchedule {
    /// Milliseconds, all of them.
    package let interval: Int64
    package let phase: Int64
    /// Maximum delay of a heartbeat after its slot.
    package let maxJitter: Int64

    package init(node: String, interval: Duration) {
        self.interval = max(1, interval.milliseconds)
        phase = Int64(Self.hash(node) % UInt64(self.interval))
        maxJitter = self.interval / 60
    }

    /// Returns the time until the next slot.
    package func wait(from now: Int64) -> Int64 {
        // A remainder has the sign of the dividend: the clock may be before 1970.
        let passed = ((now % interval) + interval) % interval
        return (phase - passed + interval) % interval
    }

    /// Returns the first future slot, by milliseconds since slot zero. Missed slots are skipped.
    func next(after slot: Int64, elapsed: Int64) -> Int64 { max(slot, elapsed / interval) + 1 }

    /// FNV-1a with the finalizer of MurmurHash3: names that differ in the last letter only must be far apart.
    private static func hash(_ text: String) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        hash = (hash ^ (hash >> 33)) &* 0xFF51_AFD7_ED55_8CCD
        hash = (hash ^ (hash >> 33)) &* 0xC4CE_B9FE_1A85_EC53
        return hash ^ (hash >> 33)
    }
}

extension Duration {
    /// Whole milliseconds.
    var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflows) = seconds.multipliedReportingOverflow(by: 1000)
        return overflows ? .max / 2 : product + attoseconds / 1_000_000_000_000_000
    }
}
