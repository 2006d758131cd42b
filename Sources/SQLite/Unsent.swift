/// The result of a closure under a lock, which must be `sending`.
///
/// Unchecked is sound: the value was made by this thread and goes back to this thread.
package struct Unsent<R>: @unchecked Sendable {
    package let value: R

    package init(_ value: R) { self.value = value }
}
