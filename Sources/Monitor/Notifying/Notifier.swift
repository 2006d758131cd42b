package import Logging
package import SQLite
import ServiceLifecycle

/// Takes what the judgement found, and puts into the outbox what is to be told of it, now and as time passes.
///
/// It sends nothing: that is `Delivery`.
package final class Notifier<C: Clock>: Service where C.Duration == Duration {
    private let outbox: Outbox
    private let routes: [Route]
    private let clock: C
    private let now: @Sendable () -> Int64
    private let logger: Logger
    /// After an error of the store.
    private static var pause: Duration { .seconds(5) }

    /// - Parameters:
    ///   - outbox: Knows the same channels as the settings.
    ///   - settings: Who is told what.
    ///   - clock: For waiting.
    ///   - now: Unix milliseconds.
    ///   - logger: Hears of errors of the store.
    package init(
        outbox: Outbox, settings: NotificationSettings, clock: C, now: @escaping @Sendable () -> Int64, logger: Logger
    ) {
        self.outbox = outbox
        routes = settings.routes
        self.clock = clock
        self.now = now
        self.logger = logger
    }

    /// Keeps what one batch of changes means for everybody. It is on the disk when this returns; until then the caller
    /// may, and after an error must, hand over the same batch again.
    ///
    /// - Parameters:
    ///   - changes: In their order.
    ///   - record: Writes, in the same transaction, what the caller keeps of them.
    /// - Throws: The store's error.
    package func tell(
        _ changes: [IncidentChange], record: @escaping @Sendable (Connection) throws -> Void = { _ in }
    ) async throws {
        guard !changes.isEmpty else { return }
        let routes = routes
        try await outbox.escalate(
            .incidents(Set(changes.map(\.incident.id))), routes: routes, now: now(), record: record
        ) { escalation in
            escalation.apply(changes, routes: routes)
        }
    }

    /// Escalates and reminds until the program stops.
    package func run() async throws {
        await withGracefulShutdownHandler {
            var hasBegun = false
            var isStoreWell = true
            while !Task.isCancelled, !Task.isShuttingDownGracefully {
                do {
                    // The routes may be others than those that the last run kept its deadlines by.
                    if !hasBegun { try await tick(.all) }
                    hasBegun = true
                    let due = try await outbox.nextDue()
                    isStoreWell = true
                    if let due, due <= now() {
                        try await tick(.due(now()))
                    } else {
                        await wait(until: due)
                    }
                } catch {
                    if isStoreWell { logger.error("escalation cannot be kept", metadata: ["error": "\(error)"]) }
                    isStoreWell = false
                    await outbox.escalationChanged.wait(until: clock.now.advanced(by: Self.pause), on: clock)
                }
            }
        } onGracefulShutdown: { [outbox] in
            outbox.ringAll()
        }
    }

    /// Does what is due now.
    package func tick(_ selection: Outbox.Selection) async throws {
        let (routes, now) = (routes, now())
        try await outbox.escalate(selection, routes: routes, now: now) { escalation in
            escalation.tick(now, routes: routes)
        }
    }

    private func wait(until due: Int64?) async {
        guard let due else { return await outbox.escalationChanged.wait() }
        // Wall clocks are set, so that a deadline far away is looked at again.
        let wait = min(max(due - now(), 1), 60_000)
        await outbox.escalationChanged.wait(until: clock.now.advanced(by: .milliseconds(wait)), on: clock)
    }
}
