/// Requests for a heartbeat before the next one is due: a change after which the monitor should know the new head of the audit log at
/// once, such as a revocation.
package struct HeartbeatRequests: Sendable {
    let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    package init() {
        // Requests that wait together need one heartbeat.
        (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Returns at once. One heartbeat answers all requests made before it is sampled.
    package func request() { continuation.yield() }
}
