import FoundationEssentials
package import Logging
import ServiceLifecycle
import Wire

/// Returns the hash of the audit chain at a line.
package typealias AuditProof = @Sendable (Int64) async -> String?

/// Sends one heartbeat per interval to each target until the node stops, then a last one that announces the stop. In between it sends
/// those that `HeartbeatRequests` asks for, at most one a second.
///
/// A heartbeat that cannot be delivered is counted and dropped. The next one carries newer values, and the monitor
/// raises the alarm on silence, so a retry would only deliver stale data. Only a graceful shutdown is announced: a
/// program that is cancelled because a part of it failed falls silent.
package struct HeartbeatPusher<C: Clock>: Service where C.Duration == Duration {
    package struct Settings: Sendable {
        package var interval = Duration.seconds(30)
        /// Timeout of one push to one target.
        package var timeout = Duration.seconds(10)
        /// Timeout of the last heartbeat to all targets: a shutdown must not wait for a monitor.
        package var finalBeatTimeout = Duration.seconds(3)
        /// Between two requested heartbeats: the monitor rejects more than five a second.
        package var requestedInterval = Duration.seconds(1)

        package init() {}
    }

    private let settings: Settings
    private let sampler: Sampler
    private let statuses: [TargetStatus<C>]
    private let requests: HeartbeatRequests
    private let clock: C
    private let now: @Sendable () -> Int64
    private let random: @Sendable (ClosedRange<Int64>) -> Int64
    private let prove: AuditProof
    private let signer: HeartbeatSigner?
    private let send: PushSend
    private let logger: Logger

    /// Stores its dependencies; `run` does the work.
    ///
    /// - Parameters:
    ///   - targets: Each is served independently.
    ///   - sampler: Creates the heartbeats.
    ///   - requests: Requests for heartbeats ahead of schedule.
    ///   - settings: Intervals and timeouts.
    ///   - clock: For durations.
    ///   - now: Unix milliseconds.
    ///   - random: Draws the jitter.
    ///   - prove: The audit chain's hash at a line, in base64url, recomputed up to its head; nil when there is none.
    ///   - signer: Signs the heartbeats; nil for none.
    ///   - logger: Never receives a push URL.
    ///   - send: Sends a push. It must heed cancellation, which ends a push that exceeds its timeout.
    package init(
        to targets: [PushTarget], sampler: Sampler, requests: HeartbeatRequests = .init(), settings: Settings = .init(),
        clock: C,
        now: @escaping @Sendable () -> Int64,
        random: @escaping @Sendable (ClosedRange<Int64>) -> Int64 = { Int64.random(in: $0) },
        prove: @escaping AuditProof = { _ in nil }, signer: HeartbeatSigner? = nil, logger: Logger,
        send: @escaping PushSend
    ) {
        statuses = targets.map(TargetStatus.init)
        self.sampler = sampler
        self.requests = requests
        self.settings = settings
        self.clock = clock
        self.now = now
        self.random = random
        self.prove = prove
        self.signer = signer
        self.logger = logger
        self.send = send
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask { await beat() }
                group.addTask { await answerRequests() }
            }
        }
        // Cancelled: not a graceful shutdown.
        guard !Task.isCancelled else { return }
        await within(settings.finalBeatTimeout) {
            let sample = await sampler.sample(.stopping)
            await withDiscardingTaskGroup { group in
                for status in statuses { group.addTask { await pushOrDrop(sample, to: status) } }
            }
        }
    }

    /// Sends heartbeats until cancelled.
    private func beat() async {
        let slots = HeartbeatSchedule(node: sampler.node, interval: settings.interval)
        let first = clock.now.advanced(by: .milliseconds(slots.wait(from: now())))
        await withDiscardingTaskGroup { group in
            var slot: Int64 = 0
            while true {
                let late = slots.maxJitter > 0 ? random(0...slots.maxJitter) : 0
                let due = first.advanced(by: .milliseconds(slot * slots.interval + late))
                try? await clock.sleep(until: due, tolerance: nil)
                guard !Task.isCancelled else { return }
                let sample = await sampler.sample(.running)
                for status in statuses { group.addTask { await pushOrDrop(sample, to: status) } }
                slot = slots.next(after: slot, elapsed: first.duration(to: clock.now).milliseconds)
            }
        }
    }

    /// Sends requested heartbeats until cancelled.
    private func answerRequests() async {
        for await _ in requests.stream {
            let sample = await sampler.sample(.running)
            let areSent = await withTaskGroup { group in
                for status in statuses { group.addTask { await push(sample, to: status) } }
                return await group.reduce(true) { $0 && $1 }
            }
            // What is in flight was sampled before the request.
            if !areSent { requests.request() }
            try? await clock.sleep(for: settings.requestedInterval)
        }
    }

    /// Sends a heartbeat, and counts it when it is lost.
    ///
    /// - Returns: False when nothing was sent, because another heartbeat to the target is in flight.
    private func push(_ sample: Sampler.Sample, to status: TargetStatus<C>) async -> Bool {
        guard let previous = status.begin() else { return false }
        let start = clock.now
        do {
            let reply = try await reply(to: sample, previous, from: status.target)
            let elapsed = start.duration(to: clock.now)
            let offset = clockOffset(reply, now: now(), elapsed: elapsed)
            let missed = status.delivered(
                ping: elapsed.milliseconds, clockOffset: offset, auditWant: reply.answer?.auditWant)
            status.end()
            logger.debug("heartbeat delivered", metadata: ["target": "\(status.target)"])
            guard missed > 0 else { return true }
            logger.notice(
                "heartbeats delivered again", metadata: ["target": "\(status.target)", "missed": "\(missed)"])
        } catch {
            status.end()
            // Cancelled by the node's shutdown, which is not a failure.
            if !Task.isCancelled { drop(status, error) }
        }
        return true
    }

    /// The same for a scheduled heartbeat, which is lost while another one is in flight.
    private func pushOrDrop(_ sample: Sampler.Sample, to status: TargetStatus<C>) async {
        if await !push(sample, to: status) { drop(status, .previousInFlight) }
    }

    private func drop(_ status: TargetStatus<C>, _ error: PushError) {
        let (count, shouldLog) = status.dropped(at: clock.now)
        logger.log(
            level: shouldLog ? .warning : .debug, "heartbeat not delivered",
            metadata: ["target": "\(status.target)", "error": "\(error)", "consecutive": "\(count)"])
    }

    private func reply(
        to sample: Sampler.Sample, _ previous: TargetStatus<C>.Previous, from target: PushTarget
    ) async throws(PushError) -> PushReply {
        var beat = sample.heartbeat
        (beat.beatsDropped, beat.clockOffsetMS) = (previous.dropped, previous.clockOffset)
        if let line = previous.auditWant, let hash = await prove(line) {
            (beat.auditAt, beat.auditAtHash) = (line, hash)
        }
        beat.key = signer?.publicKey
        guard let body = (try? JSONEncoder().encode(beat)).map({ Array($0) }) else { throw .notEncoded }
        let signature: String?
        do { signature = try signer?.sign(body) } catch { throw .notEncoded }
        let request = PushRequest(
            target: target, query: PushQuery(sample, ping: previous.ping), body: body, signature: signature)
        let outcome = await within(settings.timeout) { () -> Result<PushReply, PushError> in
            do throws(PushError) {
                return .success(try await send(request))
            } catch {
                return .failure(error)
            }
        }
        guard let outcome else { throw .timedOut }
        let reply = try outcome.get()
        switch reply.status {
        case 200..<300: if reply.answer?.ok == false { throw .notAccepted }
        case 300..<400: throw .redirected(reply.status)
        default: throw .rejected(reply.status)
        }
        return reply
    }

    /// Runs `work` with a timeout; nil when it expires, or the task is cancelled.
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
