import FoundationEssentials
package import Logging
import ServiceLifecycle
import Wire

/// Sends one heartbeat per interval to each target until the node stops, then one last beat that says so.
///
/// A beat that cannot be delivered is counted and dropped. The next one carries newer figures, and the monitor raises
/// the alarm on silence, so that a retry would only deliver stale news. Only a planned stop says goodbye: a program that
/// is cancelled because a part of it failed falls silent.
package struct HeartbeatPusher<C: Clock>: Service where C.Duration == Duration {
    package struct Settings: Sendable {
        package var interval = Duration.seconds(30)
        /// For one push to one target.
        package var patience = Duration.seconds(10)
        /// For the last beat to all targets together: stopping must not wait for a monitor.
        package var farewell = Duration.seconds(3)

        package init() {}
    }

    private let settings: Settings
    private let sampler: Sampler
    private let deliveries: [Delivery<C>]
    private let clock: C
    private let now: @Sendable () -> Int64
    private let random: @Sendable (ClosedRange<Int64>) -> Int64
    private let send: PushSend
    private let logger: Logger

    /// Takes everything that it needs; `run` does the work.
    ///
    /// - Parameters:
    ///   - targets: Each is pushed to by itself.
    ///   - sampler: Makes the beats.
    ///   - settings: Times.
    ///   - clock: For durations.
    ///   - now: Unix milliseconds.
    ///   - random: Draws the jitter.
    ///   - logger: Never sees a push URL.
    ///   - send: The network. It must heed cancellation, which is how a push that takes too long is ended.
    package init(
        to targets: [PushTarget], sampler: Sampler, settings: Settings = .init(), clock: C,
        now: @escaping @Sendable () -> Int64,
        random: @escaping @Sendable (ClosedRange<Int64>) -> Int64 = { Int64.random(in: $0) }, logger: Logger,
        send: @escaping PushSend
    ) {
        deliveries = targets.map(Delivery.init)
        self.sampler = sampler
        self.settings = settings
        self.clock = clock
        self.now = now
        self.random = random
        self.logger = logger
        self.send = send
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown { await beat() }
        // Cancelled from outside: no planned stop.
        guard !Task.isCancelled else { return }
        await within(settings.farewell) {
            let sample = await sampler.sample(.stopping)
            await withDiscardingTaskGroup { group in
                for delivery in deliveries { group.addTask { await push(sample, to: delivery) } }
            }
        }
    }

    /// Until cancelled.
    private func beat() async {
        let slots = BeatSlots(node: sampler.node, interval: settings.interval)
        let first = clock.now.advanced(by: .milliseconds(slots.wait(from: now())))
        await withDiscardingTaskGroup { group in
            var slot: Int64 = 0
            while true {
                let late = slots.mostJitter > 0 ? random(0...slots.mostJitter) : 0
                let due = first.advanced(by: .milliseconds(slot * slots.interval + late))
                try? await clock.sleep(until: due, tolerance: nil)
                guard !Task.isCancelled else { return }
                let sample = await sampler.sample(.running)
                for delivery in deliveries { group.addTask { await push(sample, to: delivery) } }
                slot = slots.next(after: slot, elapsed: first.duration(to: clock.now).milliseconds)
            }
        }
    }

    private func push(_ sample: Sampler.Sample, to delivery: Delivery<C>) async {
        guard let past = delivery.begin() else { return drop(delivery, .stillUnderWay) }
        let start = clock.now
        do {
            let reply = try await reply(to: sample, past, from: delivery.target)
            let elapsed = start.duration(to: clock.now)
            let offset = clockOffset(reply, now: now(), elapsed: elapsed)
            let missed = delivery.delivered(ping: elapsed.milliseconds, clockOffset: offset)
            delivery.end()
            logger.debug("heartbeat delivered", metadata: ["target": "\(delivery.target)"])
            guard missed > 0 else { return }
            logger.notice(
                "heartbeats are delivered again", metadata: ["target": "\(delivery.target)", "missed": "\(missed)"])
        } catch {
            delivery.end()
            // Broken off because the node stops, which is nobody's failure.
            if !Task.isCancelled { drop(delivery, error) }
        }
    }

    private func drop(_ delivery: Delivery<C>, _ error: PushError) {
        let (count, isRemarkable) = delivery.dropped(at: clock.now)
        logger.log(
            level: isRemarkable ? .warning : .debug, "heartbeat not delivered",
            metadata: ["target": "\(delivery.target)", "error": "\(error)", "in_a_row": "\(count)"])
    }

    private func reply(
        to sample: Sampler.Sample, _ past: Delivery<C>.Past, from target: PushTarget
    ) async throws(PushError) -> PushReply {
        var beat = sample.heartbeat
        (beat.beatsDropped, beat.clockOffsetMS) = (past.dropped, past.clockOffset)
        guard let body = try? JSONEncoder().encode(beat) else { throw .notEncoded }
        let request = PushRequest(
            target: target, query: PushQuery(sample, ping: past.ping), body: Array(body))
        let outcome = await within(settings.patience) { () -> Result<PushReply, PushError> in
            do throws(PushError) {
                return .success(try await send(request))
            } catch {
                return .failure(error)
            }
        }
        guard let outcome else { throw .timedOut }
        let reply = try outcome.get()
        switch reply.status {
        case 200..<300: if reply.answer?.ok == false { throw .notTaken }
        case 300..<400: throw .redirected(reply.status)
        default: throw .refused(reply.status)
        }
        return reply
    }

    /// Nil when the time is over, or the task cancelled.
    @discardableResult
    private func within<Value: Sendable>(
        _ time: Duration, _ work: @escaping @Sendable () async -> Value
    ) async -> Value? {
        await withTaskGroup(of: Value?.self) { group in
            group.addTask { await work() }
            group.addTask {
                try? await clock.sleep(for: time)
                return nil
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
    }
}
