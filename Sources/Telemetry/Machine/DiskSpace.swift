/// Space on a file system, in bytes.
package struct DiskSpace: Equatable, Sendable {
    package var used: UInt64
    /// Space that an unprivileged program may still use.
    package var available: UInt64

    package init(used: UInt64, available: UInt64) {
        self.used = used
        self.available = available
    }

    /// Converts the result of statvfs(3), in blocks of `size` bytes.
    package init(blocks: UInt64, free: UInt64, available: UInt64, size: UInt64) throws(MachineError) {
        let (used, usedOverflows) = (blocks - min(free, blocks)).multipliedReportingOverflow(by: size)
        let (left, leftOverflows) = available.multipliedReportingOverflow(by: size)
        guard !usedOverflows, !leftOverflows else { throw .malformed("disk space") }
        // Virtual file systems such as /proc have no blocks.
        guard blocks > 0, size > 0 else { throw .missing("disk space") }
        self.used = used
        self.available = left
    }

    /// Used space in percent, computed as `df` does: blocks reserved for root count as neither used nor available.
    package var usedPercent: Double {
        let whole = Double(used) + Double(available)
        return whole > 0 ? 100 * Double(used) / whole : 100
    }
}
