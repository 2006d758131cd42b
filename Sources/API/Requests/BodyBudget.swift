import NIOCore
import NIOHTTP1
import Synchronization
import Wire

/// Memory for the bodies of all requests that are being read or answered. What counts is what has come, not what was
/// announced.
///
/// Nobody gets more than a fifth of it, and no more than half of that for large bodies, which wait for their turn; together
/// they leave a sixth to the small ones. Beyond it there is room for one body of each sender who has no other, if it is not
/// very large: for log-ins, and for what ends others' access. Where it, or a sender's share, is full all the same, the body
/// that has been coming for longest makes room, of that sender where it is the share: an honest one comes at once, and an
/// agent's must not stand in its owner's way.
final class BodyBudget: Sendable {
    /// Who sends: a vault, or a network where nobody is signed in.
    typealias Sender = [UInt8]

    private let total: Int
    /// Bytes beyond that for the only body of a sender, if it has no more than `modest`.
    private let reserve: Int
    private let modest: Int
    /// Bytes above which a body may not use what is left to small ones.
    private let large: Int
    static let large = 64 << 10
    private let used = Mutex(Used())

    fileprivate struct Used {
        var all = 0
        var bySender: [Sender: Int] = [:]
        /// Of all, in large bodies.
        var allLarge = 0
        /// Of those of a sender.
        var largeBySender: [Sender: Int] = [:]
        var last = 0
        /// Bodies that are still coming, by the number of their arrival.
        var coming: [Int: Coming] = [:]

        mutating func release(_ body: Coming) {
            all -= body.bytes
            subtract(body.bytes, from: &bySender[body.sender])
            guard body.isLarge else { return }
            allLarge -= body.bytes
            subtract(body.bytes, from: &largeBySender[body.sender])
        }

        private func subtract(_ bytes: Int, from count: inout Int?) {
            let left = (count ?? bytes) - bytes
            count = left > 0 ? left : nil
        }
    }

    fileprivate struct Coming {
        let sender: Sender
        var bytes = 0
        var isLarge = false
        /// Ends the reading; nil before there is one.
        var stop: (@Sendable () -> Void)?
    }

    /// - Parameters:
    ///   - total: Bytes. A tenth of it holds the largest body of any route.
    ///   - reserve: Bytes beyond them.
    ///   - large: Bytes above which a body is large.
    ///   - modest: Bytes above which the only body of a sender has no use of the reserve.
    init(total: Int = 40 << 20, reserve: Int = 8 << 20, large: Int = BodyBudget.large, modest: Int = 512 << 10) {
        self.modest = modest
        self.total = total
        self.reserve = reserve
        self.large = large
    }

    /// Bytes of bodies that are there.
    var held: Int { used.withLock { $0.all } }

    /// Reads a body and keeps room for it while `work` runs.
    ///
    /// - Throws: `NIOTooManyBytesError` beyond `limit`; a 503 problem where there is no room.
    func read<R, Body: AsyncSequence & Sendable>(
        _ body: Body, upTo limit: Int, for sender: Sender, _ work: ([UInt8]) async throws -> R
    ) async throws -> R where Body.Element == ByteBuffer {
        let number = used.withLock { used in
            used.last += 1
            used.coming[used.last] = Coming(sender: sender)
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
        let isComing = used.withLock { used in
            used.coming[number]?.stop = { reading.cancel() }
            return used.coming[number] != nil
        }
        // It made room before it could be told to.
        if !isComing { reading.cancel() }
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
            // Whatever else can go wrong with the connection, it is the client's.
            default: throw Problem.incompleteBody
            }
        }
        guard let own = finish(number) else { throw Problem.busy }
        defer { used.withLock { $0.release(own) } }
        let body = Array(bytes.readableBytesView)
        // It may wait for long, and must not be there twice meanwhile.
        bytes = ByteBuffer()
        return try await work(body)
    }

    /// A body that is there; nil for one that had to make room.
    private func finish(_ number: Int) -> Coming? {
        used.withLock { $0.coming.removeValue(forKey: number) }
    }

    private func take(_ bytes: Int, for number: Int) throws(Problem) {
        var stops: [@Sendable () -> Void] = []
        let isTaken = used.withLock { used in
            guard let own = used.coming[number] else { return false }
            let size = own.bytes + bytes
            let hasReserve = used.bySender[own.sender, default: 0] == own.bytes && size <= modest
            return used.take(
                bytes, for: number, isLarge: size > large, room: hasReserve ? total + reserve : total,
                largeRoom: hasReserve ? .max : total - total / 6, share: total / 5, stopping: &stops)
        }
        // Those who made room do so whether it was enough or not.
        for stop in stops { stop() }
        if !isTaken { throw .busy }
    }
}

extension BodyBudget.Used {
    fileprivate mutating func take(
        _ bytes: Int, for number: Int, isLarge: Bool, room: Int, largeRoom: Int, share: Int,
        stopping stops: inout [@Sendable () -> Void]
    ) -> Bool {
        guard let own = coming[number] else { return false }
        // One that becomes large is so with all that has come of it.
        let more = isLarge ? own.isLarge ? bytes : own.bytes + bytes : 0
        guard bytes <= room, own.bytes + bytes <= (isLarge ? share / 2 : share) else { return false }
        while bySender[own.sender, default: 0] + bytes > share
            || isLarge && largeBySender[own.sender, default: 0] + more > share / 2
        {
            guard let stop = makeRoom(beside: number, among: { $0.sender == own.sender }) else { return false }
            stops += stop
        }
        // Large bodies make room for large ones, and none else does.
        while isLarge && allLarge + more > largeRoom {
            guard let stop = makeRoom(beside: number, among: \.isLarge) else { return false }
            stops += stop
        }
        while all + bytes > room {
            guard let stop = makeRoom(beside: number, among: { $0.isLarge || !isLarge }) else { return false }
            stops += stop
        }
        all += bytes
        bySender[own.sender, default: 0] += bytes
        if isLarge {
            allLarge += more
            largeBySender[own.sender, default: 0] += more
        }
        coming[number]?.bytes += bytes
        coming[number]?.isLarge = isLarge
        return true
    }

    /// Takes out the body that has been coming for longest.
    ///
    /// - Returns: What ends its reading; nil when there is none.
    private mutating func makeRoom(
        beside number: Int, among isCandidate: (BodyBudget.Coming) -> Bool
    ) -> [@Sendable () -> Void]? {
        let oldest = coming.filter { $0.key != number && $0.value.bytes > 0 && isCandidate($0.value) }.keys.min()
        guard let oldest, let slow = coming.removeValue(forKey: oldest) else { return nil }
        release(slow)
        return slow.stop.map { [$0] } ?? []
    }
}
