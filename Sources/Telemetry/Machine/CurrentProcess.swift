/// Memory of this process.
package struct CurrentProcess: Equatable, Sendable {
    /// Resident memory in bytes.
    package var resident: UInt64

    package init(resident: UInt64) {
        self.resident = resident
    }

    /// Reads the text of `/proc/self/status`.
    package init(status text: String) throws(MachineError) {
        guard let resident = try KernelTable(text).bytes("VmRSS") else { throw .missing("VmRSS") }
        self.resident = resident
    }
}
