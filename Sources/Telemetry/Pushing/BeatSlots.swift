/// When a node beats: once per interval, at a moment within it that its name decides.
///
/// Slots lie on the wall clock, so that a node that starts again beats where it did before, and a fleet that starts at
/// once does not beat in unison. From the first one on they are counted on a clock that nobody sets.
package struct BeatSlots {
    /// Milliseconds, all of them.
    package let interval: Int64
    package let phase: Int64
    /// A beat comes up to so much later than its slot.
    package let mostJitter: Int64

    package init(node: String, interval: Duration) {
        self.interval = max(1, interval.milliseconds)
        phase = Int64(Self.hash(node) % UInt64(self.interval))
        mostJitter = self.interval / 60
    }

    /// How long until the next slot.
    package func wait(from now: Int64) -> Int64 {
        // A remainder has the sign of what was divided: the clock may stand before 1970.
        let passed = ((now % interval) + interval) % interval
        return (phase - passed + interval) % interval
    }

    /// The first slot that is still to come, after so many milliseconds since slot zero. Those that were slept through
    /// are not made up for.
    func next(after slot: Int64, elapsed: Int64) -> Int64 { max(slot, elapsed / interval) + 1 }

    /// FNV-1a, and then the last step of MurmurHash3: names that differ in their last letter alone must lie far apart.
    private static func hash(_ text: String) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        hash = (hash ^ (hash >> 33)) &* 0xFF51_AFD7_ED55_8CCD
        hash = (hash ^ (hash >> 33)) &* 0xC4CE_B9FE_1A85_EC53
        return hash ^ (hash >> 33)
    }
}

extension Duration {
    /// Whole ones.
    var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, isTooMuch) = seconds.multipliedReportingOverflow(by: 1000)
        return isTooMuch ? .max / 2 : product + attoseconds / 1_000_000_000_000_000
    }
}
