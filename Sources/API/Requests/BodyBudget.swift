package import NIOCore
import NIOHTTP1
import Synchronization
import Wire

/// Bounds the memory of all request bodies in flight, counted by the bytes received and not by `Content-Length`.
///
/// - A client has a fifth of the total, and half of that for large bodies, which wait on the work queue.
/// - All large bodies together leave a sixth of the total to small ones.
/// - A reserve beyond the total takes one body of each client that has no other, up to `reserveBodyLimit`: sign-ins and
///   revocations fit into it.
/// - When the total or a client's share is full, the oldest body still being received is evicted (of that client, if its
///   share is full): honest bodies arrive at once, and an agent's must not block its owner.
package final class BodyBudget: Sendable {
    /// The owner or the agents of a vault, or the network of an unauthenticated client.
    package typealias Client = [UInt8]

    private let total: Int
    /// Bytes beyond the total for a client's only body, up to `reserveBodyLimit`.
    private let reserve: Int
    private let reserveBodyLimit: Int
    /// Bytes above which a body is large.
    private let large: Int
    static let large = 64 << 10
    private let used = Mutex(Used())

    fileprivate struct Used {
        var all = 0
        var byClient: [Client: Int] = [:]
        /// Bytes in large bodies.
        var allLarge = 0
        /// Bytes in large bodies of each client.
        var largeByClient: [Client: Int] = [:]
        var last = 0
        /// Bodies still being received, by order of arrival.
        var receiving: [Int: Receiving] = [:]

        mutating func release(_ body: Receiving) {
            all -= body.bytes
            subtract(body.bytes, from: &byClient[body.client])
            guard body.isLarge else { return }
            allLarge -= body.bytes
            subtract(body.bytes, from: &largeByClient[body.client])
        }

        private func subtract(_ bytes: Int, from count: inout Int?) {
            let left = (count ?? bytes) - bytes
            count = left > 0 ? left : nil
        }
    }

    fileprivate struct Receiving {
        let client: Client
        var bytes = 0
        var isLarge = false
        /// Cancels the read; nil before it has started.
        var stop: (@Sendable () -> Void)?
    }

    /// - Parameters:
    ///   - total: Bytes. A tenth must hold the largest body of any route.
    ///   - reserve: Bytes beyond the total.
    ///   - large: Bytes above which a body is large.
    ///   - reserveBodyLimit: Bytes above which a body cannot use the reserve.
    package init(
        total: Int = 40 << 20, reserve: Int = 8 << 20, large: Int = BodyBudget.large, reserveBodyLimit: Int = 512 << 10
    ) {
        self.reserveBodyLimit = reserveBodyLimit
        self.total = total
        self.reserve = reserve
        self.large = large
    }

    /// Bytes of all bodies in flight.
    package var held: Int { used.withLock { $0.all } }

    /// Reads a body and counts its bytes until `work` ends.
    ///
    /// - Throws: `NIOTooManyBytesError` beyond `limit`; a 503 problem when the budget is full.
    package func read<R, Body: AsyncSequence & Sendable>(
        _ body: Body, upTo limit: Int, for client: Client, _ work: ([UInt8]) async throws -> R
    ) async throws -> R where Body.Element == ByteBuffer {
        let number = used.withLock { used in
            used.last += 1
            used.receiving[used.last] = Receiving(client: client)
            return used.last
        }
        let reading = Task { [self] in
            var bytes = ByteBuffer()
            for try await part in body {
                guard bytes.readableBytes + part.readableBytes <= limit else {
                    throw NIOTooManyBytesError(maxBytes: limit)
                }
                try take(part.readableBytes, for: number)
                bytes.writeImmutableBuffer(part)
            }
            return bytes
        }
        let isReceiving = used.withLock { used in
            used.receiving[number]?.stop = { reading.cancel() }
            return used.receiving[number] != nil
        }
        // Evicted before `stop` was set.
        if !isReceiving { reading.cancel() }
        var bytes: ByteBuffer
        do {
            bytes = try await withTaskCancellationHandler {
                try await reading.value
            } onCancel: {
                reading.cancel()
            }
        } catch {
            guard let own = finish(number) else { throw Problem.busy }
            used.withLock { $0.release(own) }
            switch error {
            case is Problem, is NIOTooManyBytesError, is CancellationError, is HTTPParserError: throw error
            // Any other connection error is the client's.
            default: throw Problem.incompleteBody
            }
        }
        guard let own = finish(number) else { throw Problem.busy }
        defer { used.withLock { $0.release(own) } }
        let body = Array(bytes.readableBytesView)
        // The work may wait for long; do not keep two copies meanwhile.
        bytes = ByteBuffer()
        return try await work(body)
    }

    /// Ends the reception of a body. Returns nil if it was evicted.
    private func finish(_ number: Int) -> Receiving? {
        used.withLock { $0.receiving.removeValue(forKey: number) }
    }

    private func take(_ bytes: Int, for number: Int) throws(Problem) {
        var stops: [@Sendable () -> Void] = []
        let isTaken = used.withLock { used in
            guard let own = used.receiving[number] else { return false }
            let size = own.bytes + bytes
            let hasReserve = used.byClient[own.client, default: 0] == own.bytes && size <= reserveBodyLimit
            return used.take(
                bytes, for: number, isLarge: size > large, limit: hasReserve ? total + reserve : total,
                largeLimit: hasReserve ? .max : total - total / 6, share: total / 5, stopping: &stops)
        }
        // Evicted bodies end even if the room was not enough.
        for stop in stops { stop() }
        if !isTaken { throw .busy }
    }
}

extension BodyBudget.Used {
    fileprivate mutating func take(
        _ bytes: Int, for number: Int, isLarge: Bool, limit: Int, largeLimit: Int, share: Int,
        stopping stops: inout [@Sendable () -> Void]
    ) -> Bool {
        guard let own = receiving[number] else { return false }
        // When a body becomes large, all of its bytes count as large.
        let more = isLarge ? own.isLarge ? bytes : own.bytes + bytes : 0
        guard bytes <= limit, own.bytes + bytes <= (isLarge ? share / 2 : share) else { return false }
        while byClient[own.client, default: 0] + bytes > share
            || isLarge && largeByClient[own.client, default: 0] + more > share / 2
        {
            guard let stop = evictOldest(except: number, among: { $0.client == own.client }) else { return false }
            stops += stop
        }
        // A large body evicts large bodies only.
        while isLarge && allLarge + more > largeLimit {
            guard let stop = evictOldest(except: number, among: \.isLarge) else { return false }
            stops += stop
        }
        while all + bytes > limit {
            guard let stop = evictOldest(except: number, among: { $0.isLarge || !isLarge }) else { return false }
            stops += stop
        }
        all += bytes
        byClient[own.client, default: 0] += bytes
        if isLarge {
            allLarge += more
            largeByClient[own.client, default: 0] += more
        }
        receiving[number]?.bytes += bytes
        receiving[number]?.isLarge = isLarge
        return true
    }

    /// Evicts the oldest body that is still being received.
    ///
    /// - Returns: The closure that cancels its read; nil when there is no candidate.
    private mutating func evictOldest(
        except number: Int, among isCandidate: (BodyBudget.Receiving) -> Bool
    ) -> [@Sendable () -> Void]? {
        let oldest = receiving.filter { $0.key != number && $0.value.bytes > 0 && isCandidate($0.value) }.keys.min()
        guard let oldest, let slow = receiving.removeValue(forKey: oldest) else { return nil }
        release(slow)
        return slow.stop.map { [$0] } ?? []
    }
}
