import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1
import Outbound
import Wire

/// The HTTPS client of a node: JSON requests and responses, errors as `Problem`.
struct NodeClient {
    let server: ServerAddress
    /// The token of a session or agent.
    var token: String?
    private let http: HTTPClient

    /// Enough for all L2 values of a vault at once.
    private static let largestAnswer = 256 << 20
    private static let timeout = TimeAmount.seconds(60)

    /// Runs `body` with a client that is closed afterwards. `caFile`: PEM certificates to trust instead of the system's.
    static func connected<Result>(
        to server: ServerAddress, trusting caFile: String?, _ body: (NodeClient) async throws -> Result
    ) async throws -> Result {
        try await HTTPClient.withHTTPClient(configuration: try configuration(trusting: caFile)) { http in
            try await body(NodeClient(server: server, http: http))
        }
    }

    static func configuration(trusting caFile: String?) throws -> HTTPClient.Configuration {
        do {
            return try .outbound(trusting: TrustRoots(file: caFile), read: timeout)
        } catch {
            throw CommandFailure(
                .usage, "\(error).",
                hint: "Give the node's certificate, or its authority's: --ca-file PEM")
        }
    }

    private init(server: ServerAddress, http: HTTPClient) {
        self.server = server
        self.http = http
    }

    /// Sends the request and decodes the response.
    ///
    /// - Throws: `Problem` when the node refuses, `CommandFailure` when the node cannot be reached.
    func send<Answer: Decodable>(_ request: NodeRequest, as answer: Answer.Type = Answer.self) async throws -> Answer {
        let body = try await bytes(request)
        do {
            return try JSONDecoder().decode(Answer.self, from: body)
        } catch {
            throw CommandFailure(
                .failed, "The node's response has an unknown format.",
                hint: "Is \(server.text) a Clavitor node? Otherwise update clavitor.")
        }
    }

    /// Sends a request whose response has no content.
    func send(_ request: NodeRequest) async throws {
        _ = try await bytes(request)
    }

    private func bytes(_ request: NodeRequest) async throws -> Data {
        do {
            do {
                return try await attempt(request)
            } catch let error as HTTPClientError
                where request.isRepeatable && [.remoteConnectionClosed, .readTimeout].contains(error)
            {
                // The request or its response was lost; the request is idempotent.
                return try await attempt(request)
            }
        } catch {
            throw explained(error)
        }
    }

    private func attempt(_ request: NodeRequest) async throws -> Data {
        var outgoing = HTTPClientRequest(url: server.text + request.target)
        outgoing.method = HTTPMethod(rawValue: request.method.rawValue)
        outgoing.headers.add(name: "Accept", value: "application/json, \(Problem.mediaType)")
        outgoing.headers.add(name: "User-Agent", value: "clavitor/\(Version.current)")
        if let token { outgoing.headers.add(name: "Authorization", value: "Bearer \(token)") }
        if let version = request.ifMatch { outgoing.headers.add(name: "If-Match", value: "\"\(version)\"") }
        if let key = request.idempotencyKey { outgoing.headers.add(name: "Idempotency-Key", value: key) }
        if let body = request.body {
            outgoing.headers.add(name: "Content-Type", value: "application/json")
            outgoing.body = .bytes(ByteBuffer(bytes: try JSONEncoder().encode(body)))
        }
        let response = try await http.execute(outgoing, timeout: Self.timeout)
        let body = Data(try await response.body.collect(upTo: Self.largestAnswer).readableBytesView)
        guard (200..<300).contains(response.status.code) else {
            throw (try? JSONDecoder().decode(Problem.self, from: body))
                ?? Problem(.http, status: Int(response.status.code), title: "The node answered \(response.status)")
        }
        return body
    }

    private func explained(_ error: any Error) -> any Error {
        switch error {
        case is Problem, is CommandFailure, is CancellationError:
            return error
        default:
            return explained(TransportFault(error))
        }
    }

    private func explained(_ fault: TransportFault) -> CommandFailure {
        switch fault {
        case .otherName:
            CommandFailure(
                .unreachable, "\(server.text) presents a certificate for another name.",
                hint: "Use the node's own name.")
        case .untrusted:
            CommandFailure(
                .unreachable, "\(server.text) presents a certificate that this machine does not trust.",
                hint: "For a self-signed certificate: --ca-file PEM")
        case .handshake: CommandFailure(.unreachable, "\(server.text) fails in the TLS handshake.")
        case .noAnswerInTime, .other:
            CommandFailure(
                .unreachable, "\(server.text) cannot be reached: \(fault).",
                hint: token == nil
                    ? "Check the address and the network; `clavitor nodes` measures the others."
                    : "Your vault is on this node and on no other. Check the network; if it persists, ask the node's operator."
            )
        }
    }
}
