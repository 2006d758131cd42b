import Autocert
import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS

/// A handshake with oneself: what a visitor would be shown.
enum TLSSelfCheck {
    /// Throws if a handshake at `address` shows another certificate, or none. A connection that does not come about
    /// proves nothing, a firewall may be in its way.
    static func check(
        _ address: BindAddress, name: String, shows certificate: ServableCertificate
    ) async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let shown = group.next().makePromise(of: [UInt8].self)
        var configuration = TLSConfiguration.makeClientConfiguration()
        // Which certificate it is matters here, and not whether this machine trusts its issuer.
        configuration.certificateVerification = .noHostnameVerification
        let context = try NIOSSLContext(configuration: configuration)
        let bootstrap = ClientBootstrap(group: group).connectTimeout(.seconds(5)).channelInitializer {
            channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(
                    NIOSSLClientHandler(
                        context: context, serverHostname: name,
                        customVerificationCallback: { chain, verdict in
                            shown.completeWith(Result { try chain.first?.toDERBytes() ?? [] })
                            verdict.succeed(.certificateVerified)
                        }))
            }
        }
        guard let channel = try? await bootstrap.connect(host: address.reachableHost, port: address.port).get() else {
            shown.fail(Failure("nobody to ask"))
            return
        }
        channel.eventLoop.scheduleTask(in: .seconds(5)) { shown.fail(Failure("nothing was shown in time")) }
        channel.closeFuture.whenComplete { _ in shown.fail(Failure("the connection was closed")) }
        let der: [UInt8]
        do {
            der = try await shown.futureResult.get()
        } catch {
            try? await channel.close()
            throw Failure("a handshake with oneself failed: \(error)")
        }
        try? await channel.close()
        guard der == (try certificate.chain[0].toDERBytes()) else {
            throw Failure("a handshake with oneself shows another certificate")
        }
    }
}
