import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Synchronization

/// Measures the TCP and TLS handshake time of a node, and whether it is ready.
struct Handshake: Equatable, Sendable {
    var time: Duration
    /// Whether `/readyz` returned 200.
    var isReady: Bool

    /// Nil for a node that does not respond within five seconds or is not trusted.
    static func with(_ server: ServerAddress, trusting caFile: String?) async -> Handshake? {
        let connected = Connected()
        guard var configuration = try? NodeClient.configuration(trusting: caFile) else { return nil }
        configuration.httpVersion = .http1Only
        configuration.timeout = .init(connect: .seconds(5), read: .seconds(5))
        // The hook runs after the handshake and before the request.
        configuration.http1_1ConnectionDebugInitializer = { channel in
            connected.instant.withLock { $0 = $0 ?? .now }
            return channel.eventLoop.makeSucceededVoidFuture()
        }
        let start = ContinuousClock.now
        let status = try? await HTTPClient.withHTTPClient(configuration: configuration) { http in
            try await http.execute(HTTPClientRequest(url: server.text + "/readyz"), timeout: .seconds(5)).status
        }
        return connected.instant.withLock { $0 }.map { Handshake(time: $0 - start, isReady: status == .ok) }
    }

    private final class Connected: Sendable {
        let instant = Mutex<ContinuousClock.Instant?>(nil)
    }
}
