import HummingbirdCore
import Logging
import NIOCore

/// Lets a TCP connection in or closes it, before anything is read from it.
struct ConnectionGuard<Base: ServerChildChannel>: ServerChildChannel {
    typealias Value = Base.Value

    private let base: Base
    private let connections: Connections
    /// The kernel's buffer for each direction, in bytes. Its own grows to several megabytes for a client that stops
    /// reading.
    private static var socketBuffer: Int { 128 << 10 }

    init(_ base: Base, _ connections: Connections) {
        self.base = base
        self.connections = connections
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        guard connections.admit(channel) else {
            return channel.close().flatMapThrowing { throw ChannelError.alreadyClosed }
        }
        do {
            try channel.syncOptions?.setOption(.socketOption(.so_sndbuf), value: Self.socketBuffer)
            try channel.syncOptions?.setOption(.socketOption(.so_rcvbuf), value: Self.socketBuffer)
        } catch {
            // The client has gone already.
            return channel.eventLoop.makeFailedFuture(error)
        }
        return base.setup(channel: channel, logger: logger)
    }

    func handle(value: Value, logger: Logger) async {
        await base.handle(value: value, logger: logger)
    }
}
