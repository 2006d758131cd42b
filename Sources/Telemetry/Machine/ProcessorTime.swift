/// What all processors have done since the machine started, in the kernel's ticks.
package struct ProcessorTime: Equatable, Sendable {
    /// Working, for whomever. Time that the hypervisor gave to others counts too: the machine could not have it.
    package var busy: UInt64
    /// With nothing to do, or nothing but to wait for a disk.
    package var idle: UInt64

    package init(busy: UInt64, idle: UInt64) {
        self.busy = busy
        self.idle = idle
    }

    /// Reads the text of `/proc/stat`, of which only the line of all processors together matters.
    package init(stat text: String) throws(MachineError) {
        // The line's end must be there, or its last number may have lost digits.
        guard let end = text.firstIndex(of: "\n") else { throw .missing("cpu") }
        let words = text[..<end].split(separator: " ")
        // user nice system idle, and then, from newer kernels: iowait irq softirq steal. What comes after (guest and
        // guest_nice) is in user and nice already.
        guard words.first == "cpu", words.count >= 5 else { throw .missing("cpu") }
        (busy, idle) = (0, 0)
        for (place, word) in words.dropFirst().prefix(8).enumerated() {
            guard let ticks = UInt64(word) else { throw .malformed("cpu") }
            let isIdle = place == 3 || place == 4
            let (sum, isTooMuch) = (isIdle ? idle : busy).addingReportingOverflow(ticks)
            guard !isTooMuch else { throw .malformed("cpu") }
            if isIdle { idle = sum } else { busy = sum }
        }
    }

    /// How busy the processors were between two moments, in percent. Nil when no time has passed.
    ///
    /// Counters do go back: iowait on any machine, all of them after some migrations. What went back counts as nothing.
    package func share(since earlier: ProcessorTime) -> Double? {
        let work = Double(busy - min(earlier.busy, busy))
        let rest = Double(idle - min(earlier.idle, idle))
        return work + rest > 0 ? 100 * work / (work + rest) : nil
    }
}
