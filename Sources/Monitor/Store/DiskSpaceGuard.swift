import Files
package import Logging
import Synchronization
package import Telemetry

/// Watches free space on the hub's disk and holds a reserve file. When the disk is full the reserve is released, so
/// that alarms can still be written; heartbeats are not stored until there is space again, but still count as signs of
/// life.
package final class DiskSpaceGuard: Sendable {
    private let reserve: ReserveFile
    private let space: @Sendable () -> DiskSpace?
    private let logger: Logger
    private let isLowFlag = Atomic(false)
    /// Whether a write has failed since the last check.
    private let hasFailed = Atomic(false)

    /// - Parameters:
    ///   - directory: The directory of the database and the reserve file.
    ///   - logger: Logs the beginning and the end of a shortage.
    ///   - space: Returns nil when free space cannot be determined.
    package init(
        directory: String, logger: Logger, space: (@Sendable () -> DiskSpace?)? = nil
    ) {
        reserve = ReserveFile(in: directory)
        self.logger = logger
        let machine = Machine.host(data: directory)
        self.space = space ?? { try? machine.space() }
    }

    /// Whether disk space is low: only alarms and operator actions are written.
    package var isLow: Bool { isLowFlag.load(ordering: .relaxed) }

    /// Used disk space in percent, computed as `df` does; nil when it cannot be determined.
    var usedPercent: Double? { space()?.usedPercent }

    package func recordWriteFailure() { hasFailed.store(true, ordering: .relaxed) }

    /// Releases the reserve when the disk is full, and takes it again when there is enough free space.
    ///
    /// - Returns: Whether this call released the reserve.
    @discardableResult
    package func check() -> Bool {
        guard let space = space() else { return false }
        let free = Int64(clamping: space.available)
        if hasFailed.exchange(false, ordering: .relaxed) || free < ReserveFile.lowSpace {
            if !isLowFlag.exchange(true, ordering: .relaxed) {
                logger.critical("disk full: heartbeats are not stored", metadata: ["free": "\(free)"])
            }
            return reserve.release()
        }
        if isLow, free > 2 * ReserveFile.bytes {
            isLowFlag.store(false, ordering: .relaxed)
            logger.notice("disk has free space again", metadata: ["free": "\(free)"])
        }
        if !isLow, !reserve.allocate(free: free) {
            logger.warning("not enough disk space for the reserve file", metadata: ["free": "\(free)"])
        }
        return false
    }
}
