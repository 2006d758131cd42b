import Files
import Foundation
import Monitor
import Synchronization
import Telemetry
import TestSupport
import Testing

/// What the monitor does for room on its own disk.
@Suite struct RoomTests {
    private let folder = try? NotifyingScratch()
    private let log = LogLines()

    private final class Disk: Sendable {
        let free = Mutex<Int64>(1 << 30)
    }

    private func room(_ disk: Disk) throws -> Room {
        Room(folder: try #require(folder).path(""), logger: log.logger) {
            DiskSpace(used: 1 << 30, available: UInt64(disk.free.withLock { $0 }))
        }
    }

    private var reserve: Int64? {
        (try? FileManager.default.attributesOfItem(atPath: folder?.path("reserve") ?? ""))?[.size] as? Int64
    }

    @Test func aReserveIsHeldAndGivenBackWhenTheDiskIsFull() throws {
        let disk = Disk()
        let room = try room(disk)
        room.look()
        #expect(reserve == ReserveFile.bytes)
        #expect(!room.isShort)
        disk.free.withLock { $0 = 1 << 20 }
        #expect(room.look())
        #expect(reserve == nil)
        #expect(room.isShort)
        // What was given back is not enough to go on as before.
        disk.free.withLock { $0 = ReserveFile.bytes + 1 << 20 }
        room.look()
        #expect(room.isShort)
        #expect(reserve == nil)
        disk.free.withLock { $0 = 1 << 30 }
        room.look()
        #expect(!room.isShort)
        #expect(reserve == ReserveFile.bytes)
        #expect(log.all.count == 2, "\(log.all)")
    }

    /// A quota says nothing of itself before it refuses.
    @Test func whatCannotBeWrittenIsReasonEnough() throws {
        let disk = Disk()
        let room = try room(disk)
        room.look()
        room.noteFailure()
        #expect(room.look())
        #expect(room.isShort)
        room.look()
        #expect(!room.isShort, "it is tried again")
    }
}
