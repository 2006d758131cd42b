import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOSSL
import Outbound

/// One push. The one seam to the network: the pusher takes a closure from these to replies.
package struct PushRequest: Sendable {
    package let target: PushTarget
    package let query: PushQuery
    /// A heartbeat in JSON.
    package let body: [UInt8]

    package init(target: PushTarget, query: PushQuery, body: [UInt8]) {
        self.target = target
        self.query = query
        self.body = body
    }
}

package struct PushReply: Equatable, Sendable {
    package var status: Int
    /// The `Date` header.
    package var date: String?
    /// Its first 4 KiB at most.
    package var body: [UInt8]

    package init(status: Int, date: String? = nil, body: [UInt8] = []) {
        self.status = status
        self.date = date
        self.body = body
    }
}

package typealias PushSend = @Sendable (PushRequest) async throws(PushError) -> PushReply

/// HTTP to monitors, with bounds on everything that the other side decides.
package struct PushClient: Sendable {
    private let client: HTTPClient
    /// Bytes of an answer that are read. A monitor's has some forty.
    private static let most = 4096

    package init() {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.timeout = .init(connect: .seconds(10), read: .seconds(10))
        configuration.httpVersion = .http1Only
        // The next beat is the retry.
        configuration.connectionPool.retryConnectionEstablishment = false
        // From beat to beat, so that one in a hundred costs a handshake and not each.
        configuration.connectionPool.idleTimeout = .seconds(90)
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 1
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    package func shutdown() async throws { try await client.shutdown() }

    /// The caller bounds the time by cancelling.
    package func send(_ request: PushRequest) async throws(PushError) -> PushReply {
        do {
            var outgoing = HTTPClientRequest(url: request.target.address(request.query))
            outgoing.method = .POST
            outgoing.headers.add(name: "User-Agent", value: "clavitor-node")
            outgoing.headers.add(name: "Content-Type", value: "application/json")
            outgoing.body = .bytes(request.body)
            outgoing.tlsConfiguration = request.target.tls
            let answer = try await client.execute(outgoing, timeout: .seconds(10))
            var body: [UInt8] = []
            for try await part in answer.body {
                body += part.readableBytesView.prefix(Self.most - body.count)
                if body.count >= Self.most { break }
            }
            return PushReply(
                status: Int(answer.status.code), date: answer.headers.first(name: "Date"), body: body)
        } catch {
            throw Self.reason(error)
        }
    }

    private static func reason(_ error: any Error) -> PushError {
        let fault = TransportFault(error)
        return fault == .noAnswerInTime ? .timedOut : .unreachable("\(fault)")
    }
}
