import Files
import Foundation
import Monitor
import Synchronization
import Telemetry
import TestSupport
import Testing

/// The monitor's handling of a full disk.
@Suite struct DiskSpaceGuardTests {
    private let folder = try? Scratch()
    private let log = LogLines()

    private final class Disk: Sendable {
        let free = Mutex<Int64>(1 << 30)
    }

    private func diskSpace(_ disk: Disk) throws -> DiskSpaceGuard {
        DiskSpaceGuard(directory: try #require(folder).path, logger: log.logger) {
            DiskSpace(used: 1 << 30, available: UInt64(disk.free.withLock { $0 }))
        }
    }

    private var reserve: Int64? {
        (try? FileManager.default.attributesOfItem(atPath: folder?.file("reserve") ?? ""))?[.size] as? Int64
    }

    @Test func aReserveIsHeldAndReleasedWhenTheDiskIsFull() throws {
        let disk = Disk()
        let diskSpace = try diskSpace(disk)
        diskSpace.check()
        #expect(reserve == ReserveFile.bytes)
        #expect(!diskSpace.isLow)
        disk.free.withLock { $0 = 1 << 20 }
        #expect(diskSpace.check())
        #expect(reserve == nil)
        #expect(diskSpace.isLow)
        // The released reserve is not enough to resume.
        disk.free.withLock { $0 = ReserveFile.bytes + 1 << 20 }
        diskSpace.check()
        #expect(diskSpace.isLow)
        #expect(reserve == nil)
        disk.free.withLock { $0 = 1 << 30 }
        diskSpace.check()
        #expect(!diskSpace.isLow)
        #expect(reserve == ReserveFile.bytes)
        #expect(log.all.count == 2, "\(log.all)")
    }

    /// A quota is invisible until a write fails.
    @Test func aFailedWriteReleasesTheReserve() throws {
        let disk = Disk()
        let diskSpace = try diskSpace(disk)
        diskSpace.check()
        diskSpace.recordWriteFailure()
        #expect(diskSpace.check())
        #expect(diskSpace.isLow)
        diskSpace.check()
        #expect(!diskSpace.isLow, "it is retried")
    }
}
