package import Logging
package import SQLite
import ServiceLifecycle

/// Queues notifications for incident changes, escalations and reminders in the outbox.
///
/// Sending is the task of `Delivery`.
package final class Notifier<C: Clock>: Service where C.Duration == Duration {
    private let outbox: Outbox
    private let routes: [Route]
    private let clock: C
    private let now: @Sendable () -> Int64
    private let logger: Logger
    /// Delay after an error of the store.
    private static var pause: Duration { .seconds(5) }

    /// - Parameters:
    ///   - outbox: Has the same channels as the settings.
    ///   - settings: Channels and routes.
    ///   - clock: For waiting.
    ///   - now: Unix milliseconds.
    ///   - logger: Logs errors of the store.
    package init(
        outbox: Outbox, settings: NotificationSettings, clock: C, now: @escaping @Sendable () -> Int64, logger: Logger
    ) {
        self.outbox = outbox
        routes = settings.routes
        self.clock = clock
        self.now = now
        self.logger = logger
    }

    /// Queues the notifications of a batch of changes. Durable when it returns; until then the caller may, and after an
    /// error must, pass the same batch again.
    ///
    /// - Parameters:
    ///   - changes: In their order.
    ///   - record: Writes the caller's rows in the same transaction.
    /// - Throws: The store's error.
    package func notify(
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

    /// Runs escalation and reminders until the program stops.
    package func run() async throws {
        await withGracefulShutdownHandler {
            var hasStarted = false
            var isStoreHealthy = true
            while !Task.isCancelled, !Task.isShuttingDownGracefully {
                do {
                    // The routes may have changed since the last run computed its deadlines.
                    if !hasStarted { try await tick(.all) }
                    hasStarted = true
                    let due = try await outbox.nextDue()
                    isStoreHealthy = true
                    if let due, due <= now() {
                        try await tick(.due(now()))
                    } else {
                        await wait(until: due)
                    }
                } catch {
                    if isStoreHealthy {
                        logger.error("escalation state cannot be stored", metadata: ["error": "\(error)"])
                    }
                    isStoreHealthy = false
                    await outbox.escalationChanged.wait(until: clock.now.advanced(by: Self.pause), on: clock)
                }
            }
        } onGracefulShutdown: { [outbox] in
            outbox.signalAll()
        }
    }

    /// Applies what is due now.
    package func tick(_ selection: Outbox.Selection) async throws {
        let (routes, now) = (routes, now())
        try await outbox.escalate(selection, routes: routes, now: now) { escalation in
            escalation.tick(now, routes: routes)
        }
    }

    private func wait(until due: Int64?) async {
        guard let due else { return await outbox.escalationChanged.wait() }
        // Wall clocks may be set, so a distant deadline is re-evaluated.
        let wait = min(max(due - now(), 1), 60_000)
        await outbox.escalationChanged.wait(until: clock.now.advanced(by: .milliseconds(wait)), on: clock)
    }
}
