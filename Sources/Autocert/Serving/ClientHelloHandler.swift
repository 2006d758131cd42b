package import NIOCore
import NIOSSL
import NIOTLS

/// Reads the ClientHello in front of a connection's TLS handler, then passes the connection on, responds to a challenge,
/// or rejects the handshake.
///
/// It parses the hello itself because NIOSSL's callback gets the server name but not the protocols, and because an
/// unwanted client should cost no handshake. The handlers behind enforce the timeout.
package final class ClientHelloHandler: ChannelInboundHandler, RemovableChannelHandler {
    package typealias InboundIn = ByteBuffer
    package typealias InboundOut = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    private enum State {
        case waiting(ClientHelloReader)
        case passing
        case closed
    }

    private let certificates: ServedCertificates
    private var state = State.waiting(ClientHelloReader())

    package init(_ certificates: ServedCertificates) {
        self.certificates = certificates
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch state {
        case .passing: context.fireChannelRead(data)
        case .closed: break
        case .waiting(var reader):
            // Closed unless set otherwise below. This also makes `reader` the bytes' only owner, so that appending does
            // not copy them.
            state = .closed
            do throws(ClientHello.ParseError) {
                if let hello = try reader.append(unwrapInboundIn(data)) {
                    apply(certificates.decision(for: hello), reader.received, context)
                } else {
                    state = .waiting(reader)
                }
            } catch {
                switch error {
                case .notTLS: context.close(promise: nil)
                case .malformed: reject(.decodeError, context)
                }
            }
        }
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // A client that closes its half of the connection before its hello is complete will never complete it.
        if case .waiting = state, case .inputClosed? = event as? ChannelEvent {
            state = .closed
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    package func channelInactive(context: ChannelHandlerContext) {
        state = .closed
        context.fireChannelInactive()
    }

    private func apply(
        _ decision: ServedCertificates.Decision, _ bytes: ByteBuffer, _ context: ChannelHandlerContext
    ) {
        switch decision {
        case .ordinary: passOn(bytes, context)
        case .reject(let alert): reject(alert, context)
        case .challenge(let certificate):
            do {
                var configuration = certificate.configuration
                configuration.applicationProtocols = [ChallengeCertificate.applicationProtocol]
                // On connections that allow half closure, NIOSSL waits this long even after the client's close_notify.
                configuration.shutdownTimeout = .seconds(1)
                let handlers: [any ChannelHandler] = [
                    NIOSSLServerHandler(context: try NIOSSLContext(configuration: configuration)),
                    ChallengeCloseHandler(),
                ]
                try context.pipeline.syncOperations.addHandlers(handlers, position: .after(self))
                passOn(bytes, context)
            } catch {
                reject(.internalError, context)
            }
        }
    }

    /// Passes the bytes on and then removes this handler: a removed handler cannot pass anything on.
    private func passOn(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        state = .passing
        context.fireChannelRead(wrapInboundOut(bytes))
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }

    private func reject(_ alert: TLSAlert, _ context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: alert.record)), promise: nil)
        context.close(promise: nil)
    }
}

/// Closes a challenge connection after its handshake. Handlers behind it see only that the connection ended.
private final class ChallengeCloseHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {}

    func channelReadComplete(context: ChannelHandlerContext) {}

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted? = event as? TLSUserEvent { context.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
