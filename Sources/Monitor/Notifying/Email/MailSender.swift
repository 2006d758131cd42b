import NIOCore
import NIOPosix
import NIOSSL
import Outbound

/// Sends mail by SMTP over TCP and TLS, each over a new connection.
package struct MailSender: Sendable {
    private let context: NIOSSLContext
    private static let timeout = TimeAmount.seconds(10)

    /// `trustedPEM`: Certificates to trust instead of the system's, for a private server.
    package init(trustedPEM: [UInt8]? = nil) throws {
        context = try NIOSSLContext(configuration: TrustRoots(pem: trustedPEM).tlsConfiguration())
    }

    package func send(_ account: MailAccount, _ mail: Mail) async throws(DeliveryFailure) {
        let channel: any Channel
        let outcome: EventLoopFuture<SMTPConversation.Outcome>
        do {
            // Several addresses may be tried, so reading starts only with the one that answers.
            channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connectTimeout(Self.timeout)
                .channelOption(.autoRead, value: false)
                .connect(host: account.host, port: account.port).get()
            outcome = converse(on: channel, account, mail)
        } catch {
            throw account.failure(.temporary, "cannot be reached: \(TransportFault(error))")
        }
        let result = await withTaskCancellationHandler {
            // The handler fulfils its promise whatever happens to the connection.
            (try? await outcome.get()) ?? .failure(account.failure(.temporary, "communication failed"))
        } onCancel: {
            channel.close(promise: nil)
        }
        try result.get()
    }

    private func converse(
        on channel: any Channel, _ account: MailAccount, _ mail: Mail
    ) -> EventLoopFuture<SMTPConversation.Outcome> {
        let promise = channel.eventLoop.makePromise(of: SMTPConversation.Outcome.self)
        let begun = channel.eventLoop.submit { [context] in
            let pipeline = channel.pipeline.syncOperations
            if account.security == .implicit {
                try pipeline.addHandler(NIOSSLClientHandler(context: context, serverHostname: account.nameForTLS))
            }
            try pipeline.addHandler(
                SMTPConversation(account: account, mail: mail, context: context, promise: promise))
            try channel.syncOptions?.setOption(.autoRead, value: true)
        }
        begun.whenFailure { error in
            promise.succeed(.failure(account.failure(.temporary, "communication failed: \(TransportFault(error))")))
            channel.close(promise: nil)
        }
        return promise.futureResult
    }
}

extension MailAccount {
    /// Nil for an IP address, which is verified as such and cannot be sent in SNI.
    var nameForTLS: String? {
        (try? SocketAddress(ipAddress: host, port: port)) == nil ? host : nil
    }
}
