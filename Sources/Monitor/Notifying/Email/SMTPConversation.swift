import NIOCore
import NIOSSL
import Outbound

/// Lets the dialogue speak over a connection, and ends it.
///
/// A handler and no stream of bytes, because the switch to TLS must happen before the next byte is looked at: what
/// somebody on the way sends behind the server's consent would otherwise count as said by the server (CVE-2011-0411).
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
                case .codesDiffer: "gave one answer with two codes"
                case .tooLong: "gave an answer longer than \(SMTPReply.most) bytes"
                }
            end(.failure(account.failure(.passing, what)), context)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        end(.failure(account.failure(.passing, "closed the connection before it had taken the mail")), context)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end(.failure(account.failure(.passing, "cannot be talked to: \(TransportFault(error))")), context)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        end(.failure(account.failure(.passing, "was left")), context)
    }

    private func perform(_ action: SMTPDialogue.Action, _ context: ChannelHandlerContext) {
        switch action {
        case .send(let bytes): write(bytes, context)
        case .startTLS:
            guard received.isEmpty else {
                return end(.failure(account.failure(.passing, "sent more than its consent to STARTTLS")), context)
            }
            do {
                let handler = try NIOSSLClientHandler(context: self.context, serverHostname: account.nameForTLS)
                try context.pipeline.syncOperations.addHandler(handler, position: .first)
                // Waits in the TLS handler until the handshake is done.
                perform(dialogue.secured(), context)
            } catch {
                end(
                    .failure(account.failure(.passing, "cannot be talked to by TLS: \(TransportFault(error))")), context
                )
            }
        case .taken:
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
