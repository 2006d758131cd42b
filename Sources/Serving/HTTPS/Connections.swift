import IPNetworks
import NIOCore
import Synchronization

/// The TCP connections of a server and the memory that their open requests hold.
///
/// Decides who is let in, who waits and who is closed:
///
/// - A network at its ceiling gets no further connection.
/// - When the table is full, the longest idle connection makes room; without an idle one, the oldest request of the
///   network that holds the most.
/// - When open requests hold too many bytes, connections are closed the same way until they do not.
/// - A connection that leaves answers untaken waits with its next request.
/// - A network with too many requests being answered gets no further answer but that.
package final class Connections: Sendable {
    private let limits: ConnectionLimits
    private let state = Mutex(State())

    private struct State {
        var connections: [ObjectIdentifier: Connection] = [:]
        var perNetwork: [IPNetwork: Int] = [:]
        var held = 0
        var nextRequest = 0
        /// Requests that are being answered. They outlive streams and connections.
        var answering: [IPNetwork?: Int] = [:]
        var allAnswering = 0
    }

    private struct Connection {
        let network: IPNetwork?
        let channel: any Channel
        var lastActive: NIODeadline
        /// Bytes held by each open request, by number: a lower number is an older request.
        var requests: [Int: Request] = [:]
        /// Oldest first, by number.
        var waiting: [(number: Int, continuation: CheckedContinuation<Void, Never>)] = []

        var held: Int { requests.values.reduce(0) { $0 + $1.cost + $1.answer } }
        var untaken: Int { requests.values.reduce(0) { $0 + $1.answer } }
    }

    private struct Request {
        var cost: Int
        var answer = 0
    }

    package init(_ limits: ConnectionLimits) {
        self.limits = limits
    }

    package var requestsPerConnection: Int { limits.requestsPerConnection }

    /// Open TCP connections.
    package var count: Int { state.withLock { $0.connections.count } }

    /// Bytes that open requests hold.
    package var heldBytes: Int { state.withLock { $0.held } }

    /// Takes a new connection into the table.
    ///
    /// - Returns: False when it must be closed: its network, or the table, has no room.
    func admit(_ channel: any Channel) -> Bool {
        let id = ObjectIdentifier(channel)
        let network = channel.remoteAddress.flatMap(\.ipAddress).flatMap { IPAddress($0) }?.rateLimitPrefix
        let (isAdmitted, evicted) = state.withLock { state -> (Bool, Connection?) in
            if let network, state.perNetwork[network, default: 0] >= limits.connectionsPerNetwork {
                return (false, nil)
            }
            var evicted: Connection?
            if state.connections.count >= limits.connections {
                guard let victim = Self.longestIdle(state) ?? heaviest(state) else { return (false, nil) }
                evicted = Self.remove(victim, &state)
            }
            state.connections[id] = Connection(network: network, channel: channel, lastActive: .now())
            if let network { state.perNetwork[network, default: 0] += 1 }
            return (true, evicted)
        }
        if let evicted { Self.close(evicted) }
        guard isAdmitted else { return false }
        channel.closeFuture.whenComplete { [self] _ in
            let closed = state.withLock { Self.remove(id, &$0) }
            for waiting in closed?.waiting ?? [] { waiting.continuation.resume() }
        }
        return true
    }

    /// Counts a request from its head on.
    ///
    /// - Parameters:
    ///   - connection: The TCP connection.
    ///   - cost: Bytes that it holds until it is answered.
    /// - Returns: Its number; nil when its connection was closed, or has too many.
    func begin(on connection: any Channel, cost: Int) -> Int? {
        let id = ObjectIdentifier(connection)
        let (number, evicted) = state.withLock { state -> (Int?, [Connection]) in
            guard let known = state.connections[id], known.requests.count < ConnectionLimits.mostStreams else {
                return (nil, [])
            }
            state.nextRequest += 1
            let number = state.nextRequest
            state.connections[id]?.lastActive = .now()
            state.connections[id]?.requests[number] = Request(cost: cost)
            state.held += cost
            let evicted = makeRoom(&state)
            return (state.connections[id] == nil ? nil : number, evicted)
        }
        evicted.forEach(Self.close)
        return number
    }

    /// Counts an answer's body from the moment that it exists.
    func hold(_ bytes: Int, for number: Int, on connection: any Channel) {
        let id = ObjectIdentifier(connection)
        let (evicted, next) = state.withLock { state -> ([Connection], CheckedContinuation<Void, Never>?) in
            guard state.connections[id]?.requests[number] != nil else { return ([], nil) }
            state.connections[id]?.requests[number]?.answer += bytes
            state.held += bytes
            return (makeRoom(&state), nextWaiting(id, &state))
        }
        evicted.forEach(Self.close)
        next?.resume()
    }

    /// Counts what holds a request's body while it is not whole.
    func holdBody(_ bytes: Int, for number: Int, on connection: any Channel) {
        let id = ObjectIdentifier(connection)
        let evicted = state.withLock { state -> [Connection] in
            guard state.connections[id]?.requests[number] != nil else { return [] }
            state.connections[id]?.requests[number]?.cost += bytes
            state.held += bytes
            return makeRoom(&state)
        }
        evicted.forEach(Self.close)
    }

    /// A request whose answer was taken before its body was whole: its stream and what came of the body are still there.
    func answerTaken(_ number: Int, on connection: any Channel) {
        let id = ObjectIdentifier(connection)
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard let answer = state.connections[id]?.requests[number]?.answer else { return nil }
            state.connections[id]?.requests[number]?.answer = 0
            state.held -= answer
            return nextWaiting(id, &state)
        }
        next?.resume()
    }

    /// A request that is whole and whose answer was taken, or that will have none.
    func end(_ number: Int, on connection: any Channel) {
        let id = ObjectIdentifier(connection)
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard let request = state.connections[id]?.requests.removeValue(forKey: number) else { return nil }
            state.connections[id]?.lastActive = .now()
            state.held -= request.cost + request.answer
            return nextWaiting(id, &state)
        }
        next?.resume()
    }

    /// Counts a request's work until its answer exists, whatever becomes of its stream: a client that resets streams must not
    /// leave more behind than one that waits.
    ///
    /// - Returns: Whom to name to `endAnswering`; nil when too much is being answered.
    func beginAnswering(on connection: any Channel) -> Answering? {
        let id = ObjectIdentifier(connection)
        return state.withLock { state in
            let network = state.connections[id]?.network
            let count = state.answering[network, default: 0]
            guard count < limits.answeringPerNetwork,
                state.allAnswering < limits.answering
                    || count < limits.answeringAlways && state.allAnswering < 2 * limits.answering
            else { return nil }
            state.answering[network] = count + 1
            state.allAnswering += 1
            return Answering(network: network)
        }
    }

    struct Answering {
        fileprivate let network: IPNetwork?
    }

    func endAnswering(_ work: Answering) {
        state.withLock { state in
            let left = state.answering[work.network, default: 1] - 1
            state.answering[work.network] = left > 0 ? left : nil
            state.allAnswering -= 1
        }
    }

    /// Requests that are being answered.
    package var answering: Int { state.withLock { $0.allAnswering } }

    /// Whether the connection leaves more answers untaken than it may before its next request.
    func isFull(_ connection: any Channel) -> Bool {
        let id = ObjectIdentifier(connection)
        return state.withLock { ($0.connections[id]?.untaken ?? 0) > limits.heldBytesPerConnection }
    }

    /// Returns when the connection has taken enough of its answers to get another one, or the request's channel was closed.
    func room(on connection: any Channel, for channel: any Channel) async {
        let id = ObjectIdentifier(connection)
        await withCheckedContinuation { continuation in
            let number = state.withLock { state -> Int? in
                guard let known = state.connections[id], known.untaken > limits.heldBytesPerConnection else {
                    return nil
                }
                state.nextRequest += 1
                state.connections[id]?.waiting.append((state.nextRequest, continuation))
                return state.nextRequest
            }
            guard let number else { return continuation.resume() }
            // A stream that is reset waits no more. Whoever waits on a connection without streams goes with it.
            guard ObjectIdentifier(channel) != id else { return }
            channel.closeFuture.whenComplete { [self] _ in
                state.withLock { state -> CheckedContinuation<Void, Never>? in
                    guard let index = state.connections[id]?.waiting.firstIndex(where: { $0.number == number }) else {
                        return nil
                    }
                    return state.connections[id]?.waiting.remove(at: index).continuation
                }?.resume()
            }
        }
    }

    /// For a request that waited for room and has no use for it any more.
    func letNextGo(on connection: any Channel) {
        state.withLock { nextWaiting(ObjectIdentifier(connection), &$0) }?.resume()
    }

    // MARK: Under the lock

    /// One at a time: whoever goes on holds an answer in a moment, and lets the next one go on if there is still room.
    private func nextWaiting(_ id: ObjectIdentifier, _ state: inout State) -> CheckedContinuation<Void, Never>? {
        guard let known = state.connections[id], !known.waiting.isEmpty,
            known.untaken <= limits.heldBytesPerConnection
        else { return nil }
        return state.connections[id]?.waiting.removeFirst().continuation
    }

    private func makeRoom(_ state: inout State) -> [Connection] {
        var evicted: [Connection] = []
        while state.held > limits.heldBytes, let victim = heaviest(state) {
            if let closed = Self.remove(victim, &state) { evicted.append(closed) }
        }
        return evicted
    }

    private static func longestIdle(_ state: State) -> ObjectIdentifier? {
        state.connections.filter { $0.value.requests.isEmpty }.min { $0.value.lastActive < $1.value.lastActive }?.key
    }

    /// Less than this, 64 KiB as a rule, is no difference between networks: a few longer headers must not make somebody the
    /// heaviest.
    private var step: Int { max(1, limits.heldBytes / 768) }

    /// Of the networks that hold the most, the connection with the oldest request.
    private func heaviest(_ state: State) -> ObjectIdentifier? {
        var held: [IPNetwork?: Int] = [:]
        for connection in state.connections.values { held[connection.network, default: 0] += connection.held }
        guard let most = held.values.max() else { return nil }
        return state.connections
            .filter { held[$0.value.network, default: 0] / step == most / step && !$0.value.requests.isEmpty }
            .min { ($0.value.requests.keys.min() ?? .max) < ($1.value.requests.keys.min() ?? .max) }?.key
    }

    private static func remove(_ id: ObjectIdentifier, _ state: inout State) -> Connection? {
        guard let connection = state.connections.removeValue(forKey: id) else { return nil }
        state.held -= connection.held
        if let network = connection.network {
            let left = state.perNetwork[network, default: 1] - 1
            state.perNetwork[network] = left > 0 ? left : nil
        }
        return connection
    }

    private static func close(_ connection: Connection) {
        connection.channel.closeHard()
        for waiting in connection.waiting { waiting.continuation.resume() }
    }
}

extension Channel {
    /// The TCP connection of an HTTP/2 stream, or of itself. A stream's parent is its connection; a connection's parent
    /// is the listener, which has none.
    var tcpConnection: any Channel {
        guard let parent, parent.parent != nil else { return self }
        return parent
    }

    var isStream: Bool { parent?.parent != nil }
}
