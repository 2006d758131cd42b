/// Memory of the machine, in bytes.
package struct MemoryInfo: Equatable, Sendable {
    package var total: UInt64
    /// Memory available to a new program without swapping: free memory and reclaimable caches.
    package var available: UInt64
    /// Nil when the kernel reports no swap.
    package var swapUsed: UInt64?

    package init(total: UInt64, available: UInt64, swapUsed: UInt64? = nil) {
        self.total = total
        self.available = available
        self.swapUsed = swapUsed
    }

    /// Reads the text of `/proc/meminfo`.
    package init(meminfo text: String) throws(MachineError) {
        let table = KernelTable(text)
        guard let total = try table.bytes("MemTotal") else { throw .missing("MemTotal") }
        guard total > 0 else { throw .malformed("MemTotal") }
        guard let available = try table.bytes("MemAvailable") else { throw .missing("MemAvailable") }
        self.total = total
        self.available = available
        if let swap = try table.bytes("SwapTotal"), let free = try table.bytes("SwapFree") {
            swapUsed = swap - min(free, swap)
        }
    }

    package var used: UInt64 { total - min(available, total) }

    /// Used memory in percent.
    package var usedPercent: Double { total > 0 ? 100 * Double(used) / Double(total) : 0 }

    /// Applies a control group's limit, where it is lower than the machine's memory.
    package func within(_ group: ControlGroupMemory?) -> MemoryInfo {
        guard let group, group.limit < total else { return self }
        let left = group.limit - min(group.used, group.limit)
        return MemoryInfo(total: group.limit, available: min(left, available), swapUsed: swapUsed)
    }
}
