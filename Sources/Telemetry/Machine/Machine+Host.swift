import FoundationEssentials
import Glibc

extension Machine {
    /// Reads the machine that this program runs on.
    ///
    /// - Parameters:
    ///   - data: A path on the file system to measure.
    ///   - root: Prefix for every path except `data`.
    /// - Returns: A reader that queries the kernel at each call.
    package static func host(data: String, root: String = "") -> Machine {
        Machine(
            read: { path in try attempt { try String(contentsOfFile: root + path, encoding: .utf8) } },
            readLink: { path in try attempt { try FileManager.default.destinationOfSymbolicLink(atPath: root + path) }
            },
            count: { path in try attempt { try FileManager.default.contentsOfDirectory(atPath: root + path).count } },
            space: {
                var facts = statvfs()
                guard unsafe statvfs(data, &facts) == 0 else {
                    throw MachineError.unreadable("statvfs failed with error \(errno)")
                }
                return try DiskSpace(
                    blocks: UInt64(facts.f_blocks), free: UInt64(facts.f_bfree), available: UInt64(facts.f_bavail),
                    size: UInt64(facts.f_frsize))
            })
    }

    /// Reduces Foundation's long errors to the system's error code.
    private static func attempt<Value>(_ body: () throws -> Value) throws(MachineError) -> Value {
        do {
            return try body()
        } catch let error as CocoaError {
            throw .unreadable((error.underlying as? POSIXError).map { "\($0.code)" } ?? "\(error.code)")
        } catch {
            throw .unreadable("\(error)")
        }
    }
}
