import CProcess
package import FoundationEssentials
import Glibc

/// What a program that serves does about its memory, before anything else.
package enum ProcessMemory {
    /// Our machines have 512 MB: memory that is not in use goes back to the system.
    package static func keepSmall() { allocator_stay_small() }

    /// Keeps what the process knows out of core files and from other processes of the same user.
    ///
    /// - Throws: `Failure` when the system refuses: a vault must not start in the belief that it is hidden.
    package static func hide() throws {
        let code = process_hide_memory()
        guard code == 0 else {
            throw Failure("The process cannot be hidden from debuggers (PR_SET_DUMPABLE, RLIMIT_CORE): error \(code).")
        }
    }

    /// Keeps the page that holds a key out of swap, if the limit on locked memory allows.
    ///
    /// - Returns: Whether it did.
    package static func lock(_ key: some ContiguousBytes) -> Bool {
        unsafe key.withUnsafeBytes { bytes in
            guard let address = bytes.baseAddress else { return true }
            return unsafe mlock(address, bytes.count) == 0
        }
    }
}
