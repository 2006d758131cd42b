import NIOCore
import NIOSSL
import Outbound

/// Connects the dialogue to a NIO channel, and ends it.
///
/// A channel handler rather than an async byte stream, because the switch to TLS must happen before the next byte is
/// processed: bytes that an attacker injects after the response to STARTTLS would otherwise count as sent by the server
/// (CVE-2011-0411).
final class SMTPConversation: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    typealias Outcome = Result<Void, DeliveryFailure>

    private let account: MailAccount
    private let context: NIOSSLContext
    private var dialogue: SMTPDialogue
    private var received: [UInt8] = []
    private var promise: EventLoopPromise<Outcome>?

    init(account: MailAccount, mail: Mail, context: NIOSSLContext, promise: EventLoopPromise<Outcome>) {
        self.account = account
        self.context = context
        self.promise = promise
        dialogue = SMTPDialogue(account: account, mail: mail)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard promise != nil else { return }
        received += unwrapInboundIn(data).readableBytesView
        do throws(SMTPReply.Fault) {
            while promise != nil, let reply = try SMTPReply.take(from: &received) {
                perform(dialogue.received(reply), context)
            }
        } catch {
            let what =
                switch error {
                case .notAReply: "does not speak SMTP"
                case .codesDiffer: "sent one reply with two codes"
                case .tooLong: "sent a reply longer than \(SMTPReply.limit) bytes"
                }
            end(.failure(account.failure(.temporary, what)), context)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        end(.failure(account.failure(.temporary, "closed the connection before accepting the mail")), context)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end(.failure(account.failure(.temporary, "communication failed: \(TransportFault(error))")), context)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        end(.failure(account.failure(.temporary, "was disconnected")), context)
    }

    private func perform(_ action: SMTPDialogue.Action, _ context: ChannelHandlerContext) {
        switch action {
        case .send(let bytes): write(bytes, context)
        case .startTLS:
            guard received.isEmpty else {
                return end(.failure(account.failure(.temporary, "sent data after its response to STARTTLS")), context)
            }
            do {
                let handler = try NIOSSLClientHandler(context: self.context, serverHostname: account.nameForTLS)
                try context.pipeline.syncOperations.addHandler(handler, position: .first)
                // Buffered in the TLS handler until the handshake is done.
                perform(dialogue.secured(), context)
            } catch {
                end(
                    .failure(account.failure(.temporary, "TLS failed: \(TransportFault(error))")), context
                )
            }
        case .accepted:
            write(Array("QUIT\r\n".utf8), context)
            end(.success(()), context)
        case .failed(let failure):
            write(Array("QUIT\r\n".utf8), context)
            end(.failure(failure), context)
        }
    }

    private func write(_ bytes: [UInt8], _ context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(context.channel.allocator.buffer(bytes: bytes)), promise: nil)
    }

    private func end(_ outcome: Outcome, _ context: ChannelHandlerContext) {
        guard let promise else { return }
        self.promise = nil
        promise.succeed(outcome)
        context.close(promise: nil)
    }
}
