import CProcess
package import FoundationEssentials
import Glibc

/// Memory settings of the server programs, applied at the start.
package enum ProcessMemory {
    /// Returns freed memory to the system early: the machines have 512 MB.
    package static func limitHeapGrowth() { allocator_limit_growth() }

    /// Disables core files, and denies other processes of the same user access to this one's memory.
    ///
    /// - Throws: `Failure` when the system refuses: a vault must not start unprotected.
    package static func denyInspection() throws {
        let code = process_deny_inspection()
        guard code == 0 else {
            throw Failure(
                "Debugger access and core files cannot be disabled (PR_SET_DUMPABLE, RLIMIT_CORE): error \(code).")
        }
    }

    /// Locks a key in memory, so that it is never swapped, if the limit on locked memory allows it.
    ///
    /// - Returns: Whether it is locked.
    package static func lock(_ key: some ContiguousBytes) -> Bool {
        unsafe key.withUnsafeBytes { bytes in
            guard let address = bytes.baseAddress else { return true }
            return unsafe mlock(address, bytes.count) == 0
        }
    }
}
