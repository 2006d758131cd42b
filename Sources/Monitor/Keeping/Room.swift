import Files
package import Logging
import Synchronization
package import Telemetry

/// Room on the hub's disk. A reserve is held, and given back when the disk is full, so that there is something to write
/// alarms with; beats wait until there is room again, and count all the same.
package final class Room: Sendable {
    private let reserve: ReserveFile
    private let space: @Sendable () -> DiskSpace?
    private let logger: Logger
    private let short = Atomic(false)
    /// Whether something could not be written since the last look.
    private let hasFailed = Atomic(false)

    /// - Parameters:
    ///   - folder: Where the database lies, and the reserve beside it.
    ///   - logger: Hears when it begins and when it ends.
    ///   - space: Nil when it cannot be told.
    package init(
        folder: String, logger: Logger, space: (@Sendable () -> DiskSpace?)? = nil
    ) {
        reserve = ReserveFile(in: folder)
        self.logger = logger
        let machine = Machine.host(data: folder)
        self.space = space ?? { try? machine.space() }
    }

    /// Whether only what matters most is written.
    package var isShort: Bool { short.load(ordering: .relaxed) }

    /// How full the disk is, in percent as `df` computes it; nil when it cannot be told.
    var share: Double? { space()?.share }

    package func noteFailure() { hasFailed.store(true, ordering: .relaxed) }

    /// Gives the reserve up when the disk is full, and takes it back when there is room again.
    ///
    /// - Returns: Whether the reserve has just been given up.
    @discardableResult
    package func look() -> Bool {
        guard let space = space() else { return false }
        let free = Int64(clamping: space.available)
        if hasFailed.exchange(false, ordering: .relaxed) || free < ReserveFile.lowSpace {
            if !short.exchange(true, ordering: .relaxed) {
                logger.critical("the disk is full: beats are not written down", metadata: ["free": "\(free)"])
            }
            return reserve.release()
        }
        if isShort, free > 2 * ReserveFile.bytes {
            short.store(false, ordering: .relaxed)
            logger.notice("the disk has room again", metadata: ["free": "\(free)"])
        }
        if !isShort, !reserve.allocate(free: free) {
            logger.warning("no room for the reserve", metadata: ["free": "\(free)"])
        }
        return false
    }
}
