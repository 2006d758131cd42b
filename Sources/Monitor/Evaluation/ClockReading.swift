/// A reading of both clocks: the monotonic one, which decides deadlines, and the wall clock, which people read.
package struct ClockReading: Equatable, Sendable {
    /// Milliseconds since an arbitrary origin. Never goes back, and continues while the machine is suspended.
    package var monotonic: Int64
    /// Unix milliseconds. May be wrong and may jump.
    package var wall: Int64

    package init(monotonic: Int64, wall: Int64) {
        self.monotonic = monotonic
        self.wall = wall
    }
}
