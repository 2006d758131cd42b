import Autocert
import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS

/// Verifies the certificate in service by a TLS handshake with the server itself.
enum TLSSelfCheck {
    /// Throws if the handshake at `address` presents another certificate or none. A failed TCP connection is ignored, because a
    /// firewall may be the cause.
    static func check(
        _ address: BindAddress, name: String, presents certificate: ServableCertificate
    ) async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let presented = group.next().makePromise(of: [UInt8].self)
        var configuration = TLSConfiguration.makeClientConfiguration()
        // Only the certificate's identity matters, not whether this machine trusts its issuer.
        configuration.certificateVerification = .noHostnameVerification
        let context = try NIOSSLContext(configuration: configuration)
        let bootstrap = ClientBootstrap(group: group).connectTimeout(.seconds(5)).channelInitializer {
            channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(
                    NIOSSLClientHandler(
                        context: context, serverHostname: name,
                        customVerificationCallback: { chain, verdict in
                            presented.completeWith(Result { try chain.first?.toDERBytes() ?? [] })
                            verdict.succeed(.certificateVerified)
                        }))
            }
        }
        guard let channel = try? await bootstrap.connect(host: address.reachableHost, port: address.port).get() else {
            presented.fail(Failure("no connection"))
            return
        }
        channel.eventLoop.scheduleTask(in: .seconds(5)) {
            presented.fail(Failure("no certificate within five seconds"))
        }
        channel.closeFuture.whenComplete { _ in presented.fail(Failure("the connection was closed")) }
        let der: [UInt8]
        do {
            der = try await presented.futureResult.get()
        } catch {
            try? await channel.close()
            throw Failure("the TLS self-check failed: \(error)")
        }
        try? await channel.close()
        guard der == (try certificate.chain[0].toDERBytes()) else {
            throw Failure("the TLS self-check saw another certificate")
        }
    }
}
