import IPNetworks
package import NIOCore
import Synchronization

/// Tracks the TCP connections of a server and the memory that their open requests hold.
///
/// Admission and eviction rules:
///
/// - A network at its limit gets no further connection.
/// - When the table is full, the longest idle connection is closed; without an idle one, the connection with the oldest request
///   of the network that holds the most memory.
/// - When open requests hold too many bytes, connections are closed by the same rule until they do not.
/// - A connection with too many unsent response bytes waits with its next request.
/// - A network with too many requests in flight gets 503 for further ones.
package final class Connections: Sendable {
    private let limits: ConnectionLimits
    private let state = Mutex(State())

    private struct State {
        var connections: [ObjectIdentifier: Connection] = [:]
        var perNetwork: [IPNetwork: Int] = [:]
        var held = 0
        var nextRequest = 0
        /// Requests being handled, per network. They may outlive their streams and connections.
        var inFlight: [IPNetwork?: Int] = [:]
        var allInFlight = 0
    }

    private struct Connection {
        let network: IPNetwork?
        let channel: any Channel
        var lastActive: NIODeadline
        /// Bytes held by each open request, by number: a lower number is an older request.
        var requests: [Int: Request] = [:]
        /// Requests that wait for capacity, oldest first.
        var waiting: [(number: Int, continuation: CheckedContinuation<Void, Never>)] = []

        var held: Int { requests.values.reduce(0) { $0 + $1.cost + $1.response } }
        var unsent: Int { requests.values.reduce(0) { $0 + $1.response } }
    }

    private struct Request {
        var cost: Int
        var response = 0
    }

    package init(_ limits: ConnectionLimits) {
        self.limits = limits
    }

    package var requestsPerConnection: Int { limits.requestsPerConnection }

    /// Open TCP connections.
    package var count: Int { state.withLock { $0.connections.count } }

    /// Bytes that open requests hold.
    package var heldBytes: Int { state.withLock { $0.held } }

    /// Admits a new connection, evicting another one if the table is full.
    ///
    /// - Returns: False when the connection must be closed: its network or the table is full.
    package func admit(_ channel: any Channel) -> Bool {
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

    /// Registers a request when its head has arrived.
    ///
    /// - Parameters:
    ///   - connection: The TCP connection.
    ///   - cost: Bytes that it holds until its response is sent.
    /// - Returns: The request's number; nil when the connection was closed or has too many requests.
    package func begin(on connection: any Channel, cost: Int) -> Int? {
        let id = ObjectIdentifier(connection)
        let (number, evicted) = state.withLock { state -> (Int?, [Connection]) in
            guard let known = state.connections[id], known.requests.count < ConnectionLimits.maxStreams else {
                return (nil, [])
            }
            state.nextRequest += 1
            let number = state.nextRequest
            state.connections[id]?.lastActive = .now()
            state.connections[id]?.requests[number] = Request(cost: cost)
            state.held += cost
            let evicted = evictOverLimit(&state)
            return (state.connections[id] == nil ? nil : number, evicted)
        }
        evicted.forEach(Self.close)
        return number
    }

    /// Counts the body of a response as soon as it exists.
    package func hold(_ bytes: Int, for number: Int, on connection: any Channel) {
        let id = ObjectIdentifier(connection)
        let (evicted, next) = state.withLock { state -> ([Connection], CheckedContinuation<Void, Never>?) in
            guard state.connections[id]?.requests[number] != nil else { return ([], nil) }
            state.connections[id]?.requests[number]?.response += bytes
            state.held += bytes
            return (evictOverLimit(&state), nextWaiting(id, &state))
        }
        evicted.forEach(Self.close)
        next?.resume()
    }

    /// Counts the memory of a request body that is still incomplete.
    func holdBody(_ bytes: Int, for number: Int, on connection: any Channel) {
        let id = ObjectIdentifier(connection)
        let evicted = state.withLock { state -> [Connection] in
            guard state.connections[id]?.requests[number] != nil else { return [] }
            state.connections[id]?.requests[number]?.cost += bytes
            state.held += bytes
            return evictOverLimit(&state)
        }
        evicted.forEach(Self.close)
    }

    /// Records that a response was sent before the request body was complete: the stream and the partial body remain.
    func responseSent(_ number: Int, on connection: any Channel) {
        let id = ObjectIdentifier(connection)
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard let response = state.connections[id]?.requests[number]?.response else { return nil }
            state.connections[id]?.requests[number]?.response = 0
            state.held -= response
            return nextWaiting(id, &state)
        }
        next?.resume()
    }

    /// Removes a request that is complete and whose response was sent, or that will get none.
    package func end(_ number: Int, on connection: any Channel) {
        let id = ObjectIdentifier(connection)
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard let request = state.connections[id]?.requests.removeValue(forKey: number) else { return nil }
            state.connections[id]?.lastActive = .now()
            state.held -= request.cost + request.response
            return nextWaiting(id, &state)
        }
        next?.resume()
    }

    /// Counts the work of a request until its response exists, even if its stream is reset: a client that resets streams must
    /// not leave more work behind than one that waits.
    ///
    /// - Returns: The argument of `endHandling`; nil when too many requests are in flight.
    package func beginHandling(on connection: any Channel) -> HandledRequest? {
        let id = ObjectIdentifier(connection)
        return state.withLock { state in
            let network = state.connections[id]?.network
            let count = state.inFlight[network, default: 0]
            guard count < limits.inFlightPerNetwork,
                state.allInFlight < limits.inFlight
                    || count < limits.inFlightGuaranteed && state.allInFlight < 2 * limits.inFlight
            else { return nil }
            state.inFlight[network] = count + 1
            state.allInFlight += 1
            return HandledRequest(network: network)
        }
    }

    package struct HandledRequest {
        fileprivate let network: IPNetwork?
    }

    package func endHandling(_ work: HandledRequest) {
        state.withLock { state in
            let left = state.inFlight[work.network, default: 1] - 1
            state.inFlight[work.network] = left > 0 ? left : nil
            state.allInFlight -= 1
        }
    }

    /// The number of requests being handled.
    package var inFlight: Int { state.withLock { $0.allInFlight } }

    /// Whether the connection has too many unsent response bytes for its next request.
    package func isFull(_ connection: any Channel) -> Bool {
        let id = ObjectIdentifier(connection)
        return state.withLock { ($0.connections[id]?.unsent ?? 0) > limits.heldBytesPerConnection }
    }

    /// Returns when the connection has few enough unsent bytes for another response, or when the request's channel was closed.
    package func waitForCapacity(on connection: any Channel, for channel: any Channel) async {
        let id = ObjectIdentifier(connection)
        await withCheckedContinuation { continuation in
            let number = state.withLock { state -> Int? in
                guard let known = state.connections[id], known.unsent > limits.heldBytesPerConnection else {
                    return nil
                }
                state.nextRequest += 1
                state.connections[id]?.waiting.append((state.nextRequest, continuation))
                return state.nextRequest
            }
            guard let number else { return continuation.resume() }
            // A reset HTTP/2 stream stops waiting. HTTP/1.1 requests are resumed when their connection closes.
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

    /// Passes the capacity on when a request that waited for it was closed.
    func resumeNextWaiting(on connection: any Channel) {
        state.withLock { nextWaiting(ObjectIdentifier(connection), &$0) }?.resume()
    }

    // MARK: Under the lock

    /// Resumes one request at a time: it holds a response in a moment, and resumes the next one if there is still capacity.
    private func nextWaiting(_ id: ObjectIdentifier, _ state: inout State) -> CheckedContinuation<Void, Never>? {
        guard let known = state.connections[id], !known.waiting.isEmpty,
            known.unsent <= limits.heldBytesPerConnection
        else { return nil }
        return state.connections[id]?.waiting.removeFirst().continuation
    }

    private func evictOverLimit(_ state: inout State) -> [Connection] {
        var evicted: [Connection] = []
        while state.held > limits.heldBytes, let victim = heaviest(state) {
            if let closed = Self.remove(victim, &state) { evicted.append(closed) }
        }
        return evicted
    }

    private static func longestIdle(_ state: State) -> ObjectIdentifier? {
        state.connections.filter { $0.value.requests.isEmpty }.min { $0.value.lastActive < $1.value.lastActive }?.key
    }

    /// Networks are compared in units of this, 64 KiB by default: a few longer headers must not make a network the heaviest.
    private var comparisonUnit: Int { max(1, limits.heldBytes / 768) }

    /// The connection with the oldest request among the networks that hold the most memory.
    private func heaviest(_ state: State) -> ObjectIdentifier? {
        var held: [IPNetwork?: Int] = [:]
        for connection in state.connections.values { held[connection.network, default: 0] += connection.held }
        guard let most = held.values.max() else { return nil }
        return state.connections
            .filter {
                held[$0.value.network, default: 0] / comparisonUnit == most / comparisonUnit
                    && !$0.value.requests.isEmpty
            }
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
        connection.channel.closeAbortively()
        for waiting in connection.waiting { waiting.continuation.resume() }
    }
}

extension Channel {
    /// The TCP connection of an HTTP/2 stream, or the channel itself. A stream's parent is its connection; a connection's parent
    /// is the listener, which has none.
    var tcpConnection: any Channel {
        guard let parent, parent.parent != nil else { return self }
        return parent
    }

    var isStream: Bool { parent?.parent != nil }
}
