package import Logging
import ServiceLifecycle

/// Delivers the outbox: each recipient independently, one message at a time.
///
/// Notifications are marked delivered after the recipient accepted the message, so a crash in between sends it a second
/// time, with the same key if nothing was added. A graceful shutdown waits for messages in flight. A failing recipient
/// is retried until it accepts, and then receives the present state.
package final class Delivery<C: Clock>: Service where C.Duration == Duration {
    /// External dependencies, replaceable in tests.
    package struct Dependencies: Sendable {
        package var clock: C
        /// Unix milliseconds.
        package var now: @Sendable () -> Int64
        package var random: @Sendable (ClosedRange<Double>) -> Double

        package init(
            clock: C, now: @escaping @Sendable () -> Int64,
            random: @escaping @Sendable (ClosedRange<Double>) -> Double = { Double.random(in: $0) }
        ) {
            self.clock = clock
            self.now = now
            self.random = random
        }
    }

    private let outbox: Outbox
    private let senders: [ChannelSender]
    private let dependencies: Dependencies
    private let logger: Logger
    private let counts: DeliveryCounts
    private let store: StoreErrorLog

    /// Delay after an error of the store.
    private static var pause: Duration { .seconds(5) }
    /// Re-evaluated at least this often: the clock may jump, and the machine may suspend.
    private static var maxWait: Int64 { 60_000 }
    /// Minimum time between two attempts that new messages cause.
    private static var minRetryInterval: Duration { .seconds(30) }

    package init(outbox: Outbox, senders: [ChannelSender], dependencies: Dependencies, logger: Logger) {
        self.outbox = outbox
        self.senders = senders
        self.dependencies = dependencies
        self.logger = logger
        counts = DeliveryCounts(Set(senders.map(\.channel)))
        store = StoreErrorLog(logger)
    }

    package func run() async throws {
        await withGracefulShutdownHandler {
            await withTaskGroup(of: Void.self) { group in
                // Concurrent with the recipients: on a full disk it waits, and they need not.
                group.addTask { await self.migrateRecipients() }
                for sender in senders { group.addTask { await self.deliver(sender) } }
            }
        } onGracefulShutdown: { [outbox] in
            outbox.signalAll()
        }
    }

    /// Statistics by channel.
    package func statistics() async throws -> [String: DeliveryStatistics] {
        let states = try await outbox.states()
        let recipients = senders.map { (channel: $0.channel, state: states[$0.recipient] ?? RecipientState()) }
        return counts.with(recipients, now: dependencies.now())
    }

    private var isStopping: Bool { Task.isCancelled || Task.isShuttingDownGracefully }

    private func migrateRecipients() async {
        await writeUntilStored("start-up") { outbox in
            for name in try await outbox.migrateRecipients() {
                logger.warning(
                    "channel is no longer configured; its notifications were dropped", metadata: ["channel": "\(name)"])
            }
            outbox.signalAll()
        }
    }

    // MARK: One recipient

    private func deliver(_ sender: ChannelSender) async {
        guard let wakeSignal = outbox.wakeSignal(of: sender.recipient) else { return }
        // A new alarm does not wait for the next retry of an old one, which may be ten minutes away.
        var hasNewNotifications = false
        var lastAttempt = dependencies.clock.now.advanced(by: .zero - Self.minRetryInterval)
        while !isStopping {
            do {
                let queue = try await outbox.queue(of: sender.recipient)
                store.recordSuccess(for: sender.recipient)
                if !queue.unreadable.isEmpty { await discard(queue.unreadable, sender) }
                guard let batch = queue.nextBatch(sender.grouping, now: dependencies.now()) else {
                    await wakeSignal.wait()
                    continue
                }
                var wait = Duration.milliseconds(min(batch.at - dependencies.now(), Self.maxWait))
                if hasNewNotifications, queue.state.attempts > 0 {
                    wait = min(
                        wait, dependencies.clock.now.duration(to: lastAttempt.advanced(by: Self.minRetryInterval)))
                }
                if wait <= .zero {
                    hasNewNotifications = false
                    await attempt(batch, queue, sender)
                    lastAttempt = dependencies.clock.now
                } else if await wakeSignal.wait(
                    until: dependencies.clock.now.advanced(by: wait), on: dependencies.clock)
                {
                    hasNewNotifications = true
                }
            } catch {
                store.recordFailure(error, for: sender.recipient)
                await wakeSignal.wait(until: dependencies.clock.now.advanced(by: Self.pause), on: dependencies.clock)
            }
        }
    }

    private func attempt(_ batch: RecipientQueue.ScheduledBatch, _ queue: RecipientQueue, _ sender: ChannelSender) async
    {
        let updates = queue.updates(of: batch.notifications, sender.grouping, now: dependencies.now())
        let (nonEmpty, empty) = (updates.filter { !$0.changes.isEmpty }, updates.filter(\.changes.isEmpty))
        if !empty.isEmpty { await markDelivered(empty, sender) }
        var left = (sender.isThreaded ? nonEmpty.map { [$0] } : nonEmpty.isEmpty ? [] : [nonEmpty])[...]
        var failed: (updates: [ThreadUpdate], failure: DeliveryFailure)?
        while let updates = left.popFirst() {
            do throws(DeliveryFailure) {
                try await send(Message(channel: sender.channel, updates), sender)
                counts.count(sender.channel) { $0.delivered += 1 }
                let changeCount = updates.reduce(0) { $0 + $1.changes.count }
                logger.info("notified", metadata: ["recipient": "\(sender.recipient)", "changes": "\(changeCount)"])
                await markDelivered(updates, sender)
            } catch {
                // The program is stopping, which is not a failure.
                if Task.isCancelled { return }
                counts.count(sender.channel) { $0.failedAttempts += 1 }
                failed = ((failed?.updates ?? []) + updates, error)
                // When the service itself fails, further messages would fail too.
                if !error.mayBeMessageFault { break }
            }
            if isStopping { break }
        }
        if let failed { await reschedule(failed.updates, failed.failure, batch, queue, sender) }
    }

    private func send(_ message: Message, _ sender: ChannelSender) async throws(DeliveryFailure) {
        let (clock, at) = (dependencies.clock, dependencies.now())
        let outcome = await withTaskGroup(of: Result<Void, DeliveryFailure>.self) { group in
            group.addTask {
                do throws(DeliveryFailure) {
                    return .success(try await sender.send(message, at))
                } catch {
                    return .failure(error)
                }
            }
            group.addTask {
                try? await clock.sleep(for: sender.timeout)
                let seconds = sender.timeout.components.seconds
                return .failure(DeliveryFailure(.temporary, "\(sender.channel): no response within \(seconds) s"))
            }
            defer { group.cancelAll() }
            return await group.next() ?? .success(())
        }
        try outcome.get()
    }

    // MARK: Persistence

    private func markDelivered(_ updates: [ThreadUpdate], _ sender: ChannelSender) async {
        let now = dependencies.now()
        await writeUntilStored(sender.recipient) { try await $0.markDelivered(updates, of: sender.recipient, at: now) }
    }

    private func discard(_ notifications: [Int64], _ sender: ChannelSender) async {
        logger.error(
            "changes written by another version cannot be read",
            metadata: ["recipient": "\(sender.recipient)", "count": "\(notifications.count)"])
        var update = ThreadUpdate(thread: "")
        update.notifications = notifications
        await markDelivered([update], sender)
    }

    private func reschedule(
        _ updates: [ThreadUpdate], _ failure: DeliveryFailure, _ batch: RecipientQueue.ScheduledBatch,
        _ queue: RecipientQueue, _ sender: ChannelSender
    ) async {
        if queue.state.attempts == 0 {
            logger.warning(
                "notification not delivered", metadata: ["recipient": "\(sender.recipient)", "error": "\(failure)"])
        }
        let now = dependencies.now()
        // Separated notifications have their own attempt count, or they would block the ones after them.
        let attempts =
            batch.isSeparate
            ? (batch.notifications.map(\.attempts).max() ?? 0) + RetryPolicy.maxBlockingAttempts : queue.state.attempts
        let next = RetryPolicy.next(
            after: failure, attempts: attempts + 1, now: now, random: dependencies.random(0.5...1))
        let failedAttempt = FailedAttempt(
            error: failure.description, isRejection: failure.kind == .rejected, at: now, next: next,
            deferSeparately: batch.isSeparate
                || failure.mayBeMessageFault && attempts + 1 >= RetryPolicy.maxBlockingAttempts)
        await writeUntilStored(sender.recipient) {
            try await $0.reschedule(updates, of: sender.recipient, failedAttempt)
        }
    }

    /// Retries a write until it succeeds: otherwise the same message would be sent again at once.
    private func writeUntilStored(_ recipient: String, _ write: (Outbox) async throws -> Void) async {
        while true {
            do {
                try await write(outbox)
                return store.recordSuccess(for: recipient)
            } catch {
                store.recordFailure(error, for: recipient)
                // Unrecorded deliveries are sent once more after the restart, with the same key.
                if isStopping { return }
                try? await dependencies.clock.sleep(for: Self.pause)
            }
        }
    }
}
