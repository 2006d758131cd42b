import Glibc
import HummingbirdCore
import Logging
import NIOCore

/// Admits or closes a TCP connection before anything is read from it.
struct ConnectionGuard<Base: ServerChildChannel>: ServerChildChannel {
    typealias Value = Base.Value

    private let base: Base
    private let connections: Connections
    /// The kernel's buffer per direction, in bytes. By default it grows to several megabytes for a client that stops reading.
    private static var socketBuffer: Int { 128 << 10 }
    /// Bytes per read, one TLS record: small frames of one connection must not block the event loop.
    private static var readBuffer: Int { 16 << 10 }

    init(_ base: Base, _ connections: Connections) {
        self.base = base
        self.connections = connections
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        guard connections.admit(channel) else {
            return channel.close().flatMapThrowing { throw ChannelError.alreadyClosed }
        }
        do {
            // In front of TLS, whose own close waits for the client.
            try channel.pipeline.syncOperations.addHandler(AbortiveClose(), position: .first)
            try channel.syncOptions?.setOption(.socketOption(.so_sndbuf), value: Self.socketBuffer)
            try channel.syncOptions?.setOption(.socketOption(.so_rcvbuf), value: Self.socketBuffer)
            try channel.syncOptions?.setOption(.maxMessagesPerRead, value: 1)
            try channel.syncOptions?.setOption(
                .recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: Self.readBuffer))
        } catch {
            // The client has already disconnected.
            return channel.eventLoop.makeFailedFuture(error)
        }
        return base.setup(channel: channel, logger: logger)
    }

    func handle(value: Value, logger: Logger) async {
        await base.handle(value: value, logger: logger)
    }
}

/// Closes the socket with a reset (SO_LINGER 0) and discards unsent data: TLS would wait five seconds for an unresponsive client,
/// and the kernel minutes, both holding the connection's memory.
final class AbortiveClose: ChannelOutboundHandler {
    typealias OutboundIn = Any

    /// The outbound event that requests the close.
    struct Request: Sendable {}

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard event is Request else { return context.triggerUserOutboundEvent(event, promise: promise) }
        // Without the option the kernel only takes longer.
        _ = (context.channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
        context.close(promise: promise)
    }
}

extension Channel {
    /// Closes the TCP connection at once with a reset; without the handler it closes normally.
    ///
    /// Deferred to the event loop's next tick, because the caller may be reading from this connection.
    func closeAbortively() {
        let channel = tcpConnection
        channel.eventLoop.execute {
            channel.triggerUserOutboundEvent(AbortiveClose.Request()).whenFailure { _ in channel.close(promise: nil) }
        }
    }
}
