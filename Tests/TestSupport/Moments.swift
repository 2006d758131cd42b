import Synchronization

/// A settable wall clock in Unix seconds, which only tests advance.
package final class Moments: Sendable {
    private let value: Atomic<Int64>

    /// `start`: The default is the first second of a minute.
    package init(_ start: Int64 = 1_709_312_400) {
        value = Atomic(start)
    }

    package var now: Int64 { value.load(ordering: .sequentiallyConsistent) }

    package func advance(by seconds: Int64) {
        value.wrappingAdd(seconds, ordering: .sequentiallyConsistent)
    }

    package func set(_ time: Int64) {
        value.store(time, ordering: .sequentiallyConsistent)
    }

    /// The `now` closure for the code under test.
    package var source: @Sendable () -> Int64 { { self.now } }
}
