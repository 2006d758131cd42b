package import Logging
import ServiceLifecycle

/// Empties the outbox: every line by itself, one message at a time.
///
/// What a message told is settled after the line took it, so a crash in between sends it a second time, with the same key
/// if nothing was added. A planned stop lets what is on its way arrive. A line that takes nothing is tried until it does,
/// and hears then how things stand.
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
    private let senders: [ChannelSender]
    private let world: World
    private let logger: Logger
    private let counts: DeliveryCounts
    private let store: StoreWatch

    /// After an error of the store.
    private static var pause: Duration { .seconds(5) }
    /// Wall clocks are set and machines sleep, so that a retry far away is looked at again.
    private static var longestWait: Int64 { 60_000 }
    /// Between two tries because of new messages, at least.
    private static var haste: Duration { .seconds(30) }

    package init(outbox: Outbox, senders: [ChannelSender], world: World, logger: Logger) {
        self.outbox = outbox
        self.senders = senders
        self.world = world
        self.logger = logger
        counts = DeliveryCounts(Set(senders.map(\.channel)))
        store = StoreWatch(logger)
    }

    package func run() async throws {
        await withGracefulShutdownHandler {
            await withTaskGroup(of: Void.self) { group in
                // Beside the lines: on a full disk it waits, and they need not.
                group.addTask { await self.adopt() }
                for sender in senders { group.addTask { await self.serve(sender) } }
            }
        } onGracefulShutdown: { [outbox] in
            outbox.ringAll()
        }
    }

    /// By channel.
    package func figures() async throws -> [String: DeliveryFigures] {
        let states = try await outbox.states()
        let lines = senders.map { (channel: $0.channel, state: states[$0.line] ?? LineState()) }
        return counts.with(lines, now: world.now())
    }

    private var mustStop: Bool { Task.isCancelled || Task.isShuttingDownGracefully }

    private func adopt() async {
        await keep("the start") { outbox in
            for name in try await outbox.adopt() {
                logger.warning("nobody is told any more, for it is not configured", metadata: ["channel": "\(name)"])
            }
            outbox.ringAll()
        }
    }

    // MARK: One line

    private func serve(_ sender: ChannelSender) async {
        guard let bell = outbox.bell(of: sender.line) else { return }
        // A new alarm does not wait until an old one is tried again, which may be in ten minutes.
        var isHurried = false
        var lastTry = world.clock.now.advanced(by: .zero - Self.haste)
        while !mustStop {
            do {
                let desk = try await outbox.desk(of: sender.line)
                store.isWell(for: sender.line)
                if !desk.unreadable.isEmpty { await forget(desk.unreadable, sender) }
                guard let plan = desk.plan(sender.grouping, now: world.now()) else {
                    await bell.wait()
                    continue
                }
                var wait = Duration.milliseconds(min(plan.at - world.now(), Self.longestWait))
                if isHurried, desk.state.attempts > 0 {
                    wait = min(wait, world.clock.now.duration(to: lastTry.advanced(by: Self.haste)))
                }
                if wait <= .zero {
                    isHurried = false
                    await attempt(plan, desk, sender)
                    lastTry = world.clock.now
                } else if await bell.wait(until: world.clock.now.advanced(by: wait), on: world.clock) {
                    isHurried = true
                }
            } catch {
                store.failed(error, for: sender.line)
                await bell.wait(until: world.clock.now.advanced(by: Self.pause), on: world.clock)
            }
        }
    }

    private func attempt(_ plan: Desk.Plan, _ desk: Desk, _ sender: ChannelSender) async {
        let parcels = desk.parcels(of: plan.tellings, sender.grouping, now: world.now())
        let (news, rest) = (parcels.filter { !$0.changes.isEmpty }, parcels.filter(\.changes.isEmpty))
        if !rest.isEmpty { await settle(rest, sender) }
        var left = (sender.isThreaded ? news.map { [$0] } : news.isEmpty ? [] : [news])[...]
        var failed: (parcels: [Parcel], failure: DeliveryFailure)?
        while let batch = left.popFirst() {
            do throws(DeliveryFailure) {
                try await send(Message(channel: sender.channel, batch), sender)
                counts.count(sender.channel) { $0.delivered += 1 }
                let told = batch.reduce(0) { $0 + $1.changes.count }
                logger.info("told", metadata: ["line": "\(sender.line)", "changes": "\(told)"])
                await settle(batch, sender)
            } catch {
                // The program is stopping, and nobody is to blame.
                if Task.isCancelled { return }
                counts.count(sender.channel) { $0.failedAttempts += 1 }
                failed = ((failed?.parcels ?? []) + batch, error)
                // Where the service itself does not work, the others would fare no better.
                if !error.mayBeTheMessage { break }
            }
            if mustStop { break }
        }
        if let failed { await postpone(failed.parcels, failed.failure, plan, desk, sender) }
    }

    private func send(_ message: Message, _ sender: ChannelSender) async throws(DeliveryFailure) {
        let (clock, at) = (world.clock, world.now())
        let outcome = await withTaskGroup(of: Result<Void, DeliveryFailure>.self) { group in
            group.addTask {
                do throws(DeliveryFailure) {
                    return .success(try await sender.send(message, at))
                } catch {
                    return .failure(error)
                }
            }
            group.addTask {
                try? await clock.sleep(for: sender.patience)
                let seconds = sender.patience.components.seconds
                return .failure(DeliveryFailure(.passing, "\(sender.channel): no answer within \(seconds) s"))
            }
            defer { group.cancelAll() }
            return await group.next() ?? .success(())
        }
        try outcome.get()
    }

    // MARK: What is kept

    private func settle(_ parcels: [Parcel], _ sender: ChannelSender) async {
        let now = world.now()
        await keep(sender.line) { try await $0.settle(parcels, of: sender.line, at: now) }
    }

    private func forget(_ tellings: [Int64], _ sender: ChannelSender) async {
        logger.error(
            "changes were written by another version and cannot be told",
            metadata: ["line": "\(sender.line)", "count": "\(tellings.count)"])
        var parcel = Parcel(thread: "")
        parcel.tellings = tellings
        await settle([parcel], sender)
    }

    private func postpone(
        _ parcels: [Parcel], _ failure: DeliveryFailure, _ plan: Desk.Plan, _ desk: Desk, _ sender: ChannelSender
    ) async {
        if desk.state.attempts == 0 {
            logger.warning("notification not taken", metadata: ["line": "\(sender.line)", "error": "\(failure)"])
        }
        let now = world.now()
        // What stands aside is tried by its own count, or it would hold up what comes after it.
        let tries =
            plan.isAside
            ? (plan.tellings.map(\.attempts).max() ?? 0) + RetryRule.mostInTheWay : desk.state.attempts
        let next = RetryRule.next(after: failure, attempts: tries + 1, now: now, random: world.random(0.5...1))
        let kept = LineFailure(
            error: failure.description, isRefusal: failure.kind == .refused, at: now, next: next,
            setsAside: plan.isAside || failure.mayBeTheMessage && tries + 1 >= RetryRule.mostInTheWay)
        await keep(sender.line) { try await $0.postpone(parcels, of: sender.line, kept) }
    }

    /// Writes until it is written: while it is not, the same message would be sent again at once.
    private func keep(_ line: String, _ write: (Outbox) async throws -> Void) async {
        while true {
            do {
                try await write(outbox)
                return store.isWell(for: line)
            } catch {
                store.failed(error, for: line)
                // What is not on record by then is sent once more after the start, under the same key.
                if mustStop { return }
                try? await world.clock.sleep(for: Self.pause)
            }
        }
    }
}
