import Glibc

/// Waits until a condition holds, with a limit that only a hanging test reaches.
///
/// `what` describes the condition when the wait has failed; it is evaluated then.
///
/// - Throws: `NeverHappened` when the condition does not hold in time, and what the condition throws.
package func eventually(
    _ what: @autoclosure () -> String, within limit: Duration = .seconds(180), every pause: Duration = .milliseconds(5),
    _ isTrue: () throws -> Bool
) throws {
    let deadline = ContinuousClock.now + limit
    while try !isTrue() {
        guard ContinuousClock.now < deadline else { throw NeverHappened(what: what(), limit: limit) }
        usleep(UInt32(pause / .microseconds(1)))
    }
}

/// The same without blocking the task's thread.
package func eventually(
    _ what: @autoclosure () -> String, within limit: Duration = .seconds(180), every pause: Duration = .milliseconds(5),
    _ isTrue: () throws -> Bool
) async throws {
    try await eventually(what(), within: limit, every: pause) { () async throws in try isTrue() }
}

/// The same with an asynchronous condition.
package func eventually(
    _ what: @autoclosure () -> String, within limit: Duration = .seconds(180), every pause: Duration = .milliseconds(5),
    _ isTrue: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !isTrue() {
        guard ContinuousClock.now < deadline else { throw NeverHappened(what: what(), limit: limit) }
        try await Task.sleep(for: pause)
    }
}

/// Waits for a condition that other tasks of the test bring about.
///
/// Ends the program after three minutes: a group would wait for tasks that wait for the condition, so an error would never arrive.
package func until(
    _ isTrue: @autoclosure () throws -> Bool, file: StaticString = #file, line: UInt = #line
) async rethrows {
    let deadline = ContinuousClock.now + .seconds(180)
    while try !isTrue() {
        if ContinuousClock.now > deadline { fatalError("this condition never held", file: file, line: line) }
        try? await Task.sleep(for: .milliseconds(1))
    }
}

/// A condition that did not hold in time.
package struct NeverHappened: Error, CustomStringConvertible {
    package let what: String
    package let limit: Duration

    package var description: String { "not within \(limit): \(what)" }
}

/// Suspends until the task is cancelled.
package func cancelled() async {
    while !Task.isCancelled { try? await Task.sleep(for: .seconds(60)) }
}
