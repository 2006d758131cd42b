import Synchronization

/// A fake disk with settable free space.
package final class FakeDisk: Sendable {
    private let state = Mutex<Int64?>(nil)

    package init() {}

    /// Free bytes; nil for unknown.
    package var free: Int64? {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }
}
