import AsyncHTTPClient
import NIOCore
import Synchronization

/// How far away a node is: the time until TCP and TLS are done.
enum Handshake {
    /// Nil for a node that does not answer within five seconds or is not trusted.
    static func time(to server: ServerAddress, trusting caFile: String?) async -> Duration? {
        let connected = Connected()
        guard var configuration = try? NodeClient.configuration(trusting: caFile) else { return nil }
        configuration.httpVersion = .http1Only
        configuration.timeout = .init(connect: .seconds(5), read: .seconds(5))
        // The hook runs when the connection stands and before the request goes out.
        configuration.http1_1ConnectionDebugInitializer = { channel in
            connected.instant.withLock { $0 = $0 ?? .now }
            return channel.eventLoop.makeSucceededVoidFuture()
        }
        let start = ContinuousClock.now
        try? await HTTPClient.withHTTPClient(configuration: configuration) { http in
            _ = try await http.execute(HTTPClientRequest(url: server.text + "/livez"), timeout: .seconds(5))
        }
        return connected.instant.withLock { $0 }.map { $0 - start }
    }

    private final class Connected: Sendable {
        let instant = Mutex<ContinuousClock.Instant?>(nil)
    }
}
