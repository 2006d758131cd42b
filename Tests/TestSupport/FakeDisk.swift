import Synchronization

/// A disk that has as much room as a test says.
package final class FakeDisk: Sendable {
    private let state = Mutex<Int64?>(nil)

    package init() {}

    /// Bytes; nil when that is not known.
    package var free: Int64? {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }
}
