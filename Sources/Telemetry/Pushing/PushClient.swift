import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Outbound
import Wire

/// One push. The pusher's network interface is a closure from requests to replies.
package struct PushRequest: Sendable {
    package let target: PushTarget
    package let query: PushQuery
    /// A heartbeat in JSON.
    package let body: [UInt8]
    /// Of the body, in base64url.
    package let signature: String?

    package init(target: PushTarget, query: PushQuery, body: [UInt8], signature: String? = nil) {
        self.target = target
        self.query = query
        self.body = body
        self.signature = signature
    }
}

package struct PushReply: Equatable, Sendable {
    package var status: Int
    /// The `Date` header.
    package var date: String?
    /// At most the first 4 KiB of the body.
    package var body: [UInt8]

    package init(status: Int, date: String? = nil, body: [UInt8] = []) {
        self.status = status
        self.date = date
        self.body = body
    }
}

package typealias PushSend = @Sendable (PushRequest) async throws(PushError) -> PushReply

/// Sends pushes over HTTP, with limits on everything that the other side controls.
package struct PushClient: Sendable {
    private let client: HTTPClient
    /// Maximum bytes read of a response. A monitor's has some forty.
    private static let maxResponseBytes = 4096

    package init() {
        // The next heartbeat is the retry. Each target says itself whom it trusts.
        var configuration = HTTPClient.Configuration.outbound
        configuration.httpVersion = .http1Only
        // Connections are kept between heartbeats, so that one in a hundred needs a handshake and not each.
        configuration.connectionPool.idleTimeout = .seconds(90)
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 1
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    package func shutdown() async throws { try await client.shutdown() }

    /// Sends a push. The caller limits the time by cancelling.
    package func send(_ request: PushRequest) async throws(PushError) -> PushReply {
        do {
            var outgoing = HTTPClientRequest(url: request.target.address(request.query))
            outgoing.method = .POST
            outgoing.headers.add(name: "User-Agent", value: "clavitor-node")
            outgoing.headers.add(name: "Content-Type", value: "application/json")
            if let signature = request.signature {
                outgoing.headers.add(name: HeartbeatSignature.header, value: signature)
            }
            outgoing.body = .bytes(request.body)
            outgoing.tlsConfiguration = request.target.tls
            let response = try await client.execute(outgoing, timeout: .seconds(10))
            let body = try await response.body.prefix(Self.maxResponseBytes)
            return PushReply(
                status: Int(response.status.code), date: response.headers.first(name: "Date"), body: body)
        } catch {
            throw Self.reason(error)
        }
    }

    private static func reason(_ error: any Error) -> PushError {
        let fault = TransportFault(error)
        return fault == .noAnswerInTime ? .timedOut : .unreachable("\(fault)")
    }
}
