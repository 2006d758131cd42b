/// Room on a file system, in bytes.
package struct DiskSpace: Equatable, Sendable {
    package var used: UInt64
    /// What a program without privileges may still write.
    package var available: UInt64

    package init(used: UInt64, available: UInt64) {
        self.used = used
        self.available = available
    }

    /// From what statvfs(3) says, in blocks of `size` bytes.
    package init(blocks: UInt64, free: UInt64, available: UInt64, size: UInt64) throws(MachineError) {
        let (used, usedIsTooMuch) = (blocks - min(free, blocks)).multipliedReportingOverflow(by: size)
        let (left, leftIsTooMuch) = available.multipliedReportingOverflow(by: size)
        guard !usedIsTooMuch, !leftIsTooMuch else { throw .malformed("disk space") }
        // /proc and its like have no blocks at all.
        guard blocks > 0, size > 0 else { throw .missing("disk space") }
        self.used = used
        self.available = left
    }

    /// In percent, as `df` computes it: blocks that are kept back for root belong to neither side.
    package var share: Double {
        let whole = Double(used) + Double(available)
        return whole > 0 ? 100 * Double(used) / whole : 100
    }
}
