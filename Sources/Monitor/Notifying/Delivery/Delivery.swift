package import Logging
import ServiceLifecycle

/// Empties the outbox: every channel by itself, its messages in their order, one at a time.
///
/// A message is marked as delivered after the channel took it, so a crash in between sends it a second time, with the same
/// key. A planned stop lets what is on its way arrive.
package final class Delivery<C: Clock>: Service where C.Duration == Duration {
    /// The outside world, each piece replaced in tests.
    package struct World: Sendable {
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
    private let couriers: [Courier]
    private let world: World
    private let logger: Logger
    private let counts: DeliveryCounts
    private let store: StoreWatch
    /// Rung by nobody but a stop.
    private let pruning = Bell()

    /// After an error of the store.
    private static var pause: Duration { .seconds(5) }
    /// Wall clocks are set and machines sleep, so that a retry far away is looked at again.
    private static var longestWait: Int64 { 60_000 }
    /// Between two tries because of new messages, at least.
    private static var haste: Duration { .seconds(30) }

    package init(outbox: Outbox, couriers: [Courier], world: World, logger: Logger) {
        self.outbox = outbox
        self.couriers = couriers
        self.world = world
        self.logger = logger
        counts = DeliveryCounts(couriers.map(\.channel))
        store = StoreWatch(logger)
    }

    package func run() async throws {
        await withGracefulShutdownHandler {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await self.keepHouse() }
                for courier in couriers { group.addTask { await self.serve(courier) } }
            }
        } onGracefulShutdown: { [outbox, pruning] in
            outbox.ringAll()
            pruning.ring()
        }
    }

    package func figures() async throws -> [String: DeliveryFigures] {
        counts.with(try await outbox.waiting(), now: world.now())
    }

    private var mustStop: Bool { Task.isCancelled || Task.isShuttingDownGracefully }

    // MARK: One channel

    private func serve(_ courier: Courier) async {
        guard let bell = outbox.bell(of: courier.channel) else { return }
        // A new alarm does not wait until an old one is tried again, which may be in a quarter of an hour.
        var isHurried = false
        var lastTry = world.clock.now.advanced(by: .zero - Self.haste)
        while !mustStop {
            do {
                let row = try await outbox.next(for: courier.channel, now: world.now())
                store.isWell(for: courier.channel)
                guard let row, case .waiting(let due) = row.state else {
                    await bell.wait()
                    continue
                }
                var wait = Duration.milliseconds(min(due - world.now(), Self.longestWait))
                // A refusal counts, and haste would use them up.
                if isHurried, row.refusals == 0 {
                    wait = min(wait, world.clock.now.duration(to: lastTry.advanced(by: Self.haste)))
                }
                if wait <= .zero {
                    isHurried = false
                    await attempt(row, courier)
                    lastTry = world.clock.now
                } else if await bell.wait(until: world.clock.now.advanced(by: wait), on: world.clock) {
                    isHurried = true
                }
            } catch {
                store.failed(error, for: courier.channel)
                await bell.wait(until: world.clock.now.advanced(by: Self.pause), on: world.clock)
            }
        }
    }

    private func attempt(_ row: Outbox.Row, _ courier: Courier) async {
        guard let message = row.message else {
            let failure = DeliveryFailure(.refused, "\(row.channel): the message was written by another version")
            return await settle(row, failure, progress: row.progress, next: nil)
        }
        let pieces = courier.pieces(message)
        var progress = row.progress
        do throws(DeliveryFailure) {
            while progress < pieces {
                try await send(progress, message, courier)
                progress += 1
                let done = progress
                if done < pieces { await keep(row.channel) { try await $0.advance(row.id, to: done) } }
                if mustStop, done < pieces { return }
            }
        } catch {
            // The program is stopping, and nobody is to blame.
            if Task.isCancelled { return }
            counts.count(row.channel) { $0.failedAttempts += 1 }
            let refusals = row.refusals + (error.kind == .refused ? 1 : 0)
            let next = RetryRule.next(
                after: error, attempts: row.attempts + 1, refusals: refusals, created: row.created, now: world.now(),
                random: world.random(0.5...1))
            return await settle(row, error, progress: progress, next: next)
        }
        counts.count(row.channel) { $0.delivered += 1 }
        let now = world.now()
        await keep(row.channel) { try await $0.markDelivered(row.id, at: now) }
    }

    private func send(_ piece: Int, _ message: Message, _ courier: Courier) async throws(DeliveryFailure) {
        let (clock, at) = (world.clock, world.now())
        let outcome = await withTaskGroup(of: Result<Void, DeliveryFailure>.self) { group in
            group.addTask {
                do throws(DeliveryFailure) {
                    return .success(try await courier.send(piece, message, at))
                } catch {
                    return .failure(error)
                }
            }
            group.addTask {
                try? await clock.sleep(for: courier.patience)
                let seconds = courier.patience.components.seconds
                return .failure(DeliveryFailure(.passing, "\(courier.channel): no answer within \(seconds) s"))
            }
            defer { group.cancelAll() }
            return await group.next() ?? .success(())
        }
        try outcome.get()
    }

    private func settle(_ row: Outbox.Row, _ failure: DeliveryFailure, progress: Int, next: Int64?) async {
        if next == nil {
            counts.count(row.channel) { $0.givenUp += 1 }
            logger.error("notification given up", metadata: ["channel": "\(row.channel)", "error": "\(failure)"])
        } else if row.attempts == 0 {
            logger.warning("notification not taken", metadata: ["channel": "\(row.channel)", "error": "\(failure)"])
        }
        let now = world.now()
        await keep(row.channel) {
            try await $0.markFailed(row.id, failure, next: next, progress: progress, at: now)
        }
    }

    /// Writes until it is written: while it is not, the same message would be sent again at once.
    private func keep(_ channel: String, _ write: (Outbox) async throws -> Void) async {
        while true {
            do {
                try await write(outbox)
                return store.isWell(for: channel)
            } catch {
                store.failed(error, for: channel)
                // What is not on record by then is sent once more after the start, under the same key.
                if mustStop { return }
                try? await world.clock.sleep(for: Self.pause)
            }
        }
    }

    // MARK: Housekeeping

    /// At the start and every hour.
    private func keepHouse() async {
        while !mustStop {
            var pause = Duration.seconds(3_600)
            do {
                try await outbox.abandonUnknown(at: world.now())
                try await outbox.prune(now: world.now())
                store.isWell(for: "housekeeping")
            } catch {
                store.failed(error, for: "housekeeping")
                pause = Self.pause
            }
            await pruning.wait(until: world.clock.now.advanced(by: pause), on: world.clock)
        }
    }
}
