package import NIOCore
import NIOSSL
import NIOTLS

/// Stands in front of a connection's TLS until the client has said whom it wants, then lets it in, answers a challenge,
/// or shows it out.
///
/// It reads the hello itself because NIOSSL's callback is told the server name but not the protocols, and because an
/// unwanted client should cost no handshake. How long a client may take is for the handlers behind to say.
package final class ClientHelloGate: ChannelInboundHandler, RemovableChannelHandler {
    package typealias InboundIn = ByteBuffer
    package typealias InboundOut = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    private enum State {
        case waiting(ClientHelloReader)
        case open
        case shut
    }

    private let certificates: ServedCertificates
    private var state = State.waiting(ClientHelloReader())

    package init(_ certificates: ServedCertificates) {
        self.certificates = certificates
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch state {
        case .open: context.fireChannelRead(data)
        case .shut: break
        case .waiting(var reader):
            // Shut unless told otherwise; and the bytes have one owner, who can append to them in place.
            state = .shut
            do throws(ClientHello.Flaw) {
                if let hello = try reader.take(unwrapInboundIn(data)) {
                    answer(hello, reader.received, context)
                } else {
                    state = .waiting(reader)
                }
            } catch {
                switch error {
                case .notTLS: context.close(promise: nil)
                case .malformed: refuse(.decodeError, context)
                }
            }
        }
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // A client that ends its half before it has finished its hello will never finish it.
        if case .waiting = state, case .inputClosed? = event as? ChannelEvent {
            state = .shut
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    package func channelInactive(context: ChannelHandlerContext) {
        state = .shut
        context.fireChannelInactive()
    }

    private func answer(_ hello: ClientHello, _ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        switch certificates.decision(for: hello) {
        case .ordinary: open(bytes, context)
        case .refuse(let alert): refuse(alert, context)
        case .challenge(let certificate):
            do {
                var configuration = certificate.configuration
                configuration.applicationProtocols = [ChallengeCertificate.applicationProtocol]
                // On connections that may be half closed, NIOSSL waits this long even for a client that has said goodbye.
                configuration.shutdownTimeout = .seconds(1)
                let handlers: [any ChannelHandler] = [
                    NIOSSLServerHandler(context: try NIOSSLContext(configuration: configuration)), ChallengeEnd(),
                ]
                try context.pipeline.syncOperations.addHandlers(handlers, position: .after(self))
                open(bytes, context)
            } catch {
                refuse(.internalError, context)
            }
        }
    }

    /// First on, then out: a handler that has left the pipeline passes nothing on.
    private func open(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        state = .open
        context.fireChannelRead(wrapInboundOut(bytes))
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }

    private func refuse(_ alert: TLSAlert, _ context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: alert.record)), promise: nil)
        context.close(promise: nil)
    }
}

/// Closes a connection when its challenge is answered. Those behind learn that it ended, and nothing else.
private final class ChallengeEnd: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {}

    func channelReadComplete(context: ChannelHandlerContext) {}

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted? = event as? TLSUserEvent { context.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
