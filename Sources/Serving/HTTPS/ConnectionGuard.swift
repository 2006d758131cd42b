import Glibc
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
    /// Read at once, one TLS record's worth: small frames of many connections must not keep an event loop from its turn.
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
            // In front of TLS, whose own close waits for the client's consent.
            try channel.pipeline.syncOperations.addHandler(HardClose(), position: .first)
            try channel.syncOptions?.setOption(.socketOption(.so_sndbuf), value: Self.socketBuffer)
            try channel.syncOptions?.setOption(.socketOption(.so_rcvbuf), value: Self.socketBuffer)
            try channel.syncOptions?.setOption(.maxMessagesPerRead, value: 1)
            try channel.syncOptions?.setOption(
                .recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: Self.readBuffer))
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

/// Closes the socket itself when it is asked to, and throws away what the kernel has not sent: TLS would wait five seconds for a
/// client that does not answer, and the kernel minutes, both with all that the connection holds.
final class HardClose: ChannelOutboundHandler {
    typealias OutboundIn = Any

    /// Asks for it, as an outbound event.
    struct Request: Sendable {}

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard event is Request else { return context.triggerUserOutboundEvent(event, promise: promise) }
        // Where the system has no such option, the kernel's patience is all that is lost.
        _ = (context.channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
        context.close(promise: promise)
    }
}

extension Channel {
    /// Closes a TCP connection at once, whatever its client does. One without the handler closes as it can.
    ///
    /// In the event loop's next turn: whoever closes may be in the middle of reading from this very connection.
    func closeHard() {
        let channel = tcpConnection
        channel.eventLoop.execute {
            channel.triggerUserOutboundEvent(HardClose.Request()).whenFailure { _ in channel.close(promise: nil) }
        }
    }
}
