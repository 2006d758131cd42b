/// Accumulated time of all processors since boot, in kernel ticks.
package struct ProcessorTime: Equatable, Sendable {
    /// Time in use. Time stolen by the hypervisor counts too: the machine could not use it.
    package var busy: UInt64
    /// Time idle or waiting for a disk.
    package var idle: UInt64

    package init(busy: UInt64, idle: UInt64) {
        self.busy = busy
        self.idle = idle
    }

    /// Reads the text of `/proc/stat`; only the line of all processors is used.
    package init(stat text: String) throws(MachineError) {
        // The line must be terminated, or its last number may have lost digits.
        guard let end = text.firstIndex(of: "\n") else { throw .missing("cpu") }
        let words = text[..<end].split(separator: " ")
        // user nice system idle, and in newer kernels iowait irq softirq steal. The following guest and guest_nice are
        // already included in user and nice.
        guard words.first == "cpu", words.count >= 5 else { throw .missing("cpu") }
        (busy, idle) = (0, 0)
        for (place, word) in words.dropFirst().prefix(8).enumerated() {
            guard let ticks = UInt64(word) else { throw .malformed("cpu") }
            let isIdle = place == 3 || place == 4
            let (sum, overflows) = (isIdle ? idle : busy).addingReportingOverflow(ticks)
            guard !overflows else { throw .malformed("cpu") }
            if isIdle { idle = sum } else { busy = sum }
        }
    }

    /// Processor usage between two readings, in percent. Nil when no time has passed.
    ///
    /// Counters can decrease: iowait on any machine, all of them after some migrations. A decrease counts as zero.
    package func busyPercent(since earlier: ProcessorTime) -> Double? {
        let work = Double(busy - min(earlier.busy, busy))
        let rest = Double(idle - min(earlier.idle, idle))
        return work + rest > 0 ? 100 * work / (work + rest) : nil
    }
}
