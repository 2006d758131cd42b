import NIOCore
import NIOHTTP1
import Synchronization
import Wire

/// Memory for the bodies of all requests that are being read or answered. What counts is what has come, not what was
/// announced.
///
/// Nobody gets more than a third of it, and large bodies leave a sixth to the small ones. Beyond it there is room for one
/// small body of each sender who has no other: for log-ins, and for what ends others' access. Where it, or a sender's share, is full all the same, the body that has been coming for longest makes
/// room, of that sender where it is the share: an honest one comes at once, and an agent's must not stand in its owner's way.
final class BodyBudget: Sendable {
    /// Who sends: a vault, or a network where nobody is signed in.
    typealias Sender = [UInt8]

    private let total: Int
    /// Bytes beyond that for the only, small body of a sender.
    private let reserve: Int
    /// Bytes above which a body may not use what is left to small ones.
    private let large: Int
    static let large = 64 << 10
    private let used = Mutex(Used())

    fileprivate struct Used {
        var all = 0
        var bySender: [Sender: Int] = [:]
        var last = 0
        /// Bodies that are still coming, by the number of their arrival.
        var coming: [Int: Coming] = [:]

        mutating func release(_ bytes: Int, _ sender: Sender) {
            all -= bytes
            let left = bySender[sender, default: bytes] - bytes
            bySender[sender] = left > 0 ? left : nil
        }
    }

    fileprivate struct Coming {
        let sender: Sender
        var bytes = 0
        /// Ends the reading; nil before there is one.
        var stop: (@Sendable () -> Void)?
    }

    /// - Parameters:
    ///   - total: Bytes. A third of it holds the largest body of any route.
    ///   - reserve: Bytes beyond them.
    ///   - large: Bytes above which a body is large.
    init(total: Int = 24 << 20, reserve: Int = 8 << 20, large: Int = BodyBudget.large) {
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
        let bytes: ByteBuffer
        do {
            bytes = try await withTaskCancellationHandler {
                try await reading.value
            } onCancel: {
                reading.cancel()
            }
        } catch {
            guard let own = finish(number) else { throw Problem.busy }
            used.withLock { $0.release(own, sender) }
            switch error {
            case is Problem, is NIOTooManyBytesError, is CancellationError, is HTTPParserError: throw error
            // Whatever else can go wrong with the connection, it is the client's.
            default: throw Problem.incompleteBody
            }
        }
        guard let own = finish(number) else { throw Problem.busy }
        defer { used.withLock { $0.release(own, sender) } }
        return try await work(Array(bytes.readableBytesView))
    }

    /// What a body holds now that it is there; nil for one that had to make room.
    private func finish(_ number: Int) -> Int? {
        used.withLock { $0.coming.removeValue(forKey: number)?.bytes }
    }

    private func take(_ bytes: Int, for number: Int) throws(Problem) {
        var stops: [@Sendable () -> Void] = []
        let isTaken = used.withLock { $0.take(bytes, for: number, room: room, share: total / 3, stopping: &stops) }
        // Those who made room do so whether it was enough or not.
        for stop in stops { stop() }
        if !isTaken { throw .busy }
    }

    /// Bytes that all may hold together with this body, which has so many.
    private func room(_ bytes: Int, isOnly: Bool) -> Int {
        bytes > large ? total - total / 6 : isOnly ? total + reserve : total
    }
}

extension BodyBudget.Used {
    fileprivate mutating func take(
        _ bytes: Int, for number: Int, room: (Int, Bool) -> Int, share: Int, stopping stops: inout [@Sendable () -> Void]
    ) -> Bool {
        guard let own = coming[number] else { return false }
        let room = room(own.bytes + bytes, bySender[own.sender, default: 0] == own.bytes)
        guard own.bytes + bytes <= share, bytes <= room else { return false }
        while bySender[own.sender, default: 0] + bytes > share {
            guard let stop = makeRoom(beside: number, among: { $0.sender == own.sender }) else { return false }
            stops += stop
        }
        while all + bytes > room {
            guard let stop = makeRoom(beside: number, among: { _ in true }) else { return false }
            stops += stop
        }
        all += bytes
        bySender[own.sender, default: 0] += bytes
        coming[number]?.bytes += bytes
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
        release(slow.bytes, slow.sender)
        return slow.stop.map { [$0] } ?? []
    }
}
